"""Losses that are satisfied with a margin: right by more than 1 costs nothing."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


def _signs(y_true: Any) -> Any:
    """Targets -1 and 1; targets that are all 0 or 1 are taken for these."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(binary, 2.0 * y_true - 1.0, y_true)


def _shortfall(y_true: Any, y_pred: Any) -> Any:
    """max(1 - y_true * y_pred, 0)"""
    return ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)


@keras_class("keras.losses", None, "keras.metrics")
def hinge(y_true: Any, y_pred: Any) -> Any:
    """values = mean over outputs of max(1 - y_true * y_pred, 0)

    Args:
        y_true: -1 or 1; a batch of 0 and 1 only is converted.
        y_pred: of the same shape, (batch, ..., outputs); usually of a tanh or linear
            layer.

    Returns:
        (batch, ...)

    >>> hinge([[1.0, -1.0]], [[0.5, 0.5]])
    array([1.], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "hinge")
    return ops.mean(_shortfall(y_true, y_pred), axis=-1)


@keras_class("keras.losses")
class Hinge(NamedLoss):
    """loss = mean of max(1 - y_true * y_pred, 0)

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> float(Hinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


@keras_class("keras.losses", None, "keras.metrics")
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """values = mean over outputs of max(1 - y_true * y_pred, 0)^2

    Args:
        y_true: -1 or 1; a batch of 0 and 1 only is converted.
        y_pred: of the same shape, (batch, ..., outputs).

    Returns:
        (batch, ...)

    >>> squared_hinge([[1.0, -1.0]], [[0.5, 0.5]])
    array([1.25], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "squared_hinge")
    return ops.mean(ops.square(_shortfall(y_true, y_pred)), axis=-1)


@keras_class("keras.losses")
class SquaredHinge(NamedLoss):
    """loss = mean of max(1 - y_true * y_pred, 0)^2

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> float(SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


@keras_class("keras.losses", None, "keras.metrics")
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """values = max(1 + best wrong score - right score, 0)

    Args:
        y_true: one-hot, (batch, ..., classes).
        y_pred: scores of the same shape.

    Returns:
        (batch, ...)

    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]])
    array([0.75], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "categorical_hinge")
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


@keras_class("keras.losses")
class CategoricalHinge(NamedLoss):
    """loss = mean of max(1 + best wrong score - right score, 0)

    Args:
        reduction, name, dtype: as in `Loss`.

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
