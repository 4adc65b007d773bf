"""Initial values that are known beforehand: zeros, ones, a constant, the identity."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from deepneuron import serialization
from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.errors import ShapeError
from deepneuron.initializers.initializer import Initializer
from deepneuron.serialization import keras_class


@keras_class("keras.initializers")
class Zeros(Initializer):
    """w = 0

    >>> Zeros()((2,))
    array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.zeros(shape, standardize_dtype(dtype))


@keras_class("keras.initializers")
class Ones(Initializer):
    """w = 1

    >>> Ones()((2,))
    array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.ones(shape, standardize_dtype(dtype))


@keras_class("keras.initializers")
class Constant(Initializer):
    """w = value

    Args:
        value: a number, or an array that is broadcast to the shape of the weight.

    >>> Constant(0.5)((2,))
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return np.full(shape, self.value, standardize_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {"value": serialization.serialize(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(serialization.deserialize(config["value"]))


@keras_class("keras.initializers")
class Identity(Initializer):
    """w = gain * I: ones (times gain) on the diagonal, zeros elsewhere

    Args:
        gain: the value on the diagonal.

    Raises:
        ShapeError: the weight is no matrix.

    >>> Identity()((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        if len(shape) != 2:
            raise ShapeError(
                f"Identity initializes matrices; the weight has shape {tuple(shape)}."
            )
        dtype = standardize_dtype(dtype)
        return np.asarray(self.gain * np.eye(*shape, dtype=dtype), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
