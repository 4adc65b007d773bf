"""Activations with a corner at zero: relu and its relatives."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.serialization import keras_class

_MODULE = "keras.activations"


@keras_class(_MODULE)
def relu(
    x: Any,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Any:
    """y = max(x, 0), or in general

        y = max_value                         where x >= max_value
        y = x                                 where threshold <= x < max_value
        y = negative_slope * (x - threshold)  else

    Args:
        x: of any shape.
        negative_slope: what is left of the slope below the threshold.
        max_value: the greatest y; None for no limit.
        threshold: where x begins to pass.

    >>> relu([-1.0, 0.5, 3.0], negative_slope=0.5, max_value=2.0)
    array([-0.5,  0.5,  2. ], dtype=float32)
    """
    x = ops.convert_to_tensor(x)
    if max_value is None and threshold == 0:
        if negative_slope == 0:
            return ops.relu(x)
        return ops.leaky_relu(x, negative_slope=negative_slope)
    y = ops.relu(x) if threshold == 0 else ops.where(x > threshold, x, 0)
    if max_value is not None:
        y = ops.minimum(ops.maximum(y, 0), max_value)
    if negative_slope != 0:
        y = y - negative_slope * ops.relu(threshold - x)
    return y


@keras_class(_MODULE)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """y = x where x > 0, else negative_slope * x

    Args:
        x: of any shape.
        negative_slope: what is left of the slope below zero.

    >>> leaky_relu([-1.0, 2.0])
    array([-0.2,  2. ], dtype=float32)
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


@keras_class(_MODULE)
def relu6(x: Any) -> Any:
    """y = min(max(x, 0), 6)

    Args:
        x: of any shape.

    >>> relu6([-1.0, 2.0, 8.0])
    array([0., 2., 6.], dtype=float32)
    """
    return ops.relu6(x)


@keras_class(_MODULE)
def elu(x: Any, alpha: float = 1.0) -> Any:
    """y = x where x > 0, else alpha * (e^x - 1)

    Args:
        x: of any shape.
        alpha: y tends to -alpha far below zero.

    Source: Clevert et al., Fast and Accurate Deep Network Learning by Exponential
    Linear Units, 2016.

    >>> elu([-1.0, 2.0]).round(3)
    array([-0.632,  2.   ], dtype=float32)
    """
    return ops.elu(x, alpha=alpha)


@keras_class(_MODULE)
def celu(x: Any, alpha: float = 1.0) -> Any:
    """y = max(x, 0) + min(0, alpha * (e^(x / alpha) - 1)): elu without a corner

    Args:
        x: of any shape.
        alpha: y tends to -alpha far below zero.

    Source: Barron, Continuously Differentiable Exponential Linear Units, 2017.

    >>> celu([-1.0, 2.0]).round(3)
    array([-0.632,  2.   ], dtype=float32)
    """
    return ops.celu(x, alpha=alpha)


@keras_class(_MODULE)
def selu(x: Any) -> Any:
    """y = 1.0507 * elu(x, alpha=1.6733): keeps mean 0 and variance 1 through the layers

    Args:
        x: of any shape; initialize the kernels with "lecun_normal".

    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.

    >>> selu([-1.0, 2.0]).round(3)
    array([-1.111,  2.101], dtype=float32)
    """
    return ops.selu(x)


@keras_class(_MODULE)
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """y = x where x > threshold, else default_value

    Args:
        x: of any shape.
        threshold: where x begins to pass.
        default_value: what stands in for the rest.

    >>> threshold([-1.0, 0.5, 2.0], 1.0, 0.0)
    array([0., 0., 2.], dtype=float32)
    """
    return ops.threshold(x, threshold, default_value)
