"""Batch normalisation: every channel gets mean 0 and variance 1 over the batch.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

The statistics of blocks of rows are put together in float64: neither a large mean nor a
large batch spoils the variance.
"""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.errors import ShapeError
from deepneuron.ops.arithmetic import rsqrt
from deepneuron.ops.norms import (
    block_room,
    in_rows,
    plus,
    room,
    row_blocks,
    second_gradient,
    statistics_grad,
)
from deepneuron.ops.shape import moveaxis, reshape
from deepneuron.ops.types import as_floats, convert_to_tensor


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """y = scale (x - mean) / sqrt(variance + epsilon) + offset, channel by channel

    Args:
        x: any shape.
        mean, variance: (channels,)
        axis: of the channels.
        offset, scale: (channels,), or None for 0 and 1.
        epsilon: keeps the root away from 0.

    Returns:
        The shape of x.

    Raises:
        ShapeError: one of the vectors has not one value for each channel.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.batch_normalization(np.array([[5.0]]), [1.0], [4.0], -1, epsilon=0.0)
    array([[2.]])
    """
    x = as_floats(x)
    channels = x.shape[axis]
    shape = [1] * len(x.shape)
    shape[axis] = channels

    def spread(name, vector):
        vector = convert_to_tensor(vector)
        if tuple(vector.shape) != (channels,):
            raise ShapeError(
                f"batch_normalization: x of shape {tuple(x.shape)} has {channels} "
                f"channels (axis {axis}), so {name} has shape ({channels},); received "
                f"{tuple(vector.shape)}."
            )
        return reshape(vector, tuple(shape))

    factor = rsqrt(spread("variance", variance) + epsilon)
    if scale is not None:
        factor = factor * spread("scale", scale)
    rest = -spread("mean", mean) * factor
    if offset is not None:
        rest = rest + spread("offset", offset)
    return x * factor + rest


def batch_normalization_in_training(x, axis, offset=None, scale=None, epsilon=1e-3):
    """`batch_normalization` with the statistics of x itself, which it returns as well.

    Args:
        x: any shape.
        axis: of the channels.
        offset, scale: (channels,), or None for 0 and 1.
        epsilon: keeps the root away from 0.

    Returns:
        (y, mean, variance): the shape of x, and (channels,) twice.

    >>> import numpy as np, deepneuron as dn
    >>> x = np.array([[1.0], [3.0]])
    >>> y, mean, variance = dn.ops.batch_normalization_in_training(x, -1, epsilon=0.0)
    >>> y.ravel(), mean, variance
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    x = as_floats(x)
    channels, ndim = x.shape[axis], len(x.shape)
    scale = np.ones(channels, x.dtype) if scale is None else scale
    offset = np.zeros(channels, x.dtype) if offset is None else offset
    last = axis % ndim == ndim - 1
    y = x if last else moveaxis(x, axis, -1)
    y, mean, variance = batch_norm(y, scale, offset, epsilon=float(epsilon))
    return y if last else moveaxis(y, -1, axis), mean, variance


@op
class batch_norm(Op):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the batch's own
    statistics;  outputs (y, mean, variance)

    x: (..., channels);  gamma, beta, mean, variance: (channels,)
    """

    cases = (
        Case((6, 3), (3,), (3,)),
        Case((2, 3, 4, 2), (2,), (2,), epsilon=0.1),
    )

    def prepare(self, inputs):
        return promote(inputs)

    def infer(self, x, gamma, beta, /, epsilon=1e-3):
        vector = Spec((x.shape[-1],), x.dtype)
        return Spec(tuple(x.shape), x.dtype), vector, vector

    @in_rows
    def forward(self, x, gamma, beta, /, epsilon=1e-3, out=None):
        y, mean, variance = out or room(x, x.shape[-1:])
        _statistics(x, mean, variance)
        scale = gamma / np.sqrt(variance + epsilon)
        rows, y_rows = _wide(x), _wide(y)
        center, scale, offset = (_tile(v, rows) for v in (mean, scale, beta))
        for some in row_blocks(rows):
            part = np.subtract(rows[some], center, out=y_rows[some])
            part *= scale
            part += offset
        return y, mean, variance

    def gradient(self, node, dy, dmean, dvariance):
        (x, gamma, _), (_, mean, variance) = node.inputs, node.outputs
        dx = dgamma = dbeta = None
        if dy is not None:
            dx, dgamma, dbeta = batch_norm_grad(
                dy, x, gamma, mean, variance, **node.attrs
            )
        return plus(dx, statistics_grad(node, dmean, dvariance)), dgamma, dbeta


