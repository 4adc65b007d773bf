"""Parts of a tensor, by position."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op


@op
class getitem(Op):
    """y = x[key]: whole numbers, slices, None (a new axis) and ... (all axes between)"""

    cases = (
        Case((4, 3), key=1),
        Case((4, 3), key=(slice(1, 3), -1)),
        Case((4, 3, 2), key=(Ellipsis, None, 0)),
        Case((5,), key=slice(None, None, -2)),
    )

    def infer(self, x, /, key):
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
