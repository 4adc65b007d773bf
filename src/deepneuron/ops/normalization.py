"""Moments of values, and dividing values by what they measure together.

Batch and layer normalisation have files of their own.
"""

from __future__ import annotations

import numpy as np

from deepneuron.engine.config import epsilon as default_epsilon
from deepneuron.engine.dtypes import result_type
from deepneuron.errors import ArgumentError
from deepneuron.ops import reduction
from deepneuron.ops.arithmetic import maximum, minimum, rsqrt, square
from deepneuron.ops.reduction import axes_of
from deepneuron.ops.shape import reshape, squeeze
from deepneuron.ops.types import as_floats, cast, convert_to_tensor


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
    x = as_floats(x)
    dtype, wide = x.dtype, wide_type(x)
    axes = axes_of(axes, len(x.shape))
    mean = reduction.mean(wide, axis=axes, keepdims=True)
    variance = reduction.mean(square(wide - mean), axis=axes, keepdims=True)
    if not keepdims:
        mean, variance = squeeze(mean, axes), squeeze(variance, axes)
    return _narrow(mean, dtype), _narrow(variance, dtype)


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
    wide = wide_type(x)
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
    x = as_floats(x)
    x = reshape(x, (1,)) if len(x.shape) == 0 else x
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    if order == 2:
        total = reduction.sum(square(x), axis=axis, keepdims=True)
        return x * minimum(rsqrt(total), 1.0 / epsilon)
    total = reduction.sum(abs(x) ** order, axis=axis, keepdims=True)
    norm = total if order == 1 else total ** (1.0 / order)
    return x / maximum(norm, epsilon)


def wide_type(x):
    """x in float32 or float64: half floats are too coarse for statistics."""
    return convert_to_tensor(x, result_type(x.dtype, "float32"))


def _narrow(x, dtype):
    """x in a narrower type; what does not fit is its largest number."""
    if x.dtype == dtype:
        return x
    most = float(np.finfo(dtype).max)
    return cast(minimum(maximum(x, -most), most), dtype)
