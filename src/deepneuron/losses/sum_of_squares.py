"""The classic cost J(w) of Adaline and of the first multi-layer networks."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


@keras_class("deepneuron.losses", None, "keras.losses")
def sum_of_squared_errors(y_true: Any, y_pred: Any) -> Any:
    """values = 1/2 sum over outputs of (y_true - y_pred)^2

    The half makes the gradient beautiful: d values / d y_pred = y_pred - y_true.

    Args:
        y_true, y_pred: targets and predictions, (batch, ..., outputs).

    Returns:
        (batch, ...), a value for each sample; the class `SumOfSquaredErrors` adds them.

    >>> sum_of_squared_errors([[0.0, 1.0], [0.0, 0.0]], [[1.0, 3.0], [0.0, 2.0]])
    array([2.5, 2. ], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "sum_of_squared_errors")
    return 0.5 * ops.sum(ops.square(y_true - y_pred), axis=-1)


@keras_class("deepneuron.losses")
class SumOfSquaredErrors(NamedLoss):
    """J(w) = 1/2 sum over samples and outputs of (y_true - y_pred)^2

    It grows with the batch, and so does its gradient: a learning rate that suits 100
    samples is ten times too large for 1000. Keras has no such loss; a model that is
    compiled with it is opened by Keras with `compile=False`.

    Args:
        reduction: "sum" by default; see `Loss` for the others.
        name, dtype: as in `Loss`.

    Source: Widrow and Hoff, Adaptive Switching Circuits, 1960.

    >>> float(SumOfSquaredErrors()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 3.0], [0.0, 2.0]]))
    4.5
    """

    def __init__(
        self,
        reduction: str | None = "sum",
        name: str = "sum_of_squared_errors",
        dtype: Any = None,
    ) -> None:
        super().__init__(sum_of_squared_errors, reduction, name, dtype)
