"""Activations that flatten out on both sides: sigmoid, tanh and their relatives."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.serialization import keras_class

_MODULE = "keras.activations"


@keras_class(_MODULE)
def sigmoid(x: Any) -> Any:
    """y = 1 / (1 + e^-x), between 0 and 1: the probability that belongs to the logit x

    Args:
        x: of any shape.

    >>> sigmoid([-2.0, 0.0]).round(3)
    array([0.119, 0.5  ], dtype=float32)
    """
    return ops.sigmoid(x)


@keras_class(_MODULE)
def log_sigmoid(x: Any) -> Any:
    """y = log(1 / (1 + e^-x))

    Args:
        x: of any shape.

    >>> log_sigmoid([-2.0, 0.0]).round(3)
    array([-2.127, -0.693], dtype=float32)
    """
    return ops.log_sigmoid(x)


@keras_class(_MODULE)
def hard_sigmoid(x: Any) -> Any:
    """y = min(max(x / 6 + 1/2, 0), 1): the sigmoid of straight lines

    Args:
        x: of any shape.

    >>> hard_sigmoid([-4.0, 0.0, 1.5])
    array([0.  , 0.5 , 0.75], dtype=float32)
    """
    return ops.hard_sigmoid(x)


@keras_class(_MODULE)
def sparse_sigmoid(x: Any) -> Any:
    """y = min(max((x + 1) / 2, 0), 1): exactly 0 and 1 outside of [-1, 1]

    Args:
        x: of any shape.

    Source: Martins and Astudillo, From Softmax to Sparsemax, 2016.

    >>> sparse_sigmoid([-2.0, 0.0, 0.5])
    array([0.  , 0.5 , 0.75], dtype=float32)
    """
    return ops.sparse_sigmoid(x)


@keras_class(_MODULE)
def tanh(x: Any) -> Any:
    """y = (e^x - e^-x) / (e^x + e^-x), between -1 and 1

    Args:
        x: of any shape.

    >>> tanh([-1.0, 0.0]).round(3)
    array([-0.762,  0.   ], dtype=float32)
    """
    return ops.tanh(x)


@keras_class(_MODULE)
def hard_tanh(x: Any) -> Any:
    """y = min(max(x, -1), 1)

    Args:
        x: of any shape.

    >>> hard_tanh([-2.0, 0.5])
    array([-1. ,  0.5], dtype=float32)
    """
    return ops.hard_tanh(x)


@keras_class(_MODULE)
def softsign(x: Any) -> Any:
    """y = x / (1 + |x|), between -1 and 1

    Args:
        x: of any shape.

    >>> softsign([-1.0, 3.0])
    array([-0.5 ,  0.75], dtype=float32)
    """
    return ops.softsign(x)
