"""Activations that round off the corner of relu."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.serialization import keras_class

_MODULE = "keras.activations"


@keras_class(_MODULE)
def softplus(x: Any) -> Any:
    """y = log(1 + e^x)

    Args:
        x: of any shape.

    >>> softplus([-1.0, 2.0]).round(3)
    array([0.313, 2.127], dtype=float32)
    """
    return ops.softplus(x)


@keras_class(_MODULE)
def squareplus(x: Any, b: float = 4) -> Any:
    """y = (x + sqrt(x^2 + b)) / 2

    Args:
        x: of any shape.
        b: how round the corner is.

    Source: Barron, Squareplus: A Softplus-Like Algebraic Rectifier, 2021.

    >>> squareplus([0.0, 1.5])
    array([1., 2.], dtype=float32)
    """
    return ops.squareplus(x, b=b)


@keras_class(_MODULE)
def sparse_plus(x: Any) -> Any:
    """y = 0 where x <= -1, x where x >= 1, and (x + 1)^2 / 4 between

    Args:
        x: of any shape.

    >>> sparse_plus([-2.0, 0.0, 3.0])
    array([0.  , 0.25, 3.  ], dtype=float32)
    """
    return ops.sparse_plus(x)
