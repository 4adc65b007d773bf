"""Many values become one: sums, means, extremes."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type, standardize_dtype
from deepneuron.engine.op import Case, Op, Spec, op, promote, registry
from deepneuron.ops.joining import flip
from deepneuron.ops.logic import equal
from deepneuron.ops.shape import axes_of, broadcast_to, moveaxis, reshape
from deepneuron.ops.types import as_floats, cast, convert_to_tensor, stop_gradient


class Reduction(Op):
    """y = f of x's values along `axis` (None: of all), which vanishes or stays as 1."""

    cases = (
        Case((2, 3)),
        Case((2, 3), axis=0),
        Case((2, 3, 4), axis=(0, -1)),
        Case((2, 3), axis=1, keepdims=True),
    )

    def infer(self, x, /, axis=None, keepdims=False):
        axes = axes_of(axis, len(x.shape))
        shape = tuple(
            1 if i in axes else n
            for i, n in enumerate(x.shape)
            if keepdims or i not in axes
        )
        return Spec(shape, self.result_dtype(x.dtype))

    def result_dtype(self, dtype: str) -> str:
        return dtype


def spread(node, dy):
    """dy over the shape of x again: a reduction's axes come back, as copies."""
    (x,) = node.inputs
    axes = axes_of(node.attrs["axis"], x.ndim)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    return broadcast_to(reshape(dy, kept), x.shape)


@op
class sum(Reduction):
    """y = sum of x along axis"""

    def result_dtype(self, dtype):
        # Small integers would overflow at once.
        if dtype in ("bool", "int8", "int16"):
            return "int32"
        return "uint32" if dtype in ("uint8", "uint16") else dtype

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return self.bind(x, axis=axis, keepdims=keepdims, out=out)()

    def bind(self, x, /, axis=None, keepdims=False, *, out):
        dtype = self.result_dtype(x.dtype.name)
        # What np.sum calls, in half the time for small x.
        return partial(np.add.reduce, x, _tuple(axis), dtype, out, keepdims)

    def gradient(self, node, dy):
        return (spread(node, dy),)


@op
class mean(Reduction):
    """y = sum of x along axis / number of values"""

    def prepare(self, inputs):
        (x,) = inputs
        x = np.asarray(x) if isinstance(x, (int, float)) else x
        return [x] if is_float(x.dtype) else promote([x], result_type(x.dtype, float))

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        if x.dtype == "float16":  # the sum would overflow
            return np.mean(x, axis=_tuple(axis), keepdims=keepdims, out=out)
        axes = axes_of(axis, x.ndim)
        total = np.add.reduce(x, axes, None, out, keepdims)
        return np.divide(total, math.prod(x.shape[a] for a in axes), out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        axes = axes_of(node.attrs["axis"], x.ndim)
        return (spread(node, dy / (math.prod(x.shape[a] for a in axes) or 1)),)


def _tuple(axis):
    """NumPy would let axis=0 of a number pass, but not axis=(0,)."""
    if axis is None:
        return None
    return tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)


class _Extreme(Reduction):
    cases = (
        *Reduction.cases,
        Case(np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]), axis=1, smooth=False),
    )

    def gradient(self, node, dy):
        (x,), (y,) = node.inputs, node.outputs
        axis = node.attrs["axis"]
        hit = cast(equal(x, spread(node, y)), x.dtype)
        # Where several are the extreme, they share the gradient.
        return (hit * spread(node, dy) / sum(hit, axis=axis, keepdims=True),)


@op
class largest(_Extreme):
    """y = the largest x along axis"""

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return np.max(x, axis=_tuple(axis), keepdims=keepdims, out=out)


@op
class smallest(_Extreme):
    """y = the smallest x along axis"""

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return np.min(x, axis=_tuple(axis), keepdims=keepdims, out=out)


