"""From one type to another, and out of the graph."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type, standardize_dtype
from deepneuron.engine.op import Case, Op, Spec, as_array, op
from deepneuron.engine.tensor import Tensor


@op
class cast(Op):
    """y = x, in another type"""

    cases = (Case((2, 3), dtype="float64"), Case(np.arange(3), dtype="float32"))

    def infer(self, x, /, dtype):
        return Spec(x.shape, standardize_dtype(dtype))

    def forward(self, x, /, dtype, out=None):
        if out is None:
            return np.asarray(x).astype(standardize_dtype(dtype))
        np.copyto(out, x, casting="unsafe")
        return out

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (cast(dy, x.dtype),)


@op
class identity_value(Op):
    """y = x"""

    inplace = {0: (0,)}
    cases = (Case((2, 3)),)

    def infer(self, x, /):
        return Spec(x.shape, x.dtype)

    def forward(self, x, /, out=None):
        if out is None:
            return np.array(x)
        np.copyto(out, x)
        return out

    def gradient(self, node, dy):
        return (dy,)


@op
class stop_gradient(Op):
    """y = x, and dx = 0: what lies before it is not blamed for the loss"""

    view = True
    differentiable = False
    cases = (Case((2, 3)),)

    def infer(self, variable, /):
        return Spec(variable.shape, variable.dtype)

    def forward(self, variable, /, out=None):
        if out is None:
            return variable
        np.copyto(out, variable)
        return out


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """An array, or the tensor x itself, in the type asked for.

    Args:
        x: numbers, lists, arrays or a tensor; Python floats become `floatx()`.
        dtype: the type wanted; None keeps that of x.
        sparse, ragged: accepted as in Keras; everything here is dense.

    >>> import deepneuron as dn
    >>> dn.ops.convert_to_tensor([1.0, 2.0]).dtype
    dtype('float32')
    """
    x = as_array(x)
    if not isinstance(x, (Tensor, np.ndarray)):
        x = as_array([x])[0]
        x = np.asarray(x)
    if dtype is None:
        return x
    return x if x.dtype == standardize_dtype(dtype) else cast(x, dtype)


def as_floats(x):
    """x as an array or tensor; integers become `floatx()`."""
    x = convert_to_tensor(x)
    return x if is_float(x.dtype) else cast(x, result_type(x.dtype, float))


def convert_to_numpy(x):
    """The value of x as an array of its own.

    >>> import deepneuron as dn
    >>> dn.ops.convert_to_numpy(dn.Variable([1.0]))
    array([1.], dtype=float32)
    """
    return np.array(x)


def array(x, dtype=None):
    """`convert_to_tensor`, by NumPy's name."""
    return convert_to_tensor(x, dtype)


def copy(x):
    """y = x, in memory of its own."""
    return identity_value(x)


def dtype(x):
    """The name of x's type."""
    return standardize_dtype(as_array(x).dtype if hasattr(x, "dtype") else type(x))
