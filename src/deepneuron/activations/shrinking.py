"""Activations that take away what lies near zero."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.serialization import keras_class

_MODULE = "keras.activations"


@keras_class(_MODULE)
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = sign(x) * max(|x| - threshold, 0)

    Args:
        x: of any shape.
        threshold: how much nearer to zero y is.

    >>> soft_shrink([-2.0, 0.3, 1.0])
    array([-1.5,  0. ,  0.5], dtype=float32)
    """
    return ops.soft_shrink(x, threshold=threshold)


@keras_class(_MODULE)
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = x where |x| > threshold, else 0

    Args:
        x: of any shape.
        threshold: what is smaller than that vanishes.

    >>> hard_shrink([-2.0, 0.3, 1.0])
    array([-2.,  0.,  1.], dtype=float32)
    """
    return ops.hard_shrink(x, threshold=threshold)


@keras_class(_MODULE)
def tanh_shrink(x: Any) -> Any:
    """y = x - tanh(x)

    Args:
        x: of any shape.

    >>> tanh_shrink([-1.0, 0.0]).round(3)
    array([-0.238,  0.   ], dtype=float32)
    """
    return ops.tanh_shrink(x)