def max(x, axis=None, keepdims=False, initial=None):
    """y = the largest x along axis; equals share the gradient.

    Args:
        x: values.
        axis: one, several, or (None) all of them.
        keepdims: whether the axis stays, with size 1.
        initial: y is at least this.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.max(np.array([[1.0, 5.0], [7.0, 2.0]]), axis=1)
    array([5., 7.])
    """
    y = largest(x, axis=axis, keepdims=keepdims)
    return y if initial is None else registry["maximum"](y, initial)


def min(x, axis=None, keepdims=False, initial=None):
    """y = the smallest x along axis; equals share the gradient.

    Args:
        x: values.
        axis: one, several, or (None) all of them.
        keepdims: whether the axis stays, with size 1.
        initial: y is at most this.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.min(np.array([[1.0, 5.0], [7.0, 2.0]]), axis=1)
    array([1., 2.])
    """
    y = smallest(x, axis=axis, keepdims=keepdims)
    return y if initial is None else registry["minimum"](y, initial)


def amax(x, axis=None, keepdims=False):
    """y = the largest x along axis, another name for `max`."""
    return max(x, axis=axis, keepdims=keepdims)


def amin(x, axis=None, keepdims=False):
    """y = the smallest x along axis, another name for `min`."""
    return min(x, axis=axis, keepdims=keepdims)


