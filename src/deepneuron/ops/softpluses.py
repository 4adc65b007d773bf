"""Activations between a straight line and nothing, each above its slope."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, op
from deepneuron.ops.activation import VALUES, Activation, Slope
from deepneuron.ops.arithmetic import sqrt, square
from deepneuron.ops.exponential import exp
from deepneuron.ops.logic import where
from deepneuron.ops.pieces import in_pieces
from deepneuron.ops.rectifiers import sparse_sigmoid
from deepneuron.ops.sigmoids import sigmoid
from deepneuron.ops.types import as_floats


@op
class softplus(Activation):
    """y = log(1 + e^x): relu with a round corner"""

    def forward(self, x, /, out=None):
        return in_pieces(
            lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), x, out=out
        )

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (softplus_grad(dy, y),)


@op
class softplus_grad(Slope):
    """dx = dy (1 - e^-y), which is dy sigmoid(x)"""

    cases = (Case((2, 3), (2, 3), between=(0.1, 3.0)),)

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: -dy * np.expm1(-y), dy, y, out=out)

    def gradient(self, node, dz):
        dy, y = node.inputs
        return softplus_grad(dz, y), dz * dy * exp(-y)


def log_sigmoid(x):
    """y = log(sigmoid(x)) = -softplus(-x)

    >>> import deepneuron as dn
    >>> dn.ops.log_sigmoid([-100.0, 0.0]).round(3)
    array([-100.   ,   -0.693], dtype=float32)
    """
    return -softplus(-as_floats(x))


def squareplus(x, b=4):
    """y = (x + sqrt(x^2 + b)) / 2

    Args:
        x: of any shape.
        b: how round the corner is.

    >>> import deepneuron as dn
    >>> dn.ops.squareplus([-1.5, 0.0, 1.5])
    array([0.5, 1. , 2. ], dtype=float32)
    """
    x = as_floats(x)
    return 0.5 * (x + sqrt(square(x) + b))


@op
class sparse_plus(Activation):
    """y = 0 up to -1, x from 1 on, and (x + 1)^2 / 4 between"""

    def forward(self, x, /, out=None):
        return in_pieces(
            lambda x: np.where(x >= 1, x, np.square(np.maximum(x, -1) + 1) / 4),
            x,
            out=out,
        )

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * sparse_sigmoid(x),)


@op
class elu(Activation):
    """y = x where x > 0, else alpha (e^x - 1)"""

    def forward(self, x, /, alpha=1.0, out=None):
        return in_pieces(
            lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))), x, out=out
        )

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (exponential_unit_grad(dy, x, factor=node.attrs["alpha"]),)


@op
class celu(Activation):
    """y = x where x > 0, else alpha (e^(x / alpha) - 1)"""

    def forward(self, x, /, alpha=1.0, out=None):
        return in_pieces(
            lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
            x,
            out=out,
        )

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (exponential_unit_grad(dy, x, scale=node.attrs["alpha"]),)


@op
class exponential_unit_grad(Slope):
    """dx = dy where x > 0, else factor e^(x / scale) dy"""

    cases = (Case((3, 4), VALUES, factor=1.7), Case((3, 4), VALUES, scale=0.6))

    def forward(self, dy, x, /, factor=1.0, scale=1.0, out=None):
        def rule(dy, x):
            return dy * np.where(x > 0, 1, factor * np.exp(np.minimum(x, 0) / scale))

        return in_pieces(rule, dy, x, out=out)

    def gradient(self, node, dz):
        dy, x = node.inputs
        factor, scale = node.attrs["factor"], node.attrs["scale"]
        bent = (factor / scale) * exp(where(x > 0, 0.0, x) / scale)
        return (
            exponential_unit_grad(dz, x, **node.attrs),
            dz * dy * where(x > 0, 0.0, bent),
        )


_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def selu(x):
    """y = 1.0507 elu(x, 1.6733): keeps mean 0 and variance 1 from layer to layer

    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.

    >>> import deepneuron as dn
    >>> dn.ops.selu([-1.0, 1.0]).round(3)
    array([-1.111,  1.051], dtype=float32)
    """
    return _SELU_SCALE * elu(as_floats(x), _SELU_ALPHA)


@op
class silu(Activation):
    """y = x sigmoid(x)"""

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: x / (1 + np.exp(-x)), x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (silu_grad(dy, x),)


@op
class silu_grad(Slope):
    """dx = dy s (1 + x (1 - s)) with s = sigmoid(x)"""

    def forward(self, dy, x, /, out=None):
        def rule(dy, x):
            s = 1 / (1 + np.exp(-x))
            return dy * s * (1 + x * (1 - s))

        return in_pieces(rule, dy, x, out=out)

    def gradient(self, node, dz):
        dy, x = node.inputs
        s = sigmoid(x)
        return silu_grad(dz, x), dz * dy * s * (1 - s) * (2 + x * (1 - 2 * s))


swish = silu
