"""Activations of all values along an axis at once, each above its slope."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ShapeError
from deepneuron.ops import reduction
from deepneuron.ops.exponential import exp
from deepneuron.ops.reduction import axes_of


class AlongAxis(Op):
    """y = f of all values of x along `axis` (one, several, or None for all axes)."""

    inplace = {0: (0,)}
    cases = (
        Case((2, 5)),
        Case((2, 3, 4), axis=1),
        Case((2, 3, 4), axis=(0, 2)),
        Case((2, 3), axis=None),
    )

    def prepare(self, inputs):
        dtype = result_type(*(_kind(x) for x in inputs))
        return promote(inputs, dtype if is_float(dtype) else result_type(dtype, float))

    def infer(self, x, /, *others, axis=-1):
        axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
        if any(not -len(x.shape) <= a < len(x.shape) for a in axes):
            raise ShapeError(
                f"{self.name}: axis {axis} does not exist in shape {tuple(x.shape)}."
            )
        return Spec(tuple(x.shape), x.dtype)


def _sum(x, axes):
    """The sums along axes, which stay with size 1, in scratch memory."""
    return np.sum(x, axis=axes, keepdims=True, out=_thin(x, axes))


def _largest(x, axes):
    return np.max(  # -inf, so that an empty batch has an (empty) largest value
        x, axis=axes, keepdims=True, out=_thin(x, axes), initial=-np.inf
    )


def _thin(x, axes):
    return scratch([1 if i in axes else n for i, n in enumerate(x.shape)], x.dtype)


@op
class softmax(AlongAxis):
    """y = e^x / sum of e^x along axis"""

    def forward(self, x, /, axis=-1, out=None):
        axes = axes_of(axis, x.ndim)
        y = np.subtract(x, _largest(x, axes), out=out)  # so that e^y cannot overflow
        np.exp(y, out=y)
        return np.divide(y, _sum(y, axes), out=y)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (softmax_grad(dy, y, axis=node.attrs["axis"]),)


@op
class softmax_grad(AlongAxis):
    """dx = y (dy - sum of y dy along axis)"""

    cases = (
        Case((2, 5), (2, 5), between=(0.1, 0.9)),
        Case((2, 3, 4), (2, 3, 4), axis=(0, 2), between=(0.1, 0.9)),
    )

    def forward(self, dy, y, /, axis=-1, out=None):
        products = np.multiply(dy, y, out=scratch(y.shape, y.dtype))
        dx = np.subtract(dy, _sum(products, axes_of(axis, y.ndim)), out=out)
        return np.multiply(dx, y, out=dx)

    def gradient(self, node, dz):
        (dy, y), axis = node.inputs, node.attrs["axis"]
        along = {"axis": axis, "keepdims": True}
        mean = reduction.sum(y * dy, **along)
        return (
            softmax_grad(dz, y, axis=axis),
            dz * (dy - mean) - dy * reduction.sum(dz * y, **along),
        )


@op
class log_softmax(AlongAxis):
    """y = x - log(sum of e^x along axis)"""

    def forward(self, x, /, axis=-1, out=None):
        axes = axes_of(axis, x.ndim)
        y = np.subtract(x, _largest(x, axes), out=out)
        total = _sum(np.exp(y, out=scratch(y.shape, y.dtype)), axes)
        return np.subtract(y, np.log(total, out=total), out=y)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (log_softmax_grad(dy, y, axis=node.attrs["axis"]),)


@op
class log_softmax_grad(AlongAxis):
    """dx = dy - e^y sum of dy along axis"""

    cases = (
        Case((2, 5), (2, 5)),
        Case((2, 3, 4), (2, 3, 4), axis=(0, 2)),
    )

    def forward(self, dy, y, /, axis=-1, out=None):
        total = _sum(dy, axes_of(axis, y.ndim))
        p = np.exp(y, out=scratch(y.shape, y.dtype))
        return np.subtract(dy, np.multiply(p, total, out=p), out=out)

    def gradient(self, node, dz):
        (dy, y), axis = node.inputs, node.attrs["axis"]
        along = {"axis": axis, "keepdims": True}
        p = exp(y)
        return (
            dz - reduction.sum(dz * p, **along),
            -dz * p * reduction.sum(dy, **along),
        )


@op
class sparsemax(AlongAxis):
    """y = max(x - tau, 0), with tau such that y sums to 1 along axis

    Source: Martins and Astudillo, From Softmax to Sparsemax, 2016.
    """

    cases = (
        Case(np.array([[0.1, 0.9, 1.4, -0.3], [2.0, 0.3, 0.1, 0.4]])),
        Case(np.array([[0.1, 0.9], [1.4, -0.3], [0.6, 0.2]]), axis=0),
    )

    def forward(self, x, /, axis=-1, out=None):
        axes = axes_of(axis, x.ndim)
        falling = np.negative(x, out=scratch(x.shape, x.dtype))
        falling.sort(axis=axis)
        np.negative(falling, out=falling)
        # tau_k would be the threshold if the k largest values were left; the true one
        # is the largest of them.
        taus = np.cumsum(falling, axis=axis, out=scratch(x.shape, x.dtype))
        np.subtract(taus, 1, out=taus)
        counts = np.arange(1, x.shape[axis] + 1).astype(x.dtype)
        across = [-1 if i in axes else 1 for i in range(x.ndim)]
        np.divide(taus, counts.reshape(across), out=taus)
        y = np.subtract(x, _largest(taus, axes), out=out)
        return np.maximum(y, 0, out=y)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (sparsemax_grad(dy, y, axis=node.attrs["axis"]),)


@op
class sparsemax_grad(AlongAxis):
    """dx = dy - mean of dy, both over where y > 0; else 0"""

    cases = (Case((2, 4), np.array([[-0.3, 0.3, 0.7, -0.2], [1.0, -0.4, -0.1, -0.6]])),)

    def forward(self, dy, y, /, axis=-1, out=None):
        axes = axes_of(axis, y.ndim)
        left = scratch(y.shape, y.dtype)
        np.copyto(left, np.greater(y, 0, out=scratch(y.shape, bool)))
        part = np.multiply(dy, left, out=scratch(y.shape, y.dtype))
        mean = _sum(part, axes)
        np.divide(mean, _sum(left, axes), out=mean)
        dx = np.subtract(dy, mean, out=out)
        return np.multiply(dx, left, out=dx)

    def gradient(self, node, dz):
        _, y = node.inputs
        return sparsemax_grad(dz, y, axis=node.attrs["axis"]), None


def _kind(x):
    return type(x) if isinstance(x, (int, float)) else x.dtype
