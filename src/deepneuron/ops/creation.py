"""Values out of nothing: constants, ranges, and the ones and zeros of a class label."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.dtypes import result_type, standardize_dtype
from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ArgumentError
from deepneuron.ops.logic import where
from deepneuron.ops.types import convert_to_tensor


@op
class fill_like(Op):
    """y = the number `value`, everywhere, in the shape of x"""

    differentiable = False
    cases = (Case((2, 3), value=2.0, dtype="float32"), Case((), value=1, dtype="int32"))

    def infer(self, x, /, value, dtype):
        return Spec(x.shape, dtype)

    def forward(self, x, /, value, dtype, out=None):
        y = np.empty(x.shape, dtype) if out is None else out
        y[...] = value
        return y


@op
class one_hot_value(Op):
    """y[..., k] = 1 where x = k, else 0; the new axis stands at `axis`"""

    differentiable = False
    cases = (
        Case(np.array([0, 2, -1, 3]), classes=3, axis=-1, dtype="float32"),
        Case(np.array([[0, 1], [1, 1]]), classes=2, axis=0, dtype="int32"),
    )

    def infer(self, x, /, classes, axis, dtype):
        shape = list(x.shape)
        shape.insert(axis if axis >= 0 else axis + len(shape) + 1, classes)
        return Spec(tuple(shape), dtype)

    def forward(self, x, /, classes, axis, dtype, out=None):
        shape = self.infer(x, classes, axis, dtype).shape
        y = np.empty(shape, dtype) if out is None else out
        last = np.moveaxis(y, axis, -1)
        hit = scratch(x.shape, "bool")
        for k in range(classes):
            last[..., k] = np.equal(x, k, out=hit)
        return y


def zeros(shape, dtype=None):
    """y = 0, in a given shape.

    >>> import deepneuron as dn
    >>> dn.ops.zeros((2,))
    array([0., 0.], dtype=float32)
    """
    return np.zeros(shape, standardize_dtype(dtype))


def ones(shape, dtype=None):
    """y = 1, in a given shape.

    >>> import deepneuron as dn
    >>> dn.ops.ones((2,), "int32")
    array([1, 1], dtype=int32)
    """
    return np.ones(shape, standardize_dtype(dtype))


def full(shape, fill_value, dtype=None):
    """y = fill_value, in a given shape.

    >>> import deepneuron as dn
    >>> dn.ops.full((2,), 0.5)
    array([0.5, 0.5], dtype=float32)
    """
    value = convert_to_tensor(fill_value, dtype)
    return np.full(shape, value, value.dtype)


def empty(shape, dtype=None):
    """y of a given shape; here its values are 0, so that a run can be repeated."""
    return zeros(shape, dtype)


def zeros_like(x, dtype=None):
    """y = 0, in the shape of x (and its type, by default)."""
    return full_like(x, 0, dtype)


def ones_like(x, dtype=None):
    """y = 1, in the shape of x (and its type, by default)."""
    return full_like(x, 1, dtype)


def empty_like(x, dtype=None):
    """y in the shape of x; here its values are 0, so that a run can be repeated."""
    return full_like(x, 0, dtype)


def full_like(x, fill_value, dtype=None):
    """y = fill_value, in the shape of x (and its type, by default).

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.full_like(np.zeros(2), 3)
    array([3., 3.])
    """
    x = convert_to_tensor(x)
    return fill_like(x, value=fill_value, dtype=standardize_dtype(dtype or x.dtype))


def arange(start, stop=None, step=None, dtype=None):
    """y = start, start + step, ... without reaching stop; from 0 if only one is given.

    >>> import deepneuron as dn
    >>> dn.ops.arange(3)
    array([0, 1, 2], dtype=int32)
    """
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if dtype is None:
        kinds = (getattr(n, "dtype", type(n)) for n in (start, stop, step))
        dtype = result_type(*kinds)
    return np.arange(start, stop, step).astype(standardize_dtype(dtype))


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """y = `num` values from start to stop, at equal distances.

    >>> import deepneuron as dn
    >>> dn.ops.linspace(0, 1, 3)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    if dtype is None:
        kinds = (getattr(n, "dtype", type(n)) for n in (start, stop))
        dtype = result_type(*kinds, float)
    y, step = np.linspace(start, stop, num, endpoint, True, None, axis)
    y = y.astype(standardize_dtype(dtype))
    return (y, step) if retstep else y


def eye(N, M=None, k=0, dtype=None):
    """y[i, i + k] = 1, else 0; N rows and M (by default N) columns.

    >>> import deepneuron as dn
    >>> dn.ops.eye(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return np.eye(N, M, k, standardize_dtype(dtype))


def identity(n, dtype=None):
    """y[i, i] = 1, else 0; n rows and columns."""
    return eye(n, dtype=dtype)


def tri(N, M=None, k=0, dtype=None):
    """y[i, j] = 1 where j <= i + k, else 0."""
    return np.tri(N, M, k, standardize_dtype(dtype))


def tril(x, k=0):
    """y = x on and below its k-th diagonal, 0 above.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.tril(np.ones((2, 2)))
    array([[1., 0.],
           [1., 1.]])
    """
    x = convert_to_tensor(x)
    return where(np.tri(*x.shape[-2:], k, dtype="bool"), x, np.zeros((), x.dtype))


def triu(x, k=0):
    """y = x on and above its k-th diagonal, 0 below."""
    x = convert_to_tensor(x)
    return where(np.tri(*x.shape[-2:], k - 1, dtype="bool"), np.zeros((), x.dtype), x)


def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """y[..., k] = 1 where x = k, else 0

    Args:
        x: whole numbers; those outside of 0 ... num_classes - 1 get zeros only.
        num_classes: how many k there are.
        axis: where the new axis stands in y.
        dtype: of y; `floatx()` by default.
        sparse: only False.

    >>> import deepneuron as dn
    >>> dn.ops.one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    if sparse:
        raise ArgumentError("one_hot: sparse=True is not supported; all is dense here.")
    return one_hot_value(
        x, classes=num_classes, axis=axis, dtype=standardize_dtype(dtype)
    )
