"""Weights that may not become negative."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.constraints.constraint import Constraint
from deepneuron.serialization import keras_class


@keras_class("keras.constraints")
class NonNeg(Constraint):
    """w := max(w, 0)

    >>> import numpy as np
    >>> NonNeg()(np.array([-1.0, 2.0], "float32"))
    array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(ops.convert_to_tensor(w), 0)
