"""Arithmetic: sums, products, quotients, powers, each above its gradient.

`dy` is dL/dy, how the loss L changes with the result; a gradient rule returns dL/dx for
each input, dy times the slope of y.
"""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, op
from deepneuron.ops.elementwise import Elementwise
from deepneuron.ops.exponential import log
from deepneuron.ops.logic import equal, where
from deepneuron.ops.pieces import in_slices
from deepneuron.ops.types import cast

_PAIRS = (
    Case((2, 3), (2, 3)),
    Case((2, 3), (3,)),
    Case((4, 1), (1, 3)),
    Case((), (2,)),
)
_POSITIVE = Case((2, 3), between=(0.5, 2.0))


@op
class add(Elementwise):
    """y = x1 + x2"""

    ufunc = np.add
    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return in_slices(np.add, x1, x2, out=out)

    def gradient(self, node, dy):
        return dy, dy


@op
class subtract(Elementwise):
    """y = x1 - x2"""

    ufunc = np.subtract
    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.subtract(x1, x2, out=out)

    def gradient(self, node, dy):
        return dy, -dy


@op
class multiply(Elementwise):
    """y = x1 * x2"""

    ufunc = np.multiply
    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.multiply(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        return dy * x2, dy * x1


@op
class divide(Elementwise):
    """y = x1 / x2"""

    ufunc = np.divide
    result = "float"
    cases = (
        Case((2, 3), (2, 3), between=(0.5, 2.0)),
        Case((2, 3), (3,), between=(0.5, 2.0)),
    )

    def forward(self, x1, x2, /, out=None):
        return np.divide(x1, x2, out=out)

    def gradient(self, node, dy):
        (_, x2), (y,) = node.inputs, node.outputs
        return dy / x2, -dy * y / x2


@op
class negative(Elementwise):
    """y = -x"""

    ufunc = np.negative
    cases = (Case((2, 3)),)

    def forward(self, x, /, out=None):
        return np.negative(x, out=out)

    def gradient(self, node, dy):
        return (-dy,)


@op
class square(Elementwise):
    """y = x^2"""

    ufunc = np.square
    result = "number"
    cases = (Case((2, 3)),)

    def forward(self, x, /, out=None):
        return np.square(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (2 * x * dy,)


@op
class sqrt(Elementwise):
    """y = sqrt(x)"""

    ufunc = np.sqrt
    result = "float"
    cases = (_POSITIVE,)

    def forward(self, x, /, out=None):
        return np.sqrt(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (0.5 * dy / y,)


@op
class power(Elementwise):
    """y = x1 ^ x2"""

    ufunc = np.power
    result = "number"
    cases = (
        Case((2, 3), (2, 3), between=(0.5, 2.0)),
        Case((2, 3), (3,), between=(0.5, 2.0)),
    )

    def forward(self, x1, x2, /, out=None):
        return np.power(x1, x2, out=out)

    def gradient(self, node, dy):
        (x1, x2), (y,) = node.inputs, node.outputs
        # 0 ^ x2 does not change with x2 where x2 > 0, although log 0 is infinite.
        log_x1 = log(where(equal(x1, 0), 1.0, x1))
        return dy * x2 * x1 ** (x2 - 1), dy * y * log_x1


@op
class maximum(Elementwise):
    """y = max(x1, x2); where they are equal each gets half of the gradient."""

    ufunc = np.maximum
    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.maximum(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        return dy * _share(x1, x2), dy * _share(x2, x1)


@op
class minimum(Elementwise):
    """y = min(x1, x2); where they are equal each gets half of the gradient."""

    ufunc = np.minimum
    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.minimum(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        return dy * _share(x2, x1), dy * _share(x1, x2)


@op
class absolute(Elementwise):
    """y = |x|; at 0 the gradient is 0"""

    ufunc = np.absolute
    cases = (Case((2, 3)),)

    def forward(self, x, /, out=None):
        return np.abs(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * sign(x),)


def abs(x):
    """y = |x|, shorter for `absolute`."""
    return absolute(x)


@op
class reciprocal(Elementwise):
    """y = 1 / x"""

    result = "float"
    cases = (_POSITIVE,)

    def forward(self, x, /, out=None):
        return np.reciprocal(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (-dy * square(y),)


@op
class rsqrt(Elementwise):
    """y = 1 / sqrt(x)"""

    result = "float"
    cases = (_POSITIVE,)

    def forward(self, x, /, out=None):
        y = np.sqrt(x, out=out)
        return np.reciprocal(y, out=out)

    def gradient(self, node, dy):
        (x,), (y,) = node.inputs, node.outputs
        return (-0.5 * dy * y / x,)


class _Step(Elementwise):
    """y jumps and is flat in between, so no gradient flows."""

    differentiable = False
    cases = (Case((2, 3)),)


@op
class sign(_Step):
    """y = 1, 0 or -1, as x is positive, zero or negative"""

    def forward(self, x, /, out=None):
        return np.sign(x, out=out)


@op
class floor(_Step):
    """y = the largest whole number that is not above x"""

    result = "float"

    def forward(self, x, /, out=None):
        return np.floor(x, out=out)


@op
class ceil(_Step):
    """y = the smallest whole number that is not below x"""

    result = "float"

    def forward(self, x, /, out=None):
        return np.ceil(x, out=out)


@op
class round(_Step):
    """y = x rounded to so many decimals; a half goes to the even neighbour"""

    def infer(self, x, /, decimals=0):
        return super().infer(x)

    def forward(self, x, /, decimals=0, out=None):
        return np.round(x, decimals, out=out)


@op
class floor_divide(_Step):
    """y = floor(x1 / x2)"""

    result = "number"
    cases = (Case((2, 3), (3,), between=(0.5, 2.0)), Case(np.arange(5), np.full(5, 2)))

    def forward(self, x1, x2, /, out=None):
        return np.floor_divide(x1, x2, out=out)


@op
class mod(Elementwise):
    """y = x1 - x2 floor(x1 / x2); the sign is that of x2"""

    result = "number"
    cases = (Case(np.array([5.3, -5.3, 7.1]), np.array([2.0, 2.0, -3.0])),)

    def forward(self, x1, x2, /, out=None):
        return np.mod(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        return dy, -dy * floor_divide(x1, x2)


def true_divide(x1, x2):
    """y = x1 / x2, another name for `divide`."""
    return divide(x1, x2)


def divide_no_nan(x1, x2):
    """y = x1 / x2, and 0 where x2 is 0.

    >>> import deepneuron as dn
    >>> dn.ops.divide_no_nan([1.0, 2.0], [0.0, 4.0])
    array([0. , 0.5], dtype=float32)
    """
    zero = equal(x2, 0)
    return where(zero, 0.0, divide(x1, where(zero, 1.0, x2)))


def clip(x, x_min, x_max):
    """y = x, but not below x_min and not above x_max.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.clip(np.array([-1.0, 0.5, 2.0]), 0.0, 1.0)
    array([0. , 0.5, 1. ])
    """
    return minimum(maximum(x, x_min), x_max)


def _share(x1, x2):
    """1 where x1 > x2, 1/2 where they are equal, else 0."""
    return where(equal(x1, x2), 0.5, cast(x1 > x2, x1.dtype))
