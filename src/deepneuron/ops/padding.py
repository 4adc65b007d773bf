"""Values with a margin around them."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, as_array, op
from deepneuron.ops.indexing import gather, getitem


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
        return (getitem(dy, _inside(x.shape, node.attrs["widths"])),)


def _inside(shape, widths):
    return tuple(slice(a, a + n) for n, (a, _) in zip(shape, widths, strict=True))


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
            x = gather(x, positions, axis=axis)
    return x
