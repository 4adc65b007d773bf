"""Reshape: the values of each sample under another shape."""

from __future__ import annotations

import math
from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Reshape(Layer):
    """y = the values of x in the same order, sample by sample, under `target_shape`

    Shapes: x (batch, ...) gives y (batch, *target_shape).

    Args:
        target_shape: without the axis of the batch. One size may be -1: what is left.

    Raises:
        ArgumentError: sizes that are no sizes, or several -1.
        ShapeError: (at the call) x holds another number of values.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Reshape((2, -1))(np.ones((5, 6), "float32")).shape
    (5, 2, 3)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        whole = (target_shape,) if isinstance(target_shape, int) else target_shape
        sizes = tuple(whole)
        if sizes.count(-1) > 1 or not all(
            isinstance(n, int) and (n == -1 or n >= 0) for n in sizes
        ):
            raise ArgumentError(
                "Reshape: target_shape holds sizes, at most one of them -1 for what is "
                f"left; received {target_shape!r}."
            )
        self.target_shape = sizes
        self.built = True

    def call(self, inputs: Any) -> Any:
        batch, *sizes = self.compute_output_shape(tuple(inputs.shape))
        return ops.reshape(inputs, (batch, *(-1 if n is None else n for n in sizes)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *sizes = input_shape
        target = self.target_shape
        if None in sizes:
            return (batch, *(None if n == -1 else n for n in target))
        size = math.prod(sizes)
        known = math.prod(n for n in target if n != -1)
        if (size != known) if -1 not in target else (known == 0 or size % known):
            raise ShapeError(
                f"{self._called()}: a sample of shape {tuple(sizes)} has {size} "
                f"values, which do not fill target_shape={target}. The product of the "
                "sizes must be the same."
            )
        return (batch, *(size // known if n == -1 else n for n in target))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}
