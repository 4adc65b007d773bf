"""Many values become one: sums, means, extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.ops.shape import broadcast_to, reshape


class Reduction(Op):
    """y = f of x's values along `axis` (None: all of them), which vanishes or stays as 1."""

    cases = (
        Case((2, 3)),
        Case((2, 3), axis=0),
        Case((2, 3, 4), axis=(0, -1)),
        Case((2, 3), axis=1, keepdims=True),
    )

    def infer(self, x, /, axis=None, keepdims=False):
        axes = axes_of(axis, len(x.shape))
        shape = tuple(
            1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes
        )
        return Spec(shape, self.result_dtype(x.dtype))

    def result_dtype(self, dtype: str) -> str:
        return dtype


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that an `axis` argument means, counted from 0."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(a % ndim for a in axes)


def spread(node, dy):
    """dy over the shape of x again: a reduction's axes come back, as copies."""
    (x,) = node.inputs
    axes = axes_of(node.attrs["axis"], x.ndim)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    return broadcast_to(reshape(dy, kept), x.shape)


@op
class sum(Reduction):
    """y = sum of x along axis"""

    def result_dtype(self, dtype):
        # Small integers would overflow at once.
        if dtype in ("bool", "int8", "int16"):
            return "int32"
        return "uint32" if dtype in ("uint8", "uint16") else dtype

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        dtype = self.result_dtype(x.dtype.name)
        return np.sum(x, axis=_tuple(axis), dtype=dtype, keepdims=keepdims, out=out)

    def gradient(self, node, dy):
        return (spread(node, dy),)


@op
class mean(Reduction):
    """y = sum of x along axis / number of values"""

    def prepare(self, inputs):
        (x,) = inputs
        x = np.asarray(x) if isinstance(x, (int, float)) else x
        return [x] if is_float(x.dtype) else promote([x], result_type(x.dtype, float))

    def forward(self, x, /, axis=None, keepdims=False, out=None):
        return np.mean(x, axis=_tuple(axis), keepdims=keepdims, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        axes = axes_of(node.attrs["axis"], x.ndim)
        return (spread(node, dy / max(math.prod(x.shape[a] for a in axes), 1)),)


def _tuple(axis):
    return tuple(axis) if isinstance(axis, list) else axis
