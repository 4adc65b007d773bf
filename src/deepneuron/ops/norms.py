"""What batch and layer normalisation share: blocks of rows, and second derivatives.

    mean     = sum of x / m
    variance = sum of (x - mean)^2 / m
    xhat     = (x - mean) / sqrt(variance + epsilon)
    y        = gamma xhat + beta

Batch normalisation sums over all axes but the last, so every channel has a mean;
layer normalisation sums over the last, so every sample has one.

Large arrays are worked on in blocks of rows that stay in the cache.
"""

from __future__ import annotations

from functools import wraps

import numpy as np

from deepneuron.engine.workspace import scratch
from deepneuron.ops import reduction
from deepneuron.ops.arithmetic import rsqrt
from deepneuron.ops.shape import broadcast_to, reshape

BLOCK_BYTES = 1 << 18  # a block and what is computed from it fit the cache


def in_rows(forward):
    """`forward`, for outputs that are no plain rows of memory as well."""

    @wraps(forward)
    def forward_in_rows(self, *inputs, out=None, **attrs):
        if out is None or all(y.flags.c_contiguous for y in out):
            return forward(self, *inputs, out=out, **attrs)
        for y, value in zip(out, forward(self, *inputs, **attrs), strict=True):
            y[...] = value
        return out

    return forward_in_rows


def room(x, shape):
    """Memory for an output like x, and two others."""
    return np.empty(x.shape, x.dtype), *np.empty((2, *shape), x.dtype)


def row_blocks(rows):
    """Slices of a few rows each."""
    step = max(1, BLOCK_BYTES // max(rows[:1].nbytes, 1))
    return [slice(start, start + step) for start in range(0, len(rows), step)]


def block_room(rows):
    """Scratch memory for one block."""
    count = min(len(rows), row_blocks(rows)[0].stop) if len(rows) else 0
    return scratch((count, rows.shape[1]), rows.dtype)


# --- gradients


def statistics_grad(node, dmean, dvariance):
    """What comes to x through mean and variance; None where nobody uses them."""
    x, mean = node.inputs[0], node.outputs[1]
    m = max(x.size // max(mean.size, 1), 1)
    dx = None
    if dmean is not None:
        dx = broadcast_to(dmean / m, x.shape)
    if dvariance is not None:
        through = dvariance * (x - mean) * (2 / m)
        dx = through if dx is None else dx + through
    return dx


def second_gradient(node, a, b, c, axes):
    """The gradient of (dx, dgamma, dbeta), when a, b and c arrive at them.

    With r = 1 / sqrt(variance + epsilon), dxhat = gamma dy, and means along the axes of
    the statistics, the loss changes as

        L = sum of r dxhat [a - mean(a) - xhat mean(a xhat)] + b dy xhat + c dy

    and here stands, in simple operations, the derivative of that. (The part in brackets
    may change places with dxhat, since it is linear and symmetric.)
    """
    dy, x, gamma, mean, variance = node.inputs
    along = {"axis": axes, "keepdims": True}
    rows = tuple(range(x.ndim - 1))
    r = rsqrt(variance + node.attrs["epsilon"])
    xhat, dxhat = (x - mean) * r, gamma * dy

    to_dy = to_xhat = to_gamma = to_r = None
    if a is not None:
        a_slope, slope = (reduction.mean(v * xhat, **along) for v in (a, dxhat))
        bracket = a - reduction.mean(a, **along) - xhat * a_slope
        to_dy = gamma * r * bracket
        to_gamma = reduction.sum(dy * r * bracket, axis=rows)
        to_xhat = -r * (a * slope + dxhat * a_slope)
        to_r = reduction.sum(dxhat * bracket, **along)
    if b is not None:
        to_dy = plus(to_dy, b * xhat)
        to_xhat = plus(to_xhat, b * dy)
    if c is not None:
        to_dy = plus(to_dy, broadcast_to(c, x.shape))
    if to_xhat is None:
        return to_dy, None, None, None, None

    to_r = plus(reduction.sum(to_xhat * (x - mean), **along), to_r)
    to_mean = -r * reduction.sum(to_xhat, **along)
    to_variance = -0.5 * r * r * r * to_r
    return (
        to_dy,
        to_xhat * r,
        to_gamma,
        reshape(to_mean, mean.shape),
        reshape(to_variance, variance.shape),
    )


def plus(dx, more):
    return dx if more is None else more if dx is None else dx + more
