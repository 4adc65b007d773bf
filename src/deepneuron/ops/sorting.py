"""Orders: which element is the largest, and which come first."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.engine.workspace import scratch
from deepneuron.ops.indexing import expand_index, take_along_axis
from deepneuron.ops.logic import equal, greater, isnan, logical_and, where
from deepneuron.ops.reduction import sum
from deepneuron.ops.shape import axes_of, ravel, squeeze
from deepneuron.ops.types import cast, convert_to_tensor


class _Position(Op):
    """The first position along `axis` (None: of all values in a row) of an extreme."""

    differentiable = False
    cases = (
        Case((2, 3)),
        Case((2, 3), axis=1),
        Case((2, 3), axis=0, keepdims=True),
        Case(np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 0.0]]), axis=-1),
    )

    def infer(self, x, /, axis=None, keepdims=False):
        ndim = len(x.shape)
        axes = axes_of(axis, ndim)
        shape = (
            1 if i in axes else n
            for i, n in enumerate(x.shape)
            if keepdims or i not in axes
        )
        return Spec(tuple(shape), "int32")

    def position(self, x, axis, keepdims, out):
        shape = self.infer(x, axis, keepdims).shape
        found = scratch(shape, np.intp)  # the only type that NumPy answers in
        self.numpy(x, axis=axis, keepdims=keepdims, out=found)
        if out is None:
            return found.astype("int32")
        np.copyto(out, found, casting="unsafe")
        return out


@op
class argmax(_Position):
    """y = the first position of the largest x along axis"""

    numpy = staticmethod(np.argmax)

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return self.position(x, axis, keepdims, out)


@op
class argmin(_Position):
    """y = the first position of the smallest x along axis"""

    numpy = staticmethod(np.argmin)

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return self.position(x, axis, keepdims, out)


@op
class argsort_along(Op):
    """y = the positions along axis that put x in order; equals keep theirs"""

    differentiable = False
    cases = (Case((2, 5)), Case((4, 2), axis=0), Case((2, 5), descending=True))

    def infer(self, x, /, axis=-1, descending=False):
        return Spec(x.shape, "int32")

    def forward(self, x, /, axis=-1, descending=False, out=None):
        if descending:  # turned round twice: of equals the first stays the first
            n = x.shape[axis]
            order = n - 1 - np.flip(np.argsort(np.flip(x, axis), axis, "stable"), axis)
        else:
            order = np.argsort(x, axis, "stable")
        if out is None:
            return order.astype("int32")
        np.copyto(out, order, casting="unsafe")
        return out


def argsort(x, axis=-1):
    """y = the positions that put x in order along axis (None: all values in a row).

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.argsort(np.array([3.0, 1.0, 2.0]))
    array([1, 2, 0], dtype=int32)
    """
    x = convert_to_tensor(x)
    return argsort_along(ravel(x)) if axis is None else argsort_along(x, axis=axis)


def sort(x, axis=-1):
    """y = x in ascending order along axis (None: all values in a row).

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.sort(np.array([3.0, 1.0, 2.0]))
    array([1., 2., 3.])
    """
    x = convert_to_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    return take_along_axis(x, argsort_along(x, axis=axis), axis)


def top_k(x, k, sorted=True):
    """(values, indices) of the k largest along the last axis, the largest first.

    Args:
        x: (..., n)
        k: how many.
        sorted: without effect: they are always in order.

    Returns:
        Two of shape (..., k): what they are, and where they stand (int32).

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.top_k(np.array([1.0, 3.0, 2.0]), 2)
    (array([3., 2.]), array([1, 2], dtype=int32))
    """
    x = convert_to_tensor(x)
    indices = argsort_along(x, descending=True)[..., :k]
    return take_along_axis(x, indices, -1), indices


def in_top_k(targets, predictions, k):
    """y[i] = whether fewer than k predictions are larger than that of the target

    Args:
        targets: (batch,), whole numbers.
        predictions: (batch, classes)
        k: how many places count.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.in_top_k(
    ...     np.array([0, 2]), np.array([[0.9, 0.1, 0.0], [0.5, 0.4, 0.1]]), 1
    ... )
    array([ True, False])
    """
    predictions = convert_to_tensor(predictions)
    at = expand_index(cast(targets, "int32"))
    score = take_along_axis(predictions, at, -1)  # (batch, 1)
    larger = sum(cast(greater(predictions, score), "int32"), axis=-1)
    known = squeeze(equal(isnan(score), False), -1)
    return logical_and(larger < k, known)


__all__ = ["argmax", "argmin", "argsort", "in_top_k", "sort", "top_k", "where"]
