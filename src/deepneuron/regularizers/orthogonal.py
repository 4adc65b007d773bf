"""A penalty on rows (or columns) of a kernel that point the same way."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.regularizers.factor import factor_of
from deepneuron.regularizers.regularizer import Regularizer
from deepneuron.serialization import keras_class


@keras_class("keras.regularizers")
class OrthogonalRegularizer(Regularizer):
    """penalty = factor * mean over pairs of rows of |cos(angle between them)|

    Args:
        factor: the strength.
        mode: "rows" or "columns": which of them shall be orthogonal.

    Raises:
        ArgumentError: another mode, or a factor that is negative or no number.
        ShapeError: the weight is no matrix.

    >>> float(OrthogonalRegularizer(1.0)(np.array([[1.0, 0.0], [0.0, 2.0]])))
    0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ArgumentError(
                'OrthogonalRegularizer: mode is "rows" or "columns"; received '
                f"{mode!r}."
            )
        self.factor, self.mode = factor_of(factor, "factor"), mode

    def __call__(self, inputs: Any) -> Any:
        if len(inputs.shape) != 2:
            raise ShapeError(
                "OrthogonalRegularizer takes matrices; the weight has shape "
                f"{tuple(inputs.shape)}."
            )
        rows = inputs if self.mode == "rows" else ops.transpose(inputs)
        count = rows.shape[0]
        lengths = ops.sqrt(ops.sum(ops.square(rows), axis=1, keepdims=True))
        rows = rows / ops.maximum(lengths, epsilon())
        cosines = ops.abs(rows @ ops.transpose(rows))  # (rows, rows)
        others = (1.0 - np.eye(count)).astype(cosines.dtype)
        pairs = count * (count - 1) / 2
        return (self.factor * 0.5 / pairs) * ops.sum(cosines * others)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}
