"""UpSampling2D: every pixel becomes several."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.layers.arguments import (
    data_format_of,
    refuse,
    sizes_of,
    spatial_axes,
)
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class UpSampling2D(Layer):
    """y[b, i, j, c] = x[b, i // height_factor, j // width_factor, c]

    Shapes: x (batch, height, width, channels) gives y (batch, height * height_factor,
    width * width_factor, channels).

    Args:
        size: (height_factor, width_factor), or one number for both.
        data_format: "channels_last" (default) or "channels_first".
        interpolation: only "nearest", which repeats pixels.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.UpSampling2D(2)(np.ones((1, 3, 3, 1), "float32")).shape
    (1, 6, 6, 1)
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = sizes_of(size, 2, "size")
        self.data_format = data_format_of(data_format)
        self.interpolation = interpolation.lower()
        if self.interpolation != "nearest":
            refuse("UpSampling2D", interpolation=interpolation)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        y = inputs
        for axis, times in zip(
            spatial_axes(self.data_format, 2), self.size, strict=True
        ):
            y = ops.repeat(y, times, axis=axis)
        return y

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = list(input_shape)
        for axis, times in zip(
            spatial_axes(self.data_format, 2), self.size, strict=True
        ):
            if shape[axis] is not None:
                shape[axis] *= times
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }
