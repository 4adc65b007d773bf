"""The same values several times: one by one, or in blocks."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, as_array, op
from deepneuron.ops.indexing import gather
from deepneuron.ops.reduction import sum
from deepneuron.ops.shape import axes_of, open_shape, ravel, reshape


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
        return (sum(reshape(dy, shape), axis=axis + 1),)


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
        return (sum(blocks, axis=tuple(range(0, 2 * x.ndim, 2))),)


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
    if axis is None or (len(getattr(x, "shape", ())) == 0 and axis in (0, -1)):
        x, axis = ravel(x), 0
    (axis,) = axes_of(axis, len(x.shape))
    if np.size(repeats) == 1:
        return repeat_each(x, repeats=int(np.reshape(repeats, -1)[0]), axis=axis)
    positions = np.repeat(np.arange(x.shape[axis]), np.asarray(repeats))
    return gather(x, positions.astype("int32"), axis=axis)


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
    return repeat_blocks(reshape(x, open_shape(shape)), repeats=tuple(repeats))
