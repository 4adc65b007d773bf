"""Activations in which x is multiplied by a gate that x itself opens."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.serialization import keras_class

_MODULE = "keras.activations"


@keras_class(_MODULE)
def silu(x: Any) -> Any:
    """y = x * sigmoid(x), also called swish

    Args:
        x: of any shape.

    Source: Ramachandran et al., Searching for Activation Functions, 2017.

    >>> silu([-1.0, 2.0]).round(3)
    array([-0.269,  1.762], dtype=float32)
    """
    return ops.silu(x)


@keras_class(_MODULE)
def hard_silu(x: Any) -> Any:
    """y = x * hard_sigmoid(x), also called hard swish

    Args:
        x: of any shape.

    Source: Howard et al., Searching for MobileNetV3, 2019.

    >>> hard_silu([-4.0, 1.5]) + 0.0
    array([0.   , 1.125], dtype=float32)
    """
    return ops.hard_silu(x)


@keras_class(_MODULE)
def gelu(x: Any, approximate: bool = False) -> Any:
    """y = x * P(X <= x) for a standard normal X

    Args:
        x: of any shape.
        approximate: use 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) instead.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016.

    >>> gelu([-1.0, 2.0]).round(3)
    array([-0.159,  1.954], dtype=float32)
    """
    return ops.gelu(x, approximate=approximate)


@keras_class(_MODULE)
def mish(x: Any) -> Any:
    """y = x * tanh(softplus(x))

    Args:
        x: of any shape.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2019.

    >>> mish([-1.0, 2.0]).round(3)
    array([-0.303,  1.944], dtype=float32)
    """
    x = ops.convert_to_tensor(x)
    return x * ops.tanh(ops.softplus(x))


@keras_class(_MODULE)
def glu(x: Any, axis: int = -1) -> Any:
    """y = a * sigmoid(b), where a and b are the halves of x along axis

    Args:
        x: of an even size along axis.
        axis: the one that is halved.

    Source: Dauphin et al., Language Modeling with Gated Convolutional Networks, 2017.

    >>> glu([3.0, 0.0])
    array([1.5], dtype=float32)
    """
    return ops.glu(x, axis=axis)
