"""Losses that square the error: twice as wrong counts four times as much."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


@keras_class("keras.losses", None, "keras.metrics")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """values = mean over outputs of (y_true - y_pred)^2

    Args:
        y_true, y_pred: targets and predictions, (batch, ..., outputs).

    Returns:
        (batch, ...)

    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]])
    array([2.5], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "mean_squared_error")
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@keras_class("keras.losses")
class MeanSquaredError(NamedLoss):
    """loss = mean of (y_true - y_pred)^2

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]))
    2.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


@keras_class("keras.losses", None, "keras.metrics")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """values = mean over outputs of (log(1 + y_true) - log(1 + y_pred))^2

    Numbers below 1e-7 count as 1e-7.

    Args:
        y_true, y_pred: targets and predictions, (batch, ..., outputs).

    Returns:
        (batch, ...)

    >>> mean_squared_logarithmic_error([[0.0, 0.0]], [[1.0, 1.0]]).round(3)
    array([0.48], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "mean_squared_logarithmic_error")
    logs = [ops.log(ops.maximum(y, epsilon()) + 1.0) for y in (y_pred, y_true)]
    return ops.mean(ops.square(logs[0] - logs[1]), axis=-1)


@keras_class("keras.losses")
class MeanSquaredLogarithmicError(NamedLoss):
    """loss = mean of (log(1 + y_true) - log(1 + y_pred))^2

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> round(float(MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 3)
    0.48
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)
