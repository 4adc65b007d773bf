"""The loss of classification with class numbers for targets."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.errors import ShapeError
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


def _check_shapes(true: Any, pred: Any) -> None:
    name = "sparse_categorical_crossentropy"
    if len(pred) and pred[-1] == 1:
        raise ShapeError(
            f"{name} needs a prediction for each of several classes, but y_pred has "
            f"shape {pred}: one unit's probability would always be 1. For two classes "
            "use binary_crossentropy and a sigmoid; else end the model with one unit "
            "for each class."
        )
    if true == pred:
        raise ShapeError(
            f"{name} takes class numbers, but y_true has the shape of y_pred, {true}: "
            "it seems to be one-hot. Use categorical_crossentropy or y_true.argmax(-1)."
        )
    if len(true) != len(pred) - 1:
        raise ShapeError(
            f"{name} takes one class number for each prediction, but y_true has shape "
            f"{true} and y_pred has shape {pred}; {pred[:-1]} is needed."
        )


@keras_class("keras.losses", None, "keras.metrics")
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """values = -log(p[y_true])

    Probabilities are divided by their sum, and kept within [1e-7, 1 - 1e-7].

    Args:
        y_true: class numbers from 0 on, (batch, ...) or (batch, ..., 1).
        y_pred: probabilities p (of a softmax), (batch, ..., classes); with
            `from_logits` what the softmax is applied to.
        from_logits: whether y_pred has not been through a softmax yet.
        ignore_class: a number that means "no class"; such samples have the value 0.
        axis: the one that the classes lie along; it vanishes.

    Returns:
        (batch, ...)

    Raises:
        ShapeError: y_true is one-hot, or does not belong to y_pred.
        DataError: a class number is out of range.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(3)
    array([0.693], dtype=float32)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis=axis)
    _check_shapes(tuple(y_true.shape), tuple(y_pred.shape))
    if ignore_class is not None:
        valid = ops.not_equal(y_true, ignore_class)
        y_true = ops.where(valid, y_true, 0)
        y_pred = ops.where(ops.expand_dims(valid, axis), y_pred, 1.0)
    values = ops.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis
    )
    return values if ignore_class is None else ops.where(valid, values, 0.0)


def which_count(y_true: Any, y_pred: Any, ignore_class: int, axis: int) -> Any:
    """True where there is a class.

    >>> which_count([1, -1], [[0.5, 0.5], [0.5, 0.5]], -1, -1)
    array([ True, False])
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.squeeze(y_true, axis=axis)
    return ops.not_equal(y_true, ignore_class)


@keras_class("keras.losses")
class SparseCategoricalCrossentropy(NamedLoss):
    """loss = -mean over samples of log(p[y_true])

    Args:
        from_logits: whether y_pred has not been through a softmax yet.
        ignore_class: a number that means "no class"; such samples are left out of the
            mean.
        reduction: as in `Loss`.
        axis: the one that the classes lie along.
        name, dtype: as in `Loss`.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 3)
    0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits, self.ignore_class = from_logits, ignore_class
        self.axis = axis

    def mask(self, y_true: Any, y_pred: Any) -> Any:
        if self.ignore_class is None:
            return None
        return which_count(y_true, y_pred, self.ignore_class, self.axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["axis"] == -1:  # Keras reads it, but does not write it
            del config["axis"]
        return config
