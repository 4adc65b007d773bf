"""Weights that may not grow longer than a given length."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.constraints.constraint import Constraint, norms
from deepneuron.engine.config import epsilon
from deepneuron.serialization import keras_class


@keras_class("keras.constraints")
class MaxNorm(Constraint):
    """w := w * min(|w|, max_value) / |w|

    Args:
        max_value: the greatest length.
        axis: along which the length is measured: 0 for the weights into each unit of a
            Dense layer, (0, 1, 2) for each filter of a Conv2D layer.

    >>> import numpy as np
    >>> MaxNorm(1.0)(np.array([[3.0], [4.0]], "float32")).round(3)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        length = norms(w, self.axis)
        return w * (ops.minimum(length, self.max_value) / (epsilon() + length))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}
