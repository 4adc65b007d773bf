"""The same values under another shape, or their axes in another order."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.engine.threads import share
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ShapeError


@op
class reshape(Op):
    """y = the values of x in the same order, under another shape; -1 is what is left"""

    view = True
    cases = (Case((2, 6), newshape=(3, 4)), Case((2, 6), newshape=(-1,)))

    def infer(self, x, /, newshape):
        newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
        size = math.prod(x.shape)
        known = math.prod(n for n in newshape if n != -1)
        if -1 in newshape and known and size % known == 0:
            newshape = tuple(size // known if n == -1 else n for n in newshape)
        if math.prod(newshape) != size:
            raise ShapeError(
                f"reshape: {size} values of shape {tuple(x.shape)} do not fill the "
                f"shape {newshape}."
            )
        return Spec(newshape, x.dtype)

    def forward(self, x, /, newshape, out=None):
        y = np.reshape(x, newshape)
        return y if out is None else _copy(y, out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (reshape(dy, x.shape),)


@op
class transpose(Op):
    """y[j, i] = x[i, j]; the axes of y are x's in the order of `axes`"""

    cases = (Case((2, 3)), Case((2, 3, 4), axes=(2, 0, 1)))

    def infer(self, x, /, axes=None):
        axes = range(len(x.shape))[::-1] if axes is None else axes
        return Spec(tuple(x.shape[a] for a in axes), x.dtype)

    def forward(self, x, /, axes=None, out=None):
        y = np.transpose(x, axes)
        return np.array(y, order="C") if out is None else _copy(y, out)

    def gradient(self, node, dy):
        axes = node.attrs["axes"]
        return (
            transpose(dy, None if axes is None else tuple(np.argsort(axes).tolist())),
        )


@op
class broadcast_to(Op):
    """y = x, repeated along new axes and axes of size 1"""

    cases = (Case((3,), shape=(2, 3)), Case((2, 1), shape=(2, 3)))

    def infer(self, x, /, shape):
        return Spec(tuple(shape), x.dtype)

    def forward(self, x, /, shape, out=None):
        y = np.broadcast_to(x, shape)
        return np.array(y) if out is None else _copy(y, out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (sum_to(dy, shape=x.shape),)


_MANY, _MOST_PARTS = 1 << 15, 16  # values that are worth it; parts of their sum


def _suits_blas(x):
    return x.dtype.name in ("float32", "float64") and x.flags.c_contiguous and x.ndim


def _summed(x, shape, y):
    """y = x, summed over its first axes: as a product, which BLAS does fastest."""
    rows = x.reshape(-1, math.prod(shape))
    step = -(-len(rows) // min(_MOST_PARTS, -(-x.size // _MANY)))
    starts = range(0, len(rows), step)
    ones = scratch((step,), x.dtype)
    ones[...] = 1
    sums = scratch((len(starts), rows.shape[1]), x.dtype)

    def work(k):
        some = rows[starts[k] : starts[k] + step]
        np.matmul(ones[: len(some)], some, out=sums[k])

    share(work, range(len(starts)))
    y[...] = np.sum(sums, axis=0).reshape(shape)
    return y


@op
class sum_to(Op):
    """y = x, summed over the axes that `shape` was spread along; undoes broadcast_to"""

    cases = (
        Case((2, 3), shape=(3,)),
        Case((2, 3), shape=(2, 1)),
        Case((2, 3), shape=()),
        Case((40, 30, 33), shape=(33,)),
    )

    def infer(self, x, /, shape):
        return Spec(tuple(shape), x.dtype)

    def forward(self, x, /, shape, out=None):
        y = self.bind(x, shape=shape, out=out)()
        return y.reshape(shape) if out is None else out

    def bind(self, x, /, shape, out):
        lead = x.ndim - len(shape)
        if x.size >= _MANY and x.shape[lead:] == tuple(shape) and _suits_blas(x):
            y = np.empty(shape, x.dtype) if out is None else out
            return partial(_summed, x, shape, y)
        thin = (lead + i for i, n in enumerate(shape) if n == 1 != x.shape[lead + i])
        axes = (*range(lead), *thin)
        y = None if out is None else out.reshape((1,) * lead + tuple(shape))
        # What np.sum calls, in half the time for small x.
        return partial(np.add.reduce, x, axes, x.dtype, y, True)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (broadcast_to(dy, x.shape),)


def _copy(y, out):
    np.copyto(out, y)
    return out


# --- made of the above


def axes_of(axis, ndim):
    """The axes that an `axis` argument means, counted from 0."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ShapeError(f"There is no axis {a} in a tensor with {ndim} axes.")
    return tuple(a % ndim for a in axes)


def expand_dims(x, axis):
    """y = x with new axes of size 1 at the positions `axis` of y.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = len(x.shape) + len(axes)
    axes = axes_of(axes, ndim)
    sizes = iter(x.shape)
    shape = tuple(1 if i in axes else next(sizes) for i in range(ndim))
    return reshape(x, open_shape(shape))


def squeeze(x, axis=None):
    """y = x without its axes of size 1 (all of them, or those that `axis` names).

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.squeeze(np.ones((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    ndim = len(x.shape)
    if axis is None:
        axes = {i for i, n in enumerate(x.shape) if n == 1}
    else:
        axes = set(axes_of(axis, ndim))
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(
                f"squeeze: axis {a} of shape {tuple(x.shape)} has size {x.shape[a]}; "
                "only axes of size 1 can vanish."
            )
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    return reshape(x, open_shape(kept))


def ravel(x):
    """y = the values of x in one row.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.ravel(np.ones((2, 3))).shape
    (6,)
    """
    return reshape(x, (-1,))


def moveaxis(x, source, destination):
    """y = x, its axes `source` moved to `destination`; the others keep their order.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    ndim = len(x.shape)
    source, destination = (axes_of(axes, ndim) for axes in (source, destination))
    order = [a for a in range(ndim) if a not in source]
    for to, a in sorted(zip(destination, source, strict=True)):
        order.insert(to, a)
    return transpose(x, tuple(order))


def swapaxes(x, axis1, axis2):
    """y = x, two of its axes exchanged.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.swapaxes(np.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    order = list(range(len(x.shape)))
    axis1, axis2 = axes_of((axis1, axis2), len(order))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, tuple(order))


def open_shape(shape):
    """One unknown size may be written as -1: what is left."""
    return (
        tuple(-1 if n is None else n for n in shape)
        if shape.count(None) == 1
        else shape
    )


# --- asked of any array


def shape(x):
    """The sizes of x's axes, None where one is not known yet."""
    return tuple(x.shape if hasattr(x, "shape") else np.shape(x))


def ndim(x):
    """The number of x's axes."""
    return len(shape(x))


def size(x):
    """The number of x's elements."""
    return math.prod(shape(x))
