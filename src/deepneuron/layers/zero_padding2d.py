"""ZeroPadding2D: a frame of zeros around a picture."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.layers.arguments import data_format_of, margins_of, spatial_axes
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class ZeroPadding2D(Layer):
    """y[b, i + top, j + left, c] = x[b, i, j, c], and 0 elsewhere

    Shapes: x (batch, height, width, channels) gives y (batch, height + top + bottom,
    width + left + right, channels).

    Args:
        padding: one number for all sides, (height, width), or
            ((top, bottom), (left, right)).
        data_format: "channels_last" (default) or "channels_first".

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.ZeroPadding2D(2)(np.ones((1, 3, 3, 1), "float32")).shape
    (1, 7, 7, 1)
    """

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.padding = margins_of(padding, "padding")
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        margins: list[tuple[int, ...]] = [(0, 0)] * 4
        for axis, margin in zip(
            spatial_axes(self.data_format, 2), self.padding, strict=True
        ):
            margins[axis] = margin
        return ops.pad(inputs, tuple(margins))

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = list(input_shape)
        for axis, margin in zip(
            spatial_axes(self.data_format, 2), self.padding, strict=True
        ):
            if shape[axis] is not None:
                shape[axis] += sum(margin)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "padding": self.padding,
            "data_format": self.data_format,
        }
