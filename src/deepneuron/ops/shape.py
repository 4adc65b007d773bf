"""The same values under another shape, or in another order."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, as_array, op, promote, registry
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


@op
class sum_to(Op):
    """y = x, summed over the axes that `shape` was spread along; undoes broadcast_to"""

    cases = (
        Case((2, 3), shape=(3,)),
        Case((2, 3), shape=(2, 1)),
        Case((2, 3), shape=()),
    )

    def infer(self, x, /, shape):
        return Spec(tuple(shape), x.dtype)

    def forward(self, x, /, shape, out=None):
        lead = x.ndim - len(shape)
        thin = tuple(
            lead + i for i, n in enumerate(shape) if n == 1 != x.shape[lead + i]
        )
        kept = np.sum(
            x,
            axis=(*range(lead), *thin),
            keepdims=True,
            dtype=x.dtype,
            out=None if out is None else out.reshape((1,) * lead + tuple(shape)),
        )
        return kept.reshape(shape) if out is None else out

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (broadcast_to(dy, x.shape),)


@op
class stack_all(Op):
    """y[i] = xs[i], along a new axis"""

    cases = (Case((2, 3), (2, 3)), Case((2, 3), (2, 3), axis=-1))

    def infer(self, *xs, axis=0):
        shape = list(xs[0].shape)
        shape.insert(axis if axis >= 0 else axis + len(shape) + 1, len(xs))
        return Spec(tuple(shape), xs[0].dtype)

    def forward(self, *xs, axis=0, out=None):
        return np.stack(xs, axis=axis, out=out)

    def gradient(self, node, dy):
        axis, before = node.attrs["axis"], (slice(None),) * (dy.ndim - 1)
        axis %= dy.ndim
        return [dy[(*before[:axis], i)] for i in range(len(node.inputs))]


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


def expand_dims(x, axis):
    """y = x with new axes of size 1 at the positions `axis` of y.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = len(x.shape) + len(axes)
    axes = {a % ndim for a in axes}
    sizes = iter(x.shape)
    shape = tuple(1 if i in axes else next(sizes) for i in range(ndim))
    return reshape(x, _open(shape))


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
        axes = {
            a % ndim for a in (axis if isinstance(axis, (tuple, list)) else (axis,))
        }
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(
                f"squeeze: axis {a} of shape {tuple(x.shape)} has size {x.shape[a]}; "
                "only axes of size 1 can vanish."
            )
    return reshape(x, _open(tuple(n for i, n in enumerate(x.shape) if i not in axes)))


def _open(shape):
    """One unknown size may be written as -1: what is left."""
    return (
        tuple(-1 if n is None else n for n in shape)
        if shape.count(None) == 1
        else shape
    )


def _copy(y, out):
    np.copyto(out, y)
    return out


# --- made of the above


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
    source, destination = (
        [a % ndim for a in (s if isinstance(s, (tuple, list)) else (s,))]
        for s in (source, destination)
    )
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
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, tuple(order))


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
    axis %= len(x.shape)
    before = (slice(None),) * axis
    return [_part(x, (*before, i)) for i in range(num or x.shape[axis])]


def split(x, indices_or_sections, axis=0):
    """The parts of x along an axis: so many of equal size, or cut at the positions.

    Raises:
        ShapeError: the axis cannot be divided by the number of parts.

    >>> import numpy as np, deepneuron as dn
    >>> [part.shape for part in dn.ops.split(np.ones((4, 6)), 3, axis=1)]
    [(4, 2), (4, 2), (4, 2)]
    """
    x = as_array(x)
    axis %= len(x.shape)
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
    return [_part(x, (*before, slice(a, b))) for a, b in bounds]