@op
class batch_norm_grad(Op):
    """dx = gamma / s (dy - dbeta / m - xhat dgamma / m),  s = sqrt(variance + epsilon)

    dgamma = sum of dy xhat,  dbeta = sum of dy;  outputs (dx, dgamma, dbeta)
    """

    inplace = {0: (0,)}
    cases = (
        Case((6, 3), (6, 3), (3,), (3,), (3,), between=(0.5, 2.0)),
        Case((2, 3, 2), (2, 3, 2), (2,), (2,), (2,), between=(0.5, 2.0), epsilon=0.1),
    )

    def infer(self, dy, x, gamma, mean, variance, /, epsilon=1e-3):
        vector = Spec(tuple(gamma.shape), x.dtype)
        return Spec(tuple(x.shape), x.dtype), vector, vector

    @in_rows
    def forward(self, dy, x, gamma, mean, variance, /, epsilon=1e-3, out=None):
        dx, dgamma, dbeta = out or room(x, x.shape[-1:])
        channels, m = x.shape[-1], max(x.size // x.shape[-1], 1)
        r = 1 / np.sqrt(variance + epsilon)
        x, dy, dx_rows = _wide(x), _wide(dy), _wide(dx)
        blocks, deviation = row_blocks(x), block_room(x)
        center = _tile(mean, x)
        products, totals = np.zeros((2, x.shape[1]))
        for some in blocks:
            d = np.subtract(x[some], center, out=deviation[: len(x[some])])
            products += np.multiply(d, dy[some], out=d).sum(axis=0)
            totals += dy[some].sum(axis=0)
        dgamma[...] = _fold(products, channels) * r
        dbeta[...] = _fold(totals, channels)
        # dx = scale dy - (x - mean) slope - shift
        scale = gamma * r
        slope, shift = scale * r * dgamma / m, scale * dbeta / m
        scale, slope, shift = (_tile(v, x) for v in (scale, slope, shift))
        for some in blocks:
            d = np.subtract(x[some], center, out=deviation[: len(x[some])])
            d *= slope
            d += shift
            part = np.multiply(dy[some], scale, out=dx_rows[some])
            part -= d
        return dx, dgamma, dbeta

    def gradient(self, node, ddx, ddgamma, ddbeta):
        axes = tuple(range(node.inputs[1].ndim - 1))
        return second_gradient(node, ddx, ddgamma, ddbeta, axes)


def _statistics(x, mean, variance):
    """mean and variance of every channel, in one pass over x

    What is summed are deviations from a guess, the mean of the first block: sums of x
    and x^2 themselves would cancel where the mean is large.
    """
    channels = x.shape[-1]
    rows = _wide(x)
    blocks = row_blocks(rows)
    first = rows[blocks[0]] if blocks else rows
    guess = _fold(first.sum(axis=0, dtype="float64"), channels)
    guess = (guess * (channels / max(first.size, 1))).astype(x.dtype)
    center = _tile(guess, rows)
    deviation = block_room(rows)
    totals, squares = np.zeros((2, rows.shape[1]))
    for some in blocks:
        d = np.subtract(rows[some], center, out=deviation[: len(rows[some])])
        totals += d.sum(axis=0)
        squares += np.square(d, out=d).sum(axis=0)
    with np.errstate(invalid="ignore"):  # of an empty batch there are none
        rest = _fold(totals, channels) * channels / np.float64(x.size)
        spread = _fold(squares, channels) * channels / np.float64(x.size)
    mean[...] = guess + rest
    variance[...] = np.maximum(spread - rest**2, 0)


def _wide(x):
    """(rows, channels), or several such rows as one: short rows are slow."""
    channels = x.shape[-1]
    several = math.gcd(x.size // channels, 64) if channels < 64 else 1
    return x.reshape(-1 if x.size else 0, several * channels)


def _tile(vector, rows):
    """A value for every channel, as long as a row."""
    return np.tile(vector, rows.shape[-1] // len(vector))


def _fold(row, channels):
    """The sums of a row, channel by channel."""
    return row.reshape(-1, channels).sum(axis=0)
