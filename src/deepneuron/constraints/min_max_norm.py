"""Weights whose length stays between two bounds."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.constraints.constraint import Constraint, norms
from deepneuron.engine.config import epsilon
from deepneuron.serialization import keras_class


@keras_class("keras.constraints")
class MinMaxNorm(Constraint):
    """w := w * (rate * clip(|w|, min_value, max_value) + (1 - rate) * |w|) / |w|

    Args:
        min_value, max_value: the least and the greatest length.
        rate: 1 enforces the bounds at once, less moves towards them step by step.
        axis: along which the length is measured: 0 for the weights into each unit of a
            Dense layer, (0, 1, 2) for each filter of a Conv2D layer.

    >>> import numpy as np
    >>> MinMaxNorm()(np.array([[3.0], [4.0]], "float32")).round(3)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Any = 0,
    ) -> None:
        self.min_value, self.max_value = min_value, max_value
        self.rate, self.axis = rate, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        length = norms(w, self.axis)
        within = ops.minimum(ops.maximum(length, self.min_value), self.max_value)
        wanted = self.rate * within + (1 - self.rate) * length
        return w * (wanted / (epsilon() + length))

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
