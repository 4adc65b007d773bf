"""Rescaling: a fixed factor and offset, such as 1/255 for pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class, serialize


@keras_class("keras.layers")
class Rescaling(Layer):
    """y = x * scale + offset

    Integers become floats before.

    Args:
        scale: a number, or an array that broadcasts to x.
        offset: likewise.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Rescaling(1 / 255)(np.array([0, 255], "uint8"))
    array([0., 1.], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        scale = np.asarray(self.scale, self.compute_dtype)
        offset = np.asarray(self.offset, self.compute_dtype)
        return ops.cast(inputs, self.compute_dtype) * scale + offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": serialize(self.scale),
            "offset": serialize(self.offset),
        }
