"""Parts of a tensor: by position, by slices, by arrays of positions.

Every operation that reads has one that writes beside it, and each is the other's
gradient: what was read from a place sends its gradient back there. A place that was
read twice gets both gradients, summed.
"""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ArgumentError, CaptureError, ShapeError
from deepneuron.ops.elementwise import broadcast_shapes
from deepneuron.ops.shape import axes_of, ravel, reshape
from deepneuron.ops.types import cast, convert_to_tensor

_slice = slice  # Python's own; below, `slice` is Keras's function

# --- whole numbers and slices


@op
class getitem(Op):
    """y = x[key]: whole numbers, slices, None (a new axis), ... (all axes between)"""

    cases = (
        Case((4, 3), key=1),
        Case((4, 3), key=(_slice(1, 3), -1)),
        Case((4, 3, 2), key=(Ellipsis, None, 0)),
        Case((5,), key=_slice(None, None, -2)),
    )

    def infer(self, x, /, key):
        if math.prod(x.shape) >= _MOST:
            return Spec(_axis_by_axis(x.shape, key), x.dtype)
        probe = np.broadcast_to(np.empty((), "bool"), x.shape)  # no memory behind it
        return Spec(probe[key].shape, x.dtype)

    def forward(self, x, /, key, out=None):
        if out is None:
            return np.array(x[key])
        np.copyto(out, x[key])
        return out

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (setitem_zeros(dy, shape=x.shape, key=node.attrs["key"]),)


_MOST = 2**62  # NumPy knows no array with more elements, not even without memory


def _axis_by_axis(shape, key):
    """The shape of x[key], where several unknown sizes make x too large for NumPy."""
    parts = list(key) if isinstance(key, tuple) else [key]
    used = len(parts) - parts.count(None) - parts.count(Ellipsis)
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    parts[at : at + 1] = [_slice(None)] * (len(shape) - used)
    sizes, result = iter(shape), ()
    for part in parts:
        size = () if part is None else next(sizes)
        result += np.broadcast_to(np.empty((), "bool"), size)[part].shape
    return result


@op
class setitem_zeros(Op):
    """y = 0 everywhere, but y[key] = x"""

    cases = (Case((3,), shape=(4, 3), key=1),)

    def infer(self, x, /, shape, key):
        return Spec(tuple(shape), x.dtype)

    def forward(self, x, /, shape, key, out=None):
        y = np.empty(shape, x.dtype) if out is None else out
        y[...] = 0
        y[key] = x
        return y

    def gradient(self, node, dy):
        return (getitem(dy, node.attrs["key"]),)


@op
class setitem(Op):
    """y = x, but y[key] = the update"""

    inplace = {0: (0,)}
    cases = (Case((4, 3), (3,), key=1), Case((4, 3), (2, 3), key=_slice(0, 2)))

    def infer(self, x, update, /, key):
        place = getitem.infer(x, key).shape
        if broadcast_shapes("setitem", update.shape, place) != place:
            raise ShapeError(
                f"setitem: an update of shape {tuple(update.shape)} does not fit into "
                f"x[key] of shape {place}."
            )
        return Spec(x.shape, x.dtype)

    def forward(self, x, update, /, key, out=None):
        y = np.array(x) if out is None else out
        if y is not x:
            np.copyto(y, x)
        y[key] = update
        return y

    def gradient(self, node, dy):
        _, update = node.inputs
        dupdate = getitem(dy, node.attrs["key"])
        return setitem(dy, np.zeros(update.shape, dy.dtype), **node.attrs), dupdate


# --- arrays of positions along one axis


@op
class gather(Op):
    """y = x at `indices` along an axis; the shape of indices takes that axis's place

    x: (..., n, ...), indices: any shape of whole numbers from -n to n - 1
    """

    cases = (
        Case((4, 3), np.array([0, 2, 2, -1]), axis=0),
        Case((2, 4), np.array([[0, 3], [1, 1]]), axis=1),
    )

    def infer(self, x, indices, /, axis):
        shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
        return Spec(shape, x.dtype)

    def forward(self, x, indices, /, axis, out=None):
        n = x.shape[axis]
        if indices.size and (indices.min() < -n or indices.max() >= n):
            wrong = indices[(indices < -n) | (indices >= n)].flat[0]
            raise ArgumentError(
                f"take: the position {wrong} lies outside of an axis of size {n} (axis "
                f"{axis} of shape {x.shape}); positions go from 0 to {n - 1}."
            )
        # "wrap" gives negative positions their meaning, and needs no buffer.
        return np.take(x, indices, axis, out=out, mode="wrap")

    def gradient(self, node, dy):
        x, indices = node.inputs
        axis = node.attrs["axis"]
        return scatter_add(dy, indices, size=x.shape[axis], axis=axis), None


