"""Activations that are straight lines with kinks, each above its slope."""

from __future__ import annotations

from functools import partial

import numpy as np

from deepneuron.engine.dtypes import is_float
from deepneuron.engine.op import Case, op
from deepneuron.engine.workspace import scratch
from deepneuron.ops.activation import VALUES, Activation, Slope
from deepneuron.ops.elementwise import Elementwise
from deepneuron.ops.logic import where
from deepneuron.ops.pieces import LARGE, in_pieces, in_slices
from deepneuron.ops.types import as_floats, convert_to_tensor


@op
class relu(Elementwise):
    """y = max(x, 0)"""

    result = "number"
    cases = (Case(VALUES),)

    def forward(self, x, /, out=None):
        return in_slices(np.maximum, x, np.zeros((), x.dtype), out=out)

    def bind(self, x, /, out):
        if out.size >= LARGE:
            return super().bind(x, out=out)
        return partial(np.maximum, x, np.zeros((), x.dtype), out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs  # not x: so x need not outlive the forward pass
        return (relu_grad(dy, y),)


@op
class relu_grad(Slope):
    """dx = dy where y > 0, else 0"""

    def forward(self, dy, y, /, out=None):
        return in_slices(_where_positive, dy, y, out=out)

    def gradient(self, node, dz):
        _, y = node.inputs
        return relu_grad(dz, y), None


def _where_positive(dy, y, out):
    positive = np.greater(y, y.dtype.type(0), out=scratch(y.shape, bool))
    factor = scratch(y.shape, y.dtype)
    np.copyto(factor, positive)  # NumPy multiplies equal types several times faster
    return np.multiply(dy, factor, out=out)


@op
class leaky_relu(Activation):
    """y = x where x >= 0, else negative_slope * x"""

    def forward(self, x, /, negative_slope=0.2, out=None):
        return in_pieces(lambda x: np.where(x >= 0, x, negative_slope * x), x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (leaky_relu_grad(dy, x, **node.attrs),)


@op
class leaky_relu_grad(Slope):
    """dx = dy where x >= 0, else negative_slope * dy"""

    def forward(self, dy, x, /, negative_slope=0.2, out=None):
        return in_pieces(
            lambda dy, x: np.where(x >= 0, dy, negative_slope * dy), dy, x, out=out
        )

    def gradient(self, node, dz):
        _, x = node.inputs
        return leaky_relu_grad(dz, x, **node.attrs), None


@op
class clamp(Elementwise):
    """y = min(max(x, least), most), and dx = 0 where x is not between them"""

    result = "number"
    cases = (Case(VALUES, least=-5.0, most=5.0),)

    def forward(self, x, /, least, most, out=None):
        return np.clip(x, least, most, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (clamp_grad(dy, y, **node.attrs),)


@op
class clamp_grad(Slope):
    """dx = dy where least < y < most, else 0"""

    cases = (Case((3, 4), VALUES, least=-5.0, most=5.0),)

    def forward(self, dy, y, /, least, most, out=None):
        return in_pieces(
            lambda dy, y: np.where((y > least) & (y < most), dy, 0), dy, y, out=out
        )

    def gradient(self, node, dz):
        _, y = node.inputs
        return clamp_grad(dz, y, **node.attrs), None


def relu6(x):
    """y = min(max(x, 0), 6)

    >>> import deepneuron as dn
    >>> dn.ops.relu6([-1.0, 2.0, 8.0])
    array([0., 2., 6.], dtype=float32)
    """
    return clamp(as_floats(x), 0.0, 6.0)


def hard_sigmoid(x):
    """y = relu6(x + 3) / 6: a sigmoid made of three straight lines

    >>> import deepneuron as dn
    >>> dn.ops.hard_sigmoid([-4.0, 0.0, 1.5, 4.0])
    array([0.  , 0.5 , 0.75, 1.  ], dtype=float32)
    """
    return clamp(as_floats(x) + 3.0, 0.0, 6.0) / 6.0


def hard_silu(x):
    """y = x * hard_sigmoid(x)

    >>> import deepneuron as dn
    >>> dn.ops.hard_silu([-4.0, 0.0, 1.5, 4.0])
    array([-0.   ,  0.   ,  1.125,  4.   ], dtype=float32)
    """
    x = as_floats(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def hard_tanh(x):
    """y = min(max(x, -1), 1)

    >>> import deepneuron as dn
    >>> dn.ops.hard_tanh([-2.0, 0.5, 2.0])
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    x = convert_to_tensor(x)
    return clamp(x, -1.0, 1.0) if is_float(x.dtype) else clamp(x, -1, 1)


def sparse_sigmoid(x):
    """y = (x + 1) / 2 between 0 and 1: the slope of sparse_plus

    >>> import deepneuron as dn
    >>> dn.ops.sparse_sigmoid([-2.0, 0.5, 2.0])
    array([0.  , 0.75, 1.  ], dtype=float32)
    """
    return clamp(0.5 * (as_floats(x) + 1.0), 0.0, 1.0)


@op
class soft_shrink(Activation):
    """y = x moved towards 0 by `threshold`, and 0 where it would pass it"""

    def forward(self, x, /, threshold=0.5, out=None):
        return in_pieces(lambda x: x - np.clip(x, -threshold, threshold), x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (shrink_grad(dy, y),)


@op
class hard_shrink(Activation):
    """y = x where |x| > threshold, else 0"""

    def forward(self, x, /, threshold=0.5, out=None):
        return in_pieces(lambda x: np.where(np.abs(x) > threshold, x, 0), x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (shrink_grad(dy, y),)


@op
class shrink_grad(Slope):
    """dx = dy where y is not 0"""

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: np.where(y != 0, dy, 0), dy, y, out=out)

    def gradient(self, node, dz):
        _, y = node.inputs
        return shrink_grad(dz, y), None


def threshold(x, threshold, default_value):
    """y = x where x > threshold, else default_value

    Args:
        x: of any shape.
        threshold, default_value: numbers.

    >>> import deepneuron as dn
    >>> dn.ops.threshold([0.5, 2.0], 1.0, -1.0)
    array([-1.,  2.], dtype=float32)
    """
    x = convert_to_tensor(x)
    return where(x > threshold, x, default_value)
