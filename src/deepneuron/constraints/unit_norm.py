"""Weights of length 1."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.constraints.constraint import Constraint, norms
from deepneuron.engine.config import epsilon
from deepneuron.serialization import keras_class


@keras_class("keras.constraints")
class UnitNorm(Constraint):
    """w := w / |w|

    Args:
        axis: along which the length is measured: 0 for the weights into each unit of a
            Dense layer, (0, 1, 2) for each filter of a Conv2D layer.

    >>> import numpy as np
    >>> UnitNorm()(np.array([[3.0], [4.0]], "float32")).round(3)
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return w / (epsilon() + norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}
