"""Activations that see all units of a layer at once, and share 1 out among them."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.serialization import keras_class

_MODULE = "keras.activations"


@keras_class(_MODULE)
def softmax(x: Any, axis: int = -1) -> Any:
    """y = e^x / sum of e^x along axis: the probabilities that belong to the logits x

    Args:
        x: of at least one axis.
        axis: the one along which y sums to 1.

    >>> softmax([[0.0, 1.0, 2.0]]).round(3)
    array([[0.09 , 0.245, 0.665]], dtype=float32)
    """
    return ops.softmax(x, axis=axis)


@keras_class(_MODULE)
def log_softmax(x: Any, axis: int = -1) -> Any:
    """y = x - log(sum of e^x along axis)

    Args:
        x: of at least one axis.
        axis: the one along which e^y sums to 1.

    >>> log_softmax([[0.0, 1.0, 2.0]]).round(3)
    array([[-2.408, -1.408, -0.408]], dtype=float32)
    """
    return ops.log_softmax(x, axis=axis)


@keras_class(_MODULE)
def sparsemax(x: Any, axis: int = -1) -> Any:
    """y = max(x - tau, 0), with tau such that y sums to 1 along axis

    The nearest point to x among all probabilities; the smallest are exactly 0.

    Args:
        x: of at least one axis.
        axis: the one along which y sums to 1.

    Source: Martins and Astudillo, From Softmax to Sparsemax, 2016.

    >>> sparsemax([[0.0, 1.0, 1.5]])
    array([[0.  , 0.25, 0.75]], dtype=float32)
    """
    return ops.sparsemax(x, axis=axis)
