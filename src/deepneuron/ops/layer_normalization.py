"""Layer normalisation: every sample gets mean 0 and variance 1 over its features.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

`mean` and `variance` are taken along the axes that are normalised together.
"""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.config import epsilon as default_epsilon
from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.ops.arithmetic import rsqrt
from deepneuron.ops.normalization import moments, wide_type
from deepneuron.ops.norms import (
    block_room,
    in_rows,
    plus,
    room,
    row_blocks,
    second_gradient,
    statistics_grad,
)
from deepneuron.ops.reduction import axes_of
from deepneuron.ops.shape import open_shape, reshape, transpose
from deepneuron.ops.types import convert_to_tensor


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, sample by sample

    Args:
        x: any shape. Half floats are computed in float32.
        gamma, beta: the sizes of `axis`, or None for 1 and 0.
        axis: what is normalised together: an axis, or several.
        epsilon: keeps the root away from 0; `epsilon()` by default.
        rms_scaling: Keras's older variant, y = gamma x / sqrt(variance + epsilon).

    Returns:
        The shape and type of x.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.layer_normalization(np.array([[1.0, 3.0]]), epsilon=0.0)
    array([[-1.,  1.]])
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise TypeError(f"layer_normalization has no argument {next(iter(kwargs))!r}.")
    epsilon = default_epsilon() if epsilon is None else epsilon
    x = convert_to_tensor(x)
    wide = wide_type(x)
    axes = tuple(sorted(axes_of(axis, len(x.shape))))
    kept = tuple(n if a in axes else 1 for a, n in enumerate(x.shape))
    gamma, beta = (_vector(v, kept, axes, wide.dtype) for v in (gamma, beta))
    if rms_scaling:
        y = wide * rsqrt(moments(wide, axes, keepdims=True)[1] + epsilon)
        y = y if gamma is None else y * gamma
    elif any(v is not None and tuple(v.shape) != kept for v in (gamma, beta)):
        # Different samples have different scales.
        y = _layer_norm(wide, None, None, axes, epsilon)
        y = y if gamma is None else y * gamma
        y = y if beta is None else y + beta
    else:
        y = _layer_norm(wide, gamma, beta, axes, epsilon)
    return convert_to_tensor(y, x.dtype)


def _vector(v, kept, axes, dtype):
    """A scale or offset of one value for each feature in the shape `kept`."""
    if v is None:
        return None
    v = convert_to_tensor(v, dtype)
    short = len(v.shape) < len(kept) and None not in v.shape
    if short and math.prod(v.shape) == math.prod(kept[a] for a in axes):
        return reshape(v, kept)
    return v


def _layer_norm(x, gamma, beta, axes, epsilon):
    """`layer_norm` along any axes: they are moved to the end, and made one."""
    sizes = tuple(x.shape[a] for a in axes)
    size, ndim = math.prod(sizes), len(x.shape)
    gamma = np.ones(size, x.dtype) if gamma is None else reshape(gamma, (size,))
    beta = np.zeros(size, x.dtype) if beta is None else reshape(beta, (size,))
    order = (*(a for a in range(ndim) if a not in axes), *axes)
    moved = order != tuple(range(ndim))
    y = transpose(x, axes=order) if moved else x
    rest = open_shape(tuple(y.shape[: ndim - len(axes)]))
    y = y if len(axes) == 1 else reshape(y, (*rest, size))
    y = layer_norm(y, gamma, beta, epsilon=float(epsilon))[0]
    y = y if len(axes) == 1 else reshape(y, (*rest, *sizes))
    return transpose(y, axes=tuple(np.argsort(order).tolist())) if moved else y


@op
class layer_norm(Op):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, along the last axis;
    outputs (y, mean, variance)

    x: (..., features);  gamma, beta: (features,);  mean, variance: (..., 1)
    """

    cases = (
        Case((4, 5), (5,), (5,)),
        Case((2, 3, 4), (4,), (4,), epsilon=0.1),
    )

    def prepare(self, inputs):
        return promote(inputs)

    def infer(self, x, gamma, beta, /, epsilon=1e-3):
        column = Spec((*x.shape[:-1], 1), x.dtype)
        return Spec(tuple(x.shape), x.dtype), column, column

    @in_rows
    def forward(self, x, gamma, beta, /, epsilon=1e-3, out=None):
        y, mean, variance = out or room(x, (*x.shape[:-1], 1))
        rows, y_rows = _rows(x), _rows(y)
        means, variances = _rows(mean), _rows(variance)
        for some in row_blocks(rows):
            m, v = means[some], variances[some]
            np.mean(rows[some], axis=1, keepdims=True, out=m)
            part = np.subtract(rows[some], m, out=y_rows[some])
            v[...] = _row_dot(part, part) / x.shape[-1]
            part *= 1 / np.sqrt(v + epsilon)
            part *= gamma
            part += beta
        return y, mean, variance

    def gradient(self, node, dy, dmean, dvariance):
        (x, gamma, _), (_, mean, variance) = node.inputs, node.outputs
        dx = dgamma = dbeta = None
        if dy is not None:
            dx, dgamma, dbeta = layer_norm_grad(
                dy, x, gamma, mean, variance, **node.attrs
            )
        return plus(dx, statistics_grad(node, dmean, dvariance)), dgamma, dbeta


@op
class layer_norm_grad(Op):
    """dx = (dxhat - mean of dxhat - xhat mean of dxhat xhat) / sqrt(variance + epsilon)

    dxhat = gamma dy,  dgamma = sum of dy xhat,  dbeta = sum of dy;
    outputs (dx, dgamma, dbeta)
    """

    inplace = {0: (0,)}
    cases = (
        Case((3, 4), (3, 4), (4,), (3, 1), (3, 1), between=(0.5, 2.0)),
        Case((2, 3, 2), (2, 3, 2), (2,), (2, 3, 1), (2, 3, 1), between=(0.5, 2.0)),
    )

    def infer(self, dy, x, gamma, mean, variance, /, epsilon=1e-3):
        vector = Spec(tuple(gamma.shape), x.dtype)
        return Spec(tuple(x.shape), x.dtype), vector, vector

    @in_rows
    def forward(self, dy, x, gamma, mean, variance, /, epsilon=1e-3, out=None):
        dx, dgamma, dbeta = out or room(x, x.shape[-1:])
        features = x.shape[-1]
        x, dy, dx_rows = _rows(x), _rows(dy), _rows(dx)
        mean, variance = _rows(mean), _rows(variance)
        products, totals = np.zeros((2, features))
        xhats, scaled = block_room(x), block_room(x)
        for some in row_blocks(x):
            part, n = dx_rows[some], len(x[some])
            r = 1 / np.sqrt(variance[some] + epsilon)
            xhat = np.subtract(x[some], mean[some], out=xhats[:n])
            xhat *= r
            products += np.multiply(dy[some], xhat, out=scaled[:n]).sum(axis=0)
            totals += dy[some].sum(axis=0)
            np.multiply(dy[some], gamma, out=part)  # dxhat
            level, slope = part.mean(axis=1, keepdims=True), _row_dot(part, xhat)
            xhat *= slope / features
            xhat += level
            part -= xhat
            part *= r
        dgamma[...], dbeta[...] = products, totals
        return dx, dgamma, dbeta

    def gradient(self, node, ddx, ddgamma, ddbeta):
        return second_gradient(node, ddx, ddgamma, ddbeta, (node.inputs[1].ndim - 1,))


def _row_dot(x1, x2):
    """(rows, 1): sum of x1 x2 along each row"""
    return np.einsum("ij,ij->i", x1, x2)[:, None]


def _rows(x):
    """(rows, features)"""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
