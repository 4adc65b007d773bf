"""One array from several, several from one, and the same parts in another order."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, as_array, op, promote
from deepneuron.errors import ShapeError
from deepneuron.ops.indexing import getitem
from deepneuron.ops.shape import axes_of, open_shape, ravel, reshape


@op
class concatenate_all(Op):
    """y = the xs one after the other along an axis"""

    cases = (Case((2, 3), (2, 1), axis=1), Case((2, 3), (4, 3), axis=0))

    def infer(self, *xs, axis=-1):
        shape = list(xs[0].shape)
        if not -len(shape) <= axis < len(shape):
            raise ShapeError(
                f"concatenate: there is no axis {axis} in shape {tuple(shape)}; "
                "`stack` joins along a new axis."
            )
        axis %= len(shape)
        for x in xs[1:]:
            others = list(x.shape)
            if len(others) != len(shape) or any(
                n != m
                for i, (n, m) in enumerate(zip(shape, others, strict=True))
                if i != axis
            ):
                raise ShapeError(
                    f"concatenate: shapes {[tuple(x.shape) for x in xs]} must be equal "
                    f"but for axis {axis}."
                )
        shape[axis] = sum(x.shape[axis] for x in xs)
        return Spec(tuple(shape), xs[0].dtype)

    def forward(self, *xs, axis=-1, out=None):
        return np.concatenate(xs, axis=axis, out=out)

    def gradient(self, node, dy):
        axis = node.attrs["axis"] % dy.ndim
        dxs, start = [], 0
        for x in node.inputs:
            end = start + x.shape[axis]
            dxs.append(dy[(*(slice(None),) * axis, slice(start, end))])
            start = end
        return dxs


@op
class stack_all(Op):
    """y[i] = xs[i], along a new axis"""

    cases = (Case((2, 3), (2, 3)), Case((2, 3), (2, 3), axis=-1))

    def infer(self, *xs, axis=0):
        shape = list(xs[0].shape)
        (axis,) = axes_of(axis, len(shape) + 1)
        shape.insert(axis, len(xs))
        return Spec(tuple(shape), xs[0].dtype)

    def forward(self, *xs, axis=0, out=None):
        return np.stack(xs, axis=axis, out=out)

    def gradient(self, node, dy):
        axis, before = node.attrs["axis"], (slice(None),) * (dy.ndim - 1)
        axis %= dy.ndim
        return [dy[(*before[:axis], i)] for i in range(len(node.inputs))]


def concatenate(xs, axis=0):
    """y = the xs one after the other along an axis.

    Args:
        xs: a list of arrays or tensors; equal shapes but for the axis.
        axis: along which they are joined.

    Raises:
        ShapeError: other axes differ.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.concatenate([np.zeros(2), np.ones(1)])
    array([0., 0., 1.])
    """
    return concatenate_all(*promote([as_array(x) for x in xs]), axis=axis)


def stack(x, axis=0):
    """y[i] = x[i], along a new axis.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.stack([np.zeros(2), np.ones(2)], axis=1)
    array([[0., 1.],
           [0., 1.]])
    """
    return stack_all(*promote([as_array(part) for part in x]), axis=axis)


def hstack(xs):
    """y = the xs side by side: along the second axis, vectors along their only one."""
    return concatenate(xs, axis=0 if len(as_array(xs[0]).shape) == 1 else 1)


def vstack(xs):
    """y = the xs below one another; a vector is a row."""
    xs = [as_array(x) for x in xs]
    return concatenate([x if len(x.shape) > 1 else reshape(x, (1, -1)) for x in xs])


def unstack(x, num=None, axis=0):
    """[x[0], x[1], ...] along an axis, which vanishes.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.unstack(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    [array([1., 3.]), array([2., 4.])]
    """
    x = as_array(x)
    (axis,) = axes_of(axis, len(x.shape))
    before = (slice(None),) * axis
    return [getitem(x, (*before, i)) for i in range(num or x.shape[axis])]


def split(x, indices_or_sections, axis=0):
    """The parts of x along an axis: so many of equal size, or cut at the positions.

    Raises:
        ShapeError: the axis cannot be divided by the number of parts.

    >>> import numpy as np, deepneuron as dn
    >>> [part.shape for part in dn.ops.split(np.ones((4, 6)), 3, axis=1)]
    [(4, 2), (4, 2), (4, 2)]
    """
    x = as_array(x)
    (axis,) = axes_of(axis, len(x.shape))
    n = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if n % indices_or_sections:
            raise ShapeError(
                f"split: axis {axis} of shape {tuple(x.shape)} cannot be divided into "
                f"{indices_or_sections} equal parts."
            )
        size = n // indices_or_sections
        cuts = [size * i for i in range(1, indices_or_sections)]
    else:
        cuts = [int(i) for i in indices_or_sections]
    before = (slice(None),) * axis
    bounds = zip([0, *cuts], [*cuts, n], strict=True)
    return [getitem(x, (*before, slice(a, b))) for a, b in bounds]


def flip(x, axis=None):
    """y = x in reverse order along an axis, several, or (None) all of them.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.flip(np.array([1.0, 2.0, 3.0]))
    array([3., 2., 1.])
    """
    x = as_array(x)
    ndim = len(x.shape)
    turned = axes_of(axis, ndim)
    return getitem(
        x, tuple(slice(None, None, -1 if i in turned else None) for i in range(ndim))
    )


def roll(x, shift, axis=None):
    """y[i] = x[i - shift], round in circles along an axis; None: all values in a row.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.roll(np.array([1, 2, 3]), 1)
    array([3, 1, 2])
    """
    x = as_array(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), open_shape(x.shape))
    if isinstance(axis, (tuple, list)):
        shifts = shift if isinstance(shift, (tuple, list)) else [shift] * len(axis)
        for a, s in zip(axis, shifts, strict=True):
            x = roll(x, s, a)
        return x
    (axis,) = axes_of(axis, len(x.shape))
    n = x.shape[axis]  # None is taken to be at least the shift
    cut = -shift if n is None else -shift % max(n, 1)
    if not cut:
        return x
    before = (slice(None),) * axis
    end, start = (*before, slice(cut, None)), (*before, slice(None, cut))
    return concatenate([getitem(x, end), getitem(x, start)], axis)