def flip(x, axis=None):
    """y = x in reverse order along an axis, several, or (None) all of them.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.flip(np.array([1.0, 2.0, 3.0]))
    array([3., 2., 1.])
    """
    x = as_array(x)
    ndim = len(x.shape)
    axes = (
        range(ndim)
        if axis is None
        else axis
        if isinstance(axis, (tuple, list))
        else (axis,)
    )
    turned = {a % ndim for a in axes}
    return _part(
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
        return reshape(roll(ravel(x), shift, 0), _open(x.shape))
    if isinstance(axis, (tuple, list)):
        shifts = shift if isinstance(shift, (tuple, list)) else [shift] * len(axis)
        for a, s in zip(axis, shifts, strict=True):
            x = roll(x, s, a)
        return x
    axis %= len(x.shape)
    n = x.shape[axis]  # None is taken to be at least the shift
    cut = -shift if n is None else -shift % max(n, 1)
    if not cut:
        return x
    before = (slice(None),) * axis
    ends = _part(x, (*before, slice(cut, None))), _part(x, (*before, slice(None, cut)))
    return concatenate(ends, axis)


def tile(x, repeats):
    """y = x, laid side by side so many times along each axis.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.tile(np.array([1, 2]), 2)
    array([1, 2, 1, 2])
    """
    x = as_array(x)
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    repeats = [1] * (len(x.shape) - len(repeats)) + repeats
    shape = (1,) * (len(repeats) - len(x.shape)) + tuple(x.shape)
    return repeat_blocks(reshape(x, _open(shape)), repeats=tuple(repeats))


def repeat(x, repeats, axis=None):
    """y = x, every element so many times along an axis; None: all values in a row.

    Args:
        x: values.
        repeats: one number, or one for each element of the axis.
        axis: along which.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.repeat(np.array([1, 2]), 2)
    array([1, 1, 2, 2])
    """
    x = as_array(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis %= len(x.shape)
    if np.size(repeats) == 1:
        return repeat_each(x, repeats=int(np.reshape(repeats, -1)[0]), axis=axis)
    positions = np.repeat(np.arange(x.shape[axis]), np.asarray(repeats))
    return registry["gather"](x, positions.astype("int32"), axis=axis)


@op
class repeat_each(Op):
    """y = x, every element `repeats` times along an axis"""

    cases = (Case((2, 3), repeats=2, axis=1), Case((2, 3), repeats=3, axis=0))

    def infer(self, x, /, repeats, axis):
        shape = list(x.shape)
        shape[axis] *= repeats
        return Spec(tuple(shape), x.dtype)

    def forward(self, x, /, repeats, axis, out=None):
        y = (
            np.empty(self.infer(x, repeats, axis).shape, x.dtype)
            if out is None
            else out
        )
        before = (slice(None),) * axis
        for i in range(repeats):
            y[(*before, slice(i, None, repeats))] = x
        return y

    def gradient(self, node, dy):
        (x,), axis = node.inputs, node.attrs["axis"]
        shape = (*x.shape[: axis + 1], node.attrs["repeats"], *x.shape[axis + 1 :])
        return (registry["sum"](reshape(dy, shape), axis=axis + 1),)


@op
class repeat_blocks(Op):
    """y = x, laid side by side repeats[i] times along axis i"""

    cases = (Case((2, 3), repeats=(2, 1)), Case((2, 3), repeats=(2, 3)))

    def infer(self, x, /, repeats):
        shape = tuple(n * r for n, r in zip(x.shape, repeats, strict=True))
        return Spec(shape, x.dtype)

    def forward(self, x, /, repeats, out=None):
        y = np.empty(self.infer(x, repeats).shape, x.dtype) if out is None else out
        for place in np.ndindex(*repeats):
            y[
                tuple(
                    slice(i * n, (i + 1) * n)
                    for i, n in zip(place, x.shape, strict=True)
                )
            ] = x
        return y

    def gradient(self, node, dy):
        (x,), repeats = node.inputs, node.attrs["repeats"]
        pairs = zip(repeats, x.shape, strict=True)
        blocks = reshape(dy, tuple(n for pair in pairs for n in pair))
        return (registry["sum"](blocks, axis=tuple(range(0, 2 * x.ndim, 2))),)


def pad(x, pad_width, mode="constant", constant_values=None):
    """y = x with a margin.

    Args:
        x: values.
        pad_width: (before, after) for every axis; one pair, or one number, for all.
        mode: "constant", or as in NumPy "edge", "reflect", "symmetric", "wrap".
        constant_values: the value of the margin; 0 by default.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.pad(np.array([1.0, 2.0]), 1)
    array([0., 1., 2., 0.])
    """
    x = as_array(x)
    ndim = len(x.shape)
    widths = np.broadcast_to(np.asarray(pad_width, int), (ndim, 2)).tolist()
    if mode == "constant":
        value = 0 if constant_values is None else constant_values
        return pad_constant(x, widths=tuple(map(tuple, widths)), value=value)
    for axis, width in enumerate(widths):
        if any(width):
            positions = np.pad(np.arange(x.shape[axis]), width, mode).astype("int32")
            x = registry["gather"](x, positions, axis=axis)
    return x


@op
class pad_constant(Op):
    """y = x, and `value` in a margin of widths[i] = (before, after) along axis i"""

    cases = (
        Case((2, 3), widths=((1, 0), (2, 1)), value=0),
        Case((2, 3), widths=((0, 0), (0, 2)), value=1.5),
    )

    def infer(self, x, /, widths, value):
        shape = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
        return Spec(shape, x.dtype)

    def forward(self, x, /, widths, value, out=None):
        y = (
            np.empty(self.infer(x, widths, value).shape, x.dtype)
            if out is None
            else out
        )
        y[...] = value
        y[_inside(x.shape, widths)] = x
        return y

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (_part(dy, _inside(x.shape, node.attrs["widths"])),)


def _inside(shape, widths):
    return tuple(slice(a, a + n) for n, (a, _) in zip(shape, widths, strict=True))


def _part(x, key):
    return registry["getitem"](x, key)


def shape(x):
    """The sizes of x's axes, None where one is not known yet."""
    return tuple(x.shape if hasattr(x, "shape") else np.shape(x))


def ndim(x):
    """The number of x's axes."""
    return len(shape(x))


def size(x):
    """The number of x's elements."""
    return math.prod(shape(x))
