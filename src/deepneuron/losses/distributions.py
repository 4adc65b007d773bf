"""Losses between a predicted and a true distribution: Kullback-Leibler, Poisson."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


@keras_class("keras.losses", None, "keras.metrics")
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """values = sum over classes of y_true * log(y_true / y_pred)

    Probabilities are kept within [1e-7, 1].

    Args:
        y_true, y_pred: probabilities, (batch, ..., classes).

    Returns:
        (batch, ...)

    >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(3)
    array([0.144], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "kl_divergence")
    y_true = ops.clip(y_true, epsilon(), 1.0)
    y_pred = ops.clip(y_pred, epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@keras_class("keras.losses")
class KLDivergence(NamedLoss):
    """loss = mean over samples of sum over classes of y_true * log(y_true / y_pred)

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 3)
    0.144
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


@keras_class("keras.losses", None, "keras.metrics")
def poisson(y_true: Any, y_pred: Any) -> Any:
    """values = mean over outputs of y_pred - y_true * log(y_pred + 1e-7)

    Args:
        y_true: counts, (batch, ..., outputs).
        y_pred: expected counts, positive, of the same shape.

    Returns:
        (batch, ...)

    >>> poisson([[2.0, 0.0]], [[1.0, 1.0]]).round(3)
    array([1.], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "poisson")
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


@keras_class("keras.losses")
class Poisson(NamedLoss):
    """loss = mean of y_pred - y_true * log(y_pred)

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> round(float(Poisson()([[2.0, 0.0]], [[1.0, 1.0]])), 3)
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
