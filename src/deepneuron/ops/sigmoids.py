"""Activations that level off on both sides, each above its slope."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import op
from deepneuron.errors import ShapeError
from deepneuron.ops.activation import Activation, Slope
from deepneuron.ops.logic import where
from deepneuron.ops.pieces import in_pieces
from deepneuron.ops.types import as_floats


@op
class sigmoid(Activation):
    """y = 1 / (1 + e^-x)"""

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: 1 / (1 + np.exp(-x)), x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (sigmoid_grad(dy, y),)


@op
class sigmoid_grad(Slope):
    """dx = dy y (1 - y)"""

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: dy * y * (1 - y), dy, y, out=out)

    def gradient(self, node, dz):
        dy, y = node.inputs
        return sigmoid_grad(dz, y), dz * dy * (1 - 2 * y)


@op
class tanh(Activation):
    """y = (e^x - e^-x) / (e^x + e^-x)"""

    def forward(self, x, /, out=None):
        return np.tanh(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (tanh_grad(dy, y),)


@op
class tanh_grad(Slope):
    """dx = dy (1 - y^2)"""

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: dy * (1 - y * y), dy, y, out=out)

    def gradient(self, node, dz):
        dy, y = node.inputs
        return tanh_grad(dz, y), -2 * dz * dy * y


def tanh_shrink(x):
    """y = x - tanh(x)

    >>> import deepneuron as dn
    >>> dn.ops.tanh_shrink([0.0, 1.0]).round(3)
    array([0.   , 0.238], dtype=float32)
    """
    x = as_floats(x)
    return x - tanh(x)


@op
class softsign(Activation):
    """y = x / (1 + |x|)"""

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: x / (1 + np.abs(x)), x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (softsign_grad(dy, x),)


@op
class softsign_grad(Slope):
    """dx = dy / (1 + |x|)^2"""

    def forward(self, dy, x, /, out=None):
        return in_pieces(lambda dy, x: dy / np.square(1 + np.abs(x)), dy, x, out=out)

    def gradient(self, node, dz):
        dy, x = node.inputs
        size = where(x > 0, x, -x)
        return softsign_grad(dz, x), where(x > 0, -2.0, 2.0) * dz * dy / (1 + size) ** 3


def glu(x, axis=-1):
    """y = a sigmoid(b), where a and b are the two halves of x along an axis

    Args:
        x: its size along the axis is even.
        axis: which axis is halved.

    Raises:
        ShapeError: the size is odd.

    >>> import deepneuron as dn
    >>> dn.ops.glu([2.0, 4.0, 0.0, 0.0])
    array([1., 2.], dtype=float32)
    """
    x = as_floats(x)
    axis %= x.ndim
    size = x.shape[axis]
    if size is None or size % 2:
        raise ShapeError(
            f"glu halves axis {axis}, whose size must be known and even; received a "
            f"tensor of shape {tuple(x.shape)}."
        )
    before = (slice(None),) * axis
    a, b = x[(*before, slice(0, size // 2))], x[(*before, slice(size // 2, size))]
    return a * sigmoid(b)
