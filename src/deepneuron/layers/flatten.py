"""Flatten: all axes but that of the batch become one."""

from __future__ import annotations

import math
from typing import Any

from deepneuron import ops
from deepneuron.layers.arguments import data_format_of
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Flatten(Layer):
    """y = the values of x, sample by sample, in one axis

    Shapes: x (batch, a, b, ...) gives y (batch, a * b * ...); (batch,) gives
    (batch, 1).

    Args:
        data_format: with "channels_first" the channels are moved to the end before.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Flatten()(np.ones((2, 3, 4), "float32")).shape
    (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        ndim = len(inputs.shape)
        if self.data_format == "channels_first" and ndim > 2:
            inputs = ops.transpose(inputs, (0, *range(2, ndim), 1))
        batch, size = self.compute_output_shape(tuple(inputs.shape))
        return ops.reshape(inputs, (batch, -1 if size is None else size))

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *sizes = input_shape
        return (batch, None if None in sizes else math.prod(sizes))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
