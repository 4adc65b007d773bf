"""Cropping2D: rows and columns at the sides of a picture fall away."""

from __future__ import annotations

from typing import Any

from deepneuron.errors import ShapeError
from deepneuron.layers.arguments import data_format_of, margins_of, spatial_axes
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Cropping2D(Layer):
    """y[b, i, j, c] = x[b, i + top, j + left, c]

    Shapes: x (batch, height, width, channels) gives y (batch, height - top - bottom,
    width - left - right, channels).

    Args:
        cropping: one number for all sides, (height, width), or
            ((top, bottom), (left, right)).
        data_format: "channels_last" (default) or "channels_first".

    Raises:
        ShapeError: (at the call) nothing would be left.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Cropping2D(1)(np.ones((1, 5, 5, 1), "float32")).shape
    (1, 3, 3, 1)
    """

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cropping = margins_of(cropping, "cropping")
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(tuple(inputs.shape))
        index = [slice(None)] * 4
        for axis, (before, after) in zip(
            spatial_axes(self.data_format, 2), self.cropping, strict=True
        ):
            index[axis] = slice(before, -after if after else None)
        return inputs[tuple(index)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = list(input_shape)
        for axis, margin in zip(
            spatial_axes(self.data_format, 2), self.cropping, strict=True
        ):
            if shape[axis] is not None:
                shape[axis] -= sum(margin)
                if shape[axis] <= 0:
                    raise ShapeError(
                        f"{self._called()}: cropping={self.cropping} leaves nothing of "
                        f"an input of shape {tuple(input_shape)}. Crop less."
                    )
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "cropping": self.cropping,
            "data_format": self.data_format,
        }
