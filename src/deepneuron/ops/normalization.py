"""Normalisation: values get mean 0 and variance 1, and then a scale and an offset.

    mean     = sum of x / m
    variance = sum of (x - mean)^2 / m
    xhat     = (x - mean) / sqrt(variance + epsilon)
    y        = gamma xhat + beta

Batch normalisation sums over all axes but the last, so every channel has a mean;
layer normalisation sums over the last, so every sample has one.

Large arrays are worked on in blocks of rows that stay in the cache. The statistics of
the blocks are put together in float64: neither a large mean nor a large batch spoils
the variance.
"""

from __future__ import annotations

import math
from functools import wraps

import numpy as np

from deepneuron.engine.config import epsilon as default_epsilon
from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.ops import reduction
from deepneuron.ops.arithmetic import maximum, minimum, rsqrt, square
from deepneuron.ops.reduction import axes_of
from deepneuron.ops.shape import broadcast_to, moveaxis, reshape, squeeze, transpose
from deepneuron.ops.types import cast, convert_to_tensor

BLOCK_BYTES = 1 << 18  # a block and what is computed from it fit the cache


# --- the public functions


def moments(x, axes, keepdims=False, synchronized=False):
    """mean = sum of x / m,  variance = sum of (x - mean)^2 / m

    Args:
        x: any shape. Of integers the moments are floats; of half floats they are
            computed in float32.
        axes: the axes to sum over.
        keepdims: whether these axes stay, with size 1.
        synchronized: only False; Keras has it for several devices.

    Returns:
        (mean, variance).

    >>> import deepneuron as dn
    >>> mean, variance = dn.ops.moments([1.0, 3.0], axes=[0])
    >>> float(mean), float(variance)
    (2.0, 1.0)
    """
    if synchronized:
        raise ArgumentError(
            "moments: synchronized=True is for several devices, and there is one; "
            "leave it False."
        )
    x = _floats(x)
    dtype, wide = x.dtype, _wide_type(x)
    axes = axes_of(axes, len(x.shape))
    mean = reduction.mean(wide, axis=axes, keepdims=True)
    variance = reduction.mean(square(wide - mean), axis=axes, keepdims=True)
    if not keepdims:
        mean, variance = squeeze(mean, axes), squeeze(variance, axes)
    return _narrow(mean, dtype), _narrow(variance, dtype)


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
    x = _floats(x)
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
    x = _floats(x)
    channels, ndim = x.shape[axis], len(x.shape)
    scale = np.ones(channels, x.dtype) if scale is None else scale
    offset = np.zeros(channels, x.dtype) if offset is None else offset
    last = axis % ndim == ndim - 1
    y = x if last else moveaxis(x, axis, -1)
    y, mean, variance = batch_norm(y, scale, offset, epsilon=float(epsilon))
    return y if last else moveaxis(y, -1, axis), mean, variance


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
    wide = _wide_type(x)
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
    rest = _open(tuple(y.shape[: ndim - len(axes)]))
    y = y if len(axes) == 1 else reshape(y, (*rest, size))
    y = layer_norm(y, gamma, beta, epsilon=float(epsilon))[0]
    y = y if len(axes) == 1 else reshape(y, (*rest, *sizes))
    return transpose(y, axes=tuple(np.argsort(order).tolist())) if moved else y


def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """y = scale x / sqrt(mean of x^2 + epsilon)

    Args:
        x: any shape. Half floats are computed in float32.
        scale: what x broadcasts with; None for 1.
        axis: what is normalised together: an axis, or several.
        epsilon: keeps the root away from 0; `epsilon()` by default.

    Returns:
        The shape and type of x; a number becomes (1,).

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.rms_normalization(np.array([1.0, -1.0]), epsilon=0.0)
    array([ 1., -1.])
    """
    epsilon = default_epsilon() if epsilon is None else epsilon
    x = convert_to_tensor(x)
    wide = _wide_type(x)
    wide = reshape(wide, (1,)) if len(x.shape) == 0 else wide
    y = wide * rsqrt(_mean_square(wide, axis) + epsilon)
    if scale is not None:
        y = y * convert_to_tensor(scale, wide.dtype)
    return convert_to_tensor(y, x.dtype)


def _mean_square(x, axis):
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return reduction.mean(square(x), axis=axis, keepdims=True)


def normalize(x, axis=-1, order=2, epsilon=None):
    """y = x / max(norm of x, epsilon)

    Args:
        x: any shape.
        axis: what is normalised together: an axis, or several.
        order: of the norm, (sum of |x|^order)^(1 / order).
        epsilon: the least norm to divide by; `epsilon()` by default.

    Returns:
        The shape of x; a number becomes (1,).

    Raises:
        ArgumentError: the order is no positive whole number.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.normalize(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(
            f"normalize: order is a positive whole number; received {order!r}."
        )
    epsilon = default_epsilon() if epsilon is None else epsilon
    x = _floats(x)
    x = reshape(x, (1,)) if len(x.shape) == 0 else x
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    if order == 2:
        total = reduction.sum(square(x), axis=axis, keepdims=True)
        return x * minimum(rsqrt(total), 1.0 / epsilon)
    total = reduction.sum(abs(x) ** order, axis=axis, keepdims=True)
    norm = total if order == 1 else total ** (1.0 / order)
    return x / maximum(norm, epsilon)


def _in_rows(forward):
    """`forward`, for outputs that are no plain rows of memory as well."""

    @wraps(forward)
    def forward_in_rows(self, *inputs, out=None, **attrs):
        if out is None or all(y.flags.c_contiguous for y in out):
            return forward(self, *inputs, out=out, **attrs)
        for y, value in zip(out, forward(self, *inputs, **attrs), strict=True):
            y[...] = value
        return out

    return forward_in_rows


# --- batch normalisation


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

    @_in_rows
    def forward(self, x, gamma, beta, /, epsilon=1e-3, out=None):
        y, mean, variance = out or _room(x, x.shape[-1:])
        _statistics(x, mean, variance)
        scale = gamma / np.sqrt(variance + epsilon)
        rows, y_rows = _wide(x), _wide(y)
        center, scale, offset = (_tile(v, rows) for v in (mean, scale, beta))
        for some in _blocks(rows):
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
        return _plus(dx, _statistics_grad(node, dmean, dvariance)), dgamma, dbeta


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

    @_in_rows
    def forward(self, dy, x, gamma, mean, variance, /, epsilon=1e-3, out=None):
        dx, dgamma, dbeta = out or _room(x, x.shape[-1:])
        channels, m = x.shape[-1], max(x.size // x.shape[-1], 1)
        r = 1 / np.sqrt(variance + epsilon)
        x, dy, dx_rows = _wide(x), _wide(dy), _wide(dx)
        blocks, deviation = _blocks(x), _block_room(x)
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
        return _second(node, ddx, ddgamma, ddbeta, axes)


def _statistics(x, mean, variance):
    """mean and variance of every channel, in one pass over x

    What is summed are deviations from a guess, the mean of the first block: sums of x
    and x^2 themselves would cancel where the mean is large.
    """
    channels = x.shape[-1]
    rows = _wide(x)
    blocks = _blocks(rows)
    first = rows[blocks[0]] if blocks else rows
    guess = _fold(first.sum(axis=0, dtype="float64"), channels)
    guess = (guess * (channels / max(first.size, 1))).astype(x.dtype)
    center = _tile(guess, rows)
    deviation = _block_room(rows)
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


# --- layer normalisation


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

    @_in_rows
    def forward(self, x, gamma, beta, /, epsilon=1e-3, out=None):
        y, mean, variance = out or _room(x, (*x.shape[:-1], 1))
        rows, y_rows = _rows(x), _rows(y)
        means, variances = _rows(mean), _rows(variance)
        for some in _blocks(rows):
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
        return _plus(dx, _statistics_grad(node, dmean, dvariance)), dgamma, dbeta


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

    @_in_rows
    def forward(self, dy, x, gamma, mean, variance, /, epsilon=1e-3, out=None):
        dx, dgamma, dbeta = out or _room(x, x.shape[-1:])
        features = x.shape[-1]
        x, dy, dx_rows = _rows(x), _rows(dy), _rows(dx)
        mean, variance = _rows(mean), _rows(variance)
        products, totals = np.zeros((2, features))
        xhats, scaled = _block_room(x), _block_room(x)
        for some in _blocks(x):
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
        return _second(node, ddx, ddgamma, ddbeta, (node.inputs[1].ndim - 1,))


def _row_dot(x1, x2):
    """(rows, 1): sum of x1 x2 along each row"""
    return np.einsum("ij,ij->i", x1, x2)[:, None]


def _rows(x):
    """(rows, features)"""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


# --- what both share


def _room(x, shape):
    """Memory for an output like x, and two others."""
    return np.empty(x.shape, x.dtype), *np.empty((2, *shape), x.dtype)


def _statistics_grad(node, dmean, dvariance):
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


def _plus(dx, more):
    return dx if more is None else more if dx is None else dx + more


def _second(node, a, b, c, axes):
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
        to_dy = _plus(to_dy, b * xhat)
        to_xhat = _plus(to_xhat, b * dy)
    if c is not None:
        to_dy = _plus(to_dy, broadcast_to(c, x.shape))
    if to_xhat is None:
        return to_dy, None, None, None, None

    to_r = _plus(reduction.sum(to_xhat * (x - mean), **along), to_r)
    to_mean = -r * reduction.sum(to_xhat, **along)
    to_variance = -0.5 * r * r * r * to_r
    return (
        to_dy,
        to_xhat * r,
        to_gamma,
        reshape(to_mean, mean.shape),
        reshape(to_variance, variance.shape),
    )


def _blocks(rows):
    """Slices of a few rows each."""
    step = max(1, BLOCK_BYTES // max(rows[:1].nbytes, 1))
    return [slice(start, start + step) for start in range(0, len(rows), step)]


def _block_room(rows):
    """Scratch memory for one block."""
    count = min(len(rows), _blocks(rows)[0].stop) if len(rows) else 0
    return scratch((count, rows.shape[1]), rows.dtype)


def _floats(x):
    x = convert_to_tensor(x)
    return x if is_float(x.dtype) else cast(x, result_type(x.dtype, float))


def _wide_type(x):
    """x in float32 or float64: half floats are too coarse for statistics."""
    return convert_to_tensor(x, result_type(x.dtype, "float32"))


def _narrow(x, dtype):
    """x in a narrower type; what does not fit is its largest number."""
    if x.dtype == dtype:
        return x
    most = float(np.finfo(dtype).max)
    return cast(minimum(maximum(x, -most), most), dtype)


def _open(shape):
    """A shape to reshape to: one unknown size may be -1."""
    return tuple(-1 if n is None else n for n in shape)