@op
class prod(Reduction):
    """y = product of x along axis, in the type asked for"""

    def infer(self, x, /, axis=None, keepdims=False, dtype=None):
        spec = super().infer(x, axis=axis, keepdims=keepdims)
        return spec if dtype is None else Spec(spec.shape, standardize_dtype(dtype))

    def result_dtype(self, dtype):
        return sum.result_dtype(dtype)

    def forward(self, x, /, axis=None, keepdims=False, dtype=None, out=None):
        dtype = dtype or self.result_dtype(x.dtype.name)
        return np.prod(x, axis=_tuple(axis), dtype=dtype, keepdims=keepdims, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (spread(node, dy) * product_of_others(x, axis=node.attrs["axis"]),)


@op
class product_of_others(Op):
    """y = the product of the others along axis: right where x is 0, unlike prod / x"""

    cases = (Case((2, 3), axis=1), Case((2, 3), axis=None))

    def infer(self, x, /, axis):
        return Spec(x.shape, x.dtype)

    def forward(self, x, /, axis, out=None):
        axes = axes_of(axis, x.ndim)
        last = tuple(range(-len(axes), 0))
        rows = np.moveaxis(x, axes, last)
        count = math.prod(x.shape[a] for a in axes)
        flat = rows.reshape(*rows.shape[: x.ndim - len(axes)], count)
        before, after = np.ones_like(flat), np.ones_like(flat)
        np.cumprod(flat[..., :-1], axis=-1, out=before[..., 1:])
        np.cumprod(flat[..., :0:-1], axis=-1, out=after[..., -2::-1])
        y = np.moveaxis((before * after).reshape(rows.shape), last, axes)
        if out is None:
            return np.array(y, order="C")
        np.copyto(out, y)
        return out

    def gradient(self, node, dy):
        # y[i] is the product of row i of x's copies in which x[i] was replaced by 1.
        (x,) = node.inputs
        axes = axes_of(node.attrs["axis"], x.ndim)
        last = tuple(range(-len(axes), 0))
        count = math.prod(x.shape[a] for a in axes)
        rows, dy = moveaxis(x, axes, last), moveaxis(dy, axes, last)
        flat = (*rows.shape[: x.ndim - len(axes)], count)
        keep = 1 - np.eye(count, dtype=x.dtype)
        copies = reshape(rows, (*flat[:-1], 1, count)) * keep + np.eye(
            count, dtype=x.dtype
        )
        shares = reshape(dy, (*flat, 1)) * keep * product_of_others(copies, axis=-1)
        dx = reshape(sum(shares, axis=-2), rows.shape)
        return (moveaxis(dx, last, axes),)


class _Truth(Reduction):
    """Numbers count as true unless they are 0."""

    differentiable = False

    def prepare(self, inputs):
        return promote(inputs, "bool")


@op
class any(_Truth):
    """y = whether one x along axis is true"""

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return np.any(x, axis=_tuple(axis), keepdims=keepdims, out=out)


@op
class all(_Truth):
    """y = whether every x along axis is true"""

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return np.all(x, axis=_tuple(axis), keepdims=keepdims, out=out)


@op
class cumulative_sum(Op):
    """y[i] = x[0] + ... + x[i] along axis"""

    cases = (Case((2, 3), axis=1), Case((2, 3), axis=0))

    def infer(self, x, /, axis):
        return Spec(x.shape, x.dtype)

    def forward(self, x, /, axis, out=None):
        return np.cumsum(x, axis, dtype=x.dtype, out=out)

    def gradient(self, node, dy):
        axis = node.attrs["axis"]
        return (flip(cumulative_sum(flip(dy, axis), axis=axis), axis),)


def cumsum(x, axis=None, dtype=None):
    """y[i] = x[0] + ... + x[i] along axis; None: all values in a row.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.cumsum(np.array([1.0, 2.0, 3.0]))
    array([1., 3., 6.])
    """
    x = convert_to_tensor(x, dtype)
    if x.dtype == "bool":
        x = cast(x, "int32")
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    (axis,) = axes_of(axis, len(x.shape))
    return cumulative_sum(x, axis=axis)


def var(x, axis=None, keepdims=False):
    """y = mean of (x - mean x)^2 along axis

    >>> import numpy as np, deepneuron as dn
    >>> float(dn.ops.var(np.array([1.0, 3.0])))
    1.0
    """
    centred = registry["subtract"](x, mean(x, axis=axis, keepdims=True))
    return mean(registry["square"](centred), axis=axis, keepdims=keepdims)


def std(x, axis=None, keepdims=False):
    """y = the root of the variance of x along axis"""
    return registry["sqrt"](var(x, axis=axis, keepdims=keepdims))


def logsumexp(x, axis=None, keepdims=False):
    """y = log sum of e^x along axis, without overflow

    >>> import numpy as np, deepneuron as dn
    >>> round(float(dn.ops.logsumexp(np.array([1000.0, 1000.0]))), 3)
    1000.693
    """
    x = as_floats(x)  # differences of unsigned integers are never negative
    top = stop_gradient(max(x, axis=axis, keepdims=True))
    top = registry["select"](registry["isfinite"](top), top, 0)
    terms = registry["exp"](registry["subtract"](x, top))
    y = registry["add"](registry["log"](sum(terms, axis=axis, keepdims=True)), top)
    return y if keepdims else reshape(y, without(y.shape, axis))


def count_nonzero(x, axis=None):
    """y = how many x along axis are not 0"""
    return sum(cast(registry["not_equal"](x, 0), "int32"), axis=axis)


def average(x, axis=None, weights=None):
    """y = sum of weights * x along axis / sum of weights; without weights the mean

    >>> import numpy as np, deepneuron as dn
    >>> float(dn.ops.average(np.array([1.0, 4.0]), weights=np.array([2.0, 1.0])))
    2.0
    """
    if weights is None:
        return mean(x, axis=axis)
    x, weights = convert_to_tensor(x), convert_to_tensor(weights)
    if weights.shape != x.shape and axis is not None:
        kept = [1] * len(x.shape)
        kept[axis] = -1
        weights = reshape(weights, tuple(kept))
    weighted = registry["multiply"](x, weights)
    return registry["divide"](sum(weighted, axis=axis), sum(weights, axis=axis))


def without(shape, axis):
    """A shape without some of its axes; one unknown size may stay as -1."""
    axes = axes_of(axis, len(shape))
    left = tuple(n for i, n in enumerate(shape) if i not in axes)
    return (
        tuple(-1 if n is None else n for n in left) if left.count(None) == 1 else left
    )
