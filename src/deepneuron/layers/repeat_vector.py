"""RepeatVector: one vector becomes a sequence of n equal ones."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.layers.arguments import positive
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class RepeatVector(Layer):
    """y[b, i] = x[b] for i = 0 ... n - 1

    Shapes: x (batch, features) gives y (batch, n, features).

    Args:
        n: how many times.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.RepeatVector(4)(np.ones((5, 2), "float32")).shape
    (5, 4, 2)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(n, "n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}
