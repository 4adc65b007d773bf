"""The activation that is none, and the exponential."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.serialization import keras_class

_MODULE = "keras.activations"


@keras_class(_MODULE)
def linear(x: Any) -> Any:
    """y = x

    Args:
        x: anything; it is returned as it is.

    >>> linear(3.0)
    3.0
    """
    return x


@keras_class(_MODULE)
def exponential(x: Any) -> Any:
    """y = e^x

    Args:
        x: of any shape.

    >>> exponential([0.0, 1.0]).round(3)
    array([1.   , 2.718], dtype=float32)
    """
    return ops.exp(x)