@op
class scatter_add(Op):
    """y = 0 along an axis of a given size, and the xs added where `indices` says"""

    cases = (
        Case((4, 3), np.array([0, 2, 2, -1]), size=5, axis=0),
        Case((2, 2, 2), np.array([[0, 3], [1, 1]]), size=4, axis=1),
    )

    def infer(self, x, indices, /, size, axis):
        shape = (*x.shape[:axis], size, *x.shape[axis + len(indices.shape) :])
        return Spec(shape, x.dtype)

    def forward(self, x, indices, /, size, axis, out=None):
        shape = self.infer(x, indices, size, axis).shape
        y = np.empty(shape, x.dtype) if out is None else out
        y[...] = 0
        np.add.at(y, (*(_slice(None),) * axis, indices), x)
        return y

    def gradient(self, node, dy):
        _, indices = node.inputs
        return gather(dy, indices, axis=node.attrs["axis"]), None


@op
class gather_along(Op):
    """y[i, j] = x[i, indices[i, j]] (for the last axis; `axis` may be another)"""

    cases = (
        Case((2, 4), np.array([[3, 0], [1, 1]]), axis=1),
        Case((3, 2), np.array([[2, 0], [-1, 1]]), axis=0),
    )

    def infer(self, x, indices, /, axis):
        shapes = x.shape, indices.shape
        before = broadcast_shapes(self.name, *(s[:axis] for s in shapes))
        after = broadcast_shapes(self.name, *(s[axis + 1 :] for s in shapes))
        return Spec((*before, indices.shape[axis], *after), x.dtype)

    def forward(self, x, indices, /, axis, out=None):
        y = np.take_along_axis(x, indices.astype(np.intp), axis)
        if out is None:
            return y
        np.copyto(out, y)
        return out

    def gradient(self, node, dy):
        x, indices = node.inputs
        axis = node.attrs["axis"]
        return scatter_along(dy, indices, shape=x.shape, axis=axis), None


@op
class scatter_along(Op):
    """y[i, indices[i, j]] = the sum of the x[i, j] that name this place, else 0"""

    cases = (
        Case((2, 2), np.array([[3, 0], [1, 1]]), shape=(2, 4), axis=1),
        Case((2, 2), np.array([[2, 0], [-1, 1]]), shape=(3, 2), axis=0),
    )

    def infer(self, x, indices, /, shape, axis):
        return Spec(tuple(shape), x.dtype)

    def forward(self, x, indices, /, shape, axis, out=None):
        y = np.empty(shape, x.dtype) if out is None else out
        y[...] = 0
        where = [
            np.zeros(1, np.intp) if shape[i] == 1 != n else np.arange(n)
            for i, n in enumerate(x.shape)
        ]
        grid = list(np.ix_(*where))
        grid[axis] = indices
        np.add.at(y, tuple(grid), x)
        return y

    def gradient(self, node, dy):
        _, indices = node.inputs
        return gather_along(dy, indices, axis=node.attrs["axis"]), None


# --- arrays of positions along several axes: x[rows, columns]

_ARRAY = "array"  # stands in a key where one of the arrays belongs


@op
class getitem_at(Op):
    """y = x[key], where key holds arrays of positions as well"""

    cases = (
        Case((4, 3), np.array([0, 2, 2]), np.array([1, 1, 0]), key=(_ARRAY, _ARRAY)),
        Case((4, 3, 2), np.array([0, -1]), key=(_slice(1, 3), _ARRAY)),
    )

    def infer(self, *inputs, key):
        x, *arrays = inputs
        probe = np.broadcast_to(np.empty((), "bool"), x.shape)
        at = _filled(key, [np.zeros(a.shape, np.intp) for a in arrays])
        return Spec(probe[at].shape, x.dtype)

    def forward(self, *inputs, key, out=None):
        x, *arrays = inputs
        y = x[_filled(key, arrays)]
        if out is None:
            return np.array(y)
        np.copyto(out, y)
        return out

    def gradient(self, node, dy):
        x, *arrays = node.inputs
        key = node.attrs["key"]
        return setitem_at(dy, *arrays, shape=x.shape, key=key), *(None for _ in arrays)


