"""Losses that take the error as it is: outliers count no more than they are off."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


@keras_class("keras.losses", None, "keras.metrics")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """values = mean over outputs of |y_true - y_pred|

    Args:
        y_true, y_pred: targets and predictions, (batch, ..., outputs).

    Returns:
        (batch, ...)

    >>> mean_absolute_error([[0.0, 1.0]], [[1.0, 3.0]])
    array([1.5], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "mean_absolute_error")
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@keras_class("keras.losses")
class MeanAbsoluteError(NamedLoss):
    """loss = mean of |y_true - y_pred|

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]]))
    1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


@keras_class("keras.losses", None, "keras.metrics")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """values = 100 * mean over outputs of |y_true - y_pred| / max(|y_true|, 1e-7)

    Args:
        y_true, y_pred: targets and predictions, (batch, ..., outputs).

    Returns:
        (batch, ...)

    >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 5.0]])
    array([37.5], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "mean_absolute_percentage_error")
    sizes = ops.maximum(ops.abs(y_true), epsilon())
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / sizes), axis=-1)


@keras_class("keras.losses")
class MeanAbsolutePercentageError(NamedLoss):
    """loss = 100 * mean of |y_true - y_pred| / |y_true|

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 5.0]]))
    37.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)
