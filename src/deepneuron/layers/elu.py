"""ELU: linear above 0, an exponential towards -alpha below."""

from __future__ import annotations

from typing import Any

from deepneuron import activations
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class ELU(Layer):
    """y = x where x > 0, else alpha * (exp(x) - 1)

    Args:
        alpha: what y tends to, with a minus before it, where x is very negative.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.ELU()(np.array([0.0, 2.0], "float32"))
    array([0., 2.], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
