"""Comparisons and choices: which elements, and which of two."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, as_array, op, promote, registry
from deepneuron.engine.tensor import Tensor
from deepneuron.ops.elementwise import Elementwise


class Comparison(Elementwise):
    """y is True or False for each element; no gradient flows through it."""

    result = "bool"
    differentiable = False
    cases = (Case((2, 3), (2, 3)), Case((2, 3), (3,)), Case(np.arange(3), np.arange(3)))


@op
class equal(Comparison):
    """y = x1 == x2"""

    ufunc = np.equal

    def forward(self, x1, x2, /, out=None):
        return np.equal(x1, x2, out=out)


@op
class not_equal(Comparison):
    """y = x1 != x2"""

    ufunc = np.not_equal

    def forward(self, x1, x2, /, out=None):
        return np.not_equal(x1, x2, out=out)


@op
class greater(Comparison):
    """y = x1 > x2"""

    ufunc = np.greater

    def forward(self, x1, x2, /, out=None):
        return np.greater(x1, x2, out=out)


@op
class greater_equal(Comparison):
    """y = x1 >= x2"""

    ufunc = np.greater_equal

    def forward(self, x1, x2, /, out=None):
        return np.greater_equal(x1, x2, out=out)


@op
class less(Comparison):
    """y = x1 < x2"""

    ufunc = np.less

    def forward(self, x1, x2, /, out=None):
        return np.less(x1, x2, out=out)


@op
class less_equal(Comparison):
    """y = x1 <= x2"""

    ufunc = np.less_equal

    def forward(self, x1, x2, /, out=None):
        return np.less_equal(x1, x2, out=out)


@op
class select(Elementwise):
    """y = x1 where condition, else x2"""

    cases = (
        Case(np.array([[True, False, True]]), (2, 3), (2, 3)),
        Case(np.array([True, False, True]), (2, 3), ()),
        Case(*(np.array([bool(i & n) for i in range(8)]) for n in (1, 2, 4))),
    )

    def __init__(self):
        super().__init__()
        self.inplace = {0: (1, 2)}  # the condition is read after y was begun

    def prepare(self, inputs):
        condition, *xs = inputs
        return promote([condition], "bool") + promote(xs)

    def infer(self, condition, x1, x2, /):
        return super().infer(x1, condition, x2)

    def forward(self, condition, x1, x2, /, out=None):
        if out is None:
            return np.where(condition, x1, x2)
        if np.may_share_memory(out, x1):
            np.copyto(out, x2, where=np.logical_not(condition))
        else:
            if not np.may_share_memory(out, x2):
                np.copyto(out, x2)
            np.copyto(out, x1, where=condition)
        return out

    def gradient(self, node, dy):
        condition = node.inputs[0]
        return None, select(condition, dy, 0), select(condition, 0, dy)


def where(condition, x1=None, x2=None):
    """y = x1 where condition, else x2.

    Args:
        condition: booleans; its shape, x1's and x2's are broadcast together.
        x1, x2: values of any type.

    Returns:
        The chosen values; without x1 and x2 the indices of the true elements, one array
        for each axis.

    >>> import deepneuron as dn
    >>> dn.ops.where([True, False], [1.0, 2.0], [3.0, 4.0])
    array([1., 4.], dtype=float32)
    """
    if x1 is None and x2 is None:
        return np.nonzero(condition)
    return select(condition, x1, x2)


class Logical(Comparison):
    """y = f(x1, x2, ...) of truths; numbers count as true unless they are 0."""

    cases = (Case((2, 3), np.array([True, False, True])),)

    def prepare(self, inputs):
        return promote(inputs, "bool")


@op
class logical_and(Logical):
    """y = x1 and x2"""

    def forward(self, x1, x2, /, out=None):
        return np.logical_and(x1, x2, out=out)


@op
class logical_or(Logical):
    """y = x1 or x2"""

    def forward(self, x1, x2, /, out=None):
        return np.logical_or(x1, x2, out=out)


@op
class logical_xor(Logical):
    """y = either x1 or x2, but not both"""

    def forward(self, x1, x2, /, out=None):
        return np.logical_xor(x1, x2, out=out)


@op
class logical_not(Logical):
    """y = not x"""

    cases = (Case(np.array([True, False])),)

    def forward(self, x, /, out=None):
        return np.logical_not(x, out=out)


class _Finiteness(Comparison):
    cases = (Case(np.array([0.0, np.nan, np.inf, -np.inf])),)


@op
class isnan(_Finiteness):
    """y = whether x is NaN"""

    def forward(self, x, /, out=None):
        return np.isnan(x, out=out)


@op
class isinf(_Finiteness):
    """y = whether x is infinite"""

    def forward(self, x, /, out=None):
        return np.isinf(x, out=out)


@op
class isfinite(_Finiteness):
    """y = whether x is neither infinite nor NaN"""

    def forward(self, x, /, out=None):
        return np.isfinite(x, out=out)


def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """y = whether |x1 - x2| <= atol + rtol |x2|

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.isclose(np.array([1.0, 2.0]), np.array([1.0, 2.1]))
    array([ True, False])
    """
    x1, x2 = promote([as_array(x1), as_array(x2)])
    distance = registry["absolute"](registry["subtract"](x1, x2))
    bound = registry["add"](registry["multiply"](registry["absolute"](x2), rtol), atol)
    near = logical_and(less_equal(distance, bound), isfinite(x2))
    same = logical_or(near, equal(x1, x2))
    return logical_or(same, logical_and(isnan(x1), isnan(x2))) if equal_nan else same


def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """y = whether `isclose` holds everywhere"""
    return registry["all"](isclose(x1, x2, rtol, atol, equal_nan))


def is_tensor(x):
    """Whether x is something that operations compute with: a tensor or an array."""
    return isinstance(x, (Tensor, np.ndarray))
