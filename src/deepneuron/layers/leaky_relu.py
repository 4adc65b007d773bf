"""LeakyReLU: a ReLU that lets a little of the negative through."""

from __future__ import annotations

from typing import Any

from deepneuron import activations
from deepneuron.errors import ArgumentError
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class LeakyReLU(Layer):
    """y = x where x > 0, else negative_slope * x

    Args:
        negative_slope: the slope below 0.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.LeakyReLU(0.5)(np.array([-1.0, 2.0], "float32"))
    array([-0.5,  2. ], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        # The argument's name in older tutorials and files.
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ArgumentError(
                f"LeakyReLU: negative_slope is at least 0; received {negative_slope!r}."
            )
        self.negative_slope = negative_slope
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}
