"""ReLU as a layer, with a ceiling, a slope below, and a threshold."""

from __future__ import annotations

from typing import Any

from deepneuron import activations
from deepneuron.errors import ArgumentError
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class ReLU(Layer):
    """y = x where x >= threshold, else negative_slope * (x - threshold)

    and max_value where that is more.

    Args:
        max_value: the largest y; None is no limit.
        negative_slope: the slope below the threshold.
        threshold: where the slope changes.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.ReLU(max_value=1.0)(np.array([-1.0, 0.5, 2.0], "float32"))
    array([0. , 0.5, 1. ], dtype=float32)
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = {"negative_slope": negative_slope, "threshold": threshold}
        if max_value is not None:
            given["max_value"] = max_value
        for name, value in given.items():
            if value is None or value < 0:
                raise ArgumentError(f"ReLU: {name} is at least 0; received {value!r}.")
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
