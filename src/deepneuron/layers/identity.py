"""Identity: nothing happens, under a name."""

from __future__ import annotations

from typing import Any

from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Identity(Layer):
    """y = x

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Identity()(np.array([1.0], "float32"))
    array([1.], dtype=float32)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
