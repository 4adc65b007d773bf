"""Losses that square small errors and take large ones as they are."""

from __future__ import annotations

import math
from typing import Any

from deepneuron import ops
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


@keras_class("keras.losses", None, "keras.metrics")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """values = mean over outputs of, with the error e = y_pred - y_true,

        e^2 / 2                  where |e| <= delta
        delta |e| - delta^2 / 2  else

    Args:
        y_true, y_pred: targets and predictions, (batch, ..., outputs).
        delta: from which error on an output counts as an outlier.

    Returns:
        (batch, ...)

    Source: Huber, Robust Estimation of a Location Parameter, 1964.

    >>> huber([[0.0, 0.0]], [[0.5, 3.0]])
    array([1.3125], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "huber")
    error = ops.abs(y_pred - y_true)
    values = ops.where(
        error <= delta, 0.5 * ops.square(error), delta * error - 0.5 * delta**2
    )
    return ops.mean(values, axis=-1)


@keras_class("keras.losses")
class Huber(NamedLoss):
    """loss = mean of e^2 / 2 for small errors e, delta |e| - delta^2 / 2 for large ones

    Args:
        delta: from which error on an output counts as an outlier.
        reduction, name, dtype: as in `Loss`.

    >>> float(Huber()([[0.0, 0.0]], [[0.5, 3.0]]))
    1.3125
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["delta"] == 1.0:  # Keras reads it, but does not write it
            del config["delta"]
        return config


@keras_class("keras.losses", None, "keras.metrics")
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """values = mean over outputs of log(cosh(y_pred - y_true))

    Args:
        y_true, y_pred: targets and predictions, (batch, ..., outputs).

    Returns:
        (batch, ...)

    >>> log_cosh([[0.0, 0.0]], [[1.0, 0.0]]).round(3)
    array([0.217], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "log_cosh")
    error = y_pred - y_true  # cosh(e) = (e^e + e^-e) / 2, with e^e taken out
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


@keras_class("keras.losses")
class LogCosh(NamedLoss):
    """loss = mean of log(cosh(y_pred - y_true))

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> round(float(LogCosh()([[0.0, 0.0]], [[1.0, 0.0]])), 3)
    0.217
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)