@op
class setitem_at(Op):
    """y = 0, and x added at y[key], where key holds arrays of positions as well"""

    cases = (
        Case(
            (3,), np.array([0, 2, 2]), np.array([1, 1, 0]),
            shape=(4, 3), key=(_ARRAY, _ARRAY),
        ),
    )  # fmt: skip

    def infer(self, *inputs, shape, key):
        return Spec(tuple(shape), inputs[0].dtype)

    def forward(self, *inputs, shape, key, out=None):
        x, *arrays = inputs
        y = np.empty(shape, x.dtype) if out is None else out
        y[...] = 0
        np.add.at(y, _filled(key, arrays), x)
        return y

    def gradient(self, node, dy):
        _, *arrays = node.inputs
        key = node.attrs["key"]
        return getitem_at(dy, *arrays, key=key), *(None for _ in arrays)


def _filled(key, arrays):
    arrays = iter(arrays)
    return tuple(next(arrays) if k == _ARRAY else k for k in key)


# --- the public functions


def get_item(x, key):
    """y = x[key]: whole numbers, slices, None, ..., and arrays of whole numbers.

    Raises:
        CaptureError: an array of booleans for a tensor without a value, because the
            shape of the result would depend on it.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.get_item(np.arange(6).reshape(2, 3), (..., 1))
    array([1, 4])
    """
    parts = list(key) if isinstance(key, tuple) else [key]
    arrays = []
    for i, k in enumerate(parts):
        if isinstance(k, (list, np.ndarray, Tensor)):
            places = convert_to_tensor(k)
            if places.dtype == "bool":
                if isinstance(places, Tensor) and places.value_or_none() is None:
                    raise CaptureError(
                        "x[booleans]: how many are true is not known while a graph is "
                        "captured. Use ops.where, or compile(run_eagerly=True)."
                    )
                found = np.nonzero(np.asarray(places))
                rest = parts[i + 1 :]
                return get_item(x, (*parts[:i], *found, *rest))
            arrays.append(places)
            parts[i] = _ARRAY
        elif isinstance(k, np.integer):
            parts[i] = int(k)
    if arrays:
        return getitem_at(x, *arrays, key=tuple(parts))
    return getitem(x, tuple(parts) if isinstance(key, tuple) else parts[0])


def take(x, indices, axis=None):
    """y = x at `indices` along axis (None: of all values in a row).

    Args:
        x: values; a table of vectors, (n, units), for an embedding.
        indices: whole numbers from -n to n - 1, of any shape.
        axis: along which they count.

    Returns:
        The shape of x, with that of indices in the place of the axis.

    Raises:
        ArgumentError: a position outside of the axis.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.take(np.array([10.0, 20.0, 30.0]), [2, 0])
    array([30., 10.])
    """
    x, indices = convert_to_tensor(x), cast(indices, "int32")
    if axis is None:
        x, axis = ravel(x), 0
    (axis,) = axes_of(axis, len(x.shape))
    return gather(x, indices, axis=axis)


def take_along_axis(x, indices, axis=None):
    """y[i, j] = x[i, indices[i, j]], where the axis is the last; None: all in a row.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.take_along_axis(
    ...     np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]), 1
    ... )
    array([[2.],
           [3.]])
    """
    x, indices = convert_to_tensor(x), cast(indices, "int32")
    if axis is None:
        return gather_along(ravel(x), ravel(indices), axis=0)
    (axis,) = axes_of(axis, len(x.shape))
    return gather_along(x, indices, axis=axis)


def slice_update(inputs, start_indices, updates):
    """y = inputs, with `updates` written at a position.

    Args:
        inputs: (...)
        start_indices: for each axis the position of the first updated element.
        updates: as many axes, no larger.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.slice_update(np.zeros(4), [1], np.ones(2))
    array([0., 1., 1., 0.])
    """
    x, updates = convert_to_tensor(inputs), convert_to_tensor(updates)
    starts = [int(s) for s in start_indices]
    key = tuple(_slice(s, s + n) for s, n in zip(starts, updates.shape, strict=True))
    return setitem(x, cast(updates, x.dtype), key=key)


def slice(inputs, start_indices, shape):
    """y = the part of inputs that begins at a position and has a shape; -1: the rest.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.slice(np.arange(6).reshape(2, 3), [0, 1], [2, 1]).ravel()
    array([1, 4])
    """
    x = convert_to_tensor(inputs)
    starts = [int(s) for s in start_indices]
    key = tuple(
        _slice(s, None if n == -1 else s + n)
        for s, n in zip(starts, shape, strict=True)
    )
    return getitem(x, key)


def nonzero(x):
    """The positions of x's elements that are not 0, one array (int32) for each axis.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.nonzero(np.array([0.0, 3.0, 4.0]))
    (array([1, 2], dtype=int32),)
    """
    return tuple(found.astype("int32") for found in np.nonzero(np.asarray(x)))


def expand_index(indices):
    """indices with one more axis, to go along the last axis of something."""
    return reshape(indices, (*(-1 if n is None else n for n in indices.shape), 1))
