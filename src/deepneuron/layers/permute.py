"""Permute: the axes of each sample in another order."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Permute(Layer):
    """y[b, j, i] = x[b, i, j] for dims=(2, 1): axis k of y is axis dims[k - 1] of x

    Args:
        dims: the axes of x from 1 on, in their new order; the batch stays where it is.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Permute((2, 1))(np.ones((5, 2, 3), "float32")).shape
    (5, 3, 2)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                "Permute: dims holds each of the axes 1, 2, ... once; the batch, axis "
                f"0, is not among them. Received {dims!r}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(input_shape[d] for d in self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}
