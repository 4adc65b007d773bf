"""The loss of classification with one-hot targets, plain and focal."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


def one_hot_targets(
    y_true: Any, y_pred: Any, label_smoothing: float, axis: int, name: str
) -> tuple[Any, Any]:
    """Targets and predictions of one shape and type, the targets smoothed.

    Raises:
        ArgumentError: axis is no integer.
        ShapeError: the targets are not one-hot, or there is one class only.

    >>> y_true, _ = one_hot_targets([[0.0, 1.0]], [[0.5, 0.5]], 0.2, -1, "loss")
    >>> y_true.round(2)
    array([[0.1, 0.9]], dtype=float32)
    """
    if isinstance(axis, bool):
        raise ArgumentError(f"{name}: axis must be an integer; received {axis!r}.")
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if pred and pred[-1] == 1:
        raise ShapeError(
            f"{name} needs a prediction for each of several classes, but y_pred has "
            f"shape {pred}: one unit's probability would always be 1. For two classes "
            "use binary_crossentropy and a sigmoid; else end the model with one unit "
            "for each class."
        )
    if len(true) != len(pred) or any(
        n != m and None not in (n, m) for n, m in zip(true, pred, strict=False)
    ):
        raise ShapeError(_misfit(name, true, pred, axis))
    if label_smoothing:
        classes = y_pred.shape[axis]
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    return y_true, y_pred


def _misfit(name: str, true: Any, pred: Any, axis: int) -> str:
    message = (
        f"{name} compares one-hot targets with predictions of the same shape, but "
        f"y_true has shape {true} and y_pred has shape {pred}. "
    )
    if true == pred[:-1] or true == (*pred[:-1], 1):
        return message + (
            "y_true seems to hold class numbers: use sparse_categorical_crossentropy, "
            f"or utils.to_categorical(y, {pred[-1]})."
        )
    if len(true) == len(pred):
        return message + (
            f"There are {true[axis]} classes in y_true and {pred[axis]} units in the "
            "last layer."
            if true[axis] != pred[axis]
            else "They hold different numbers of samples."
        )
    return message + "End the model with one unit for each class."


@keras_class("keras.losses", None, "keras.metrics")
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """values = -sum over classes of y_true * log(p)

    Probabilities are divided by their sum, and kept within [1e-7, 1 - 1e-7].

    Args:
        y_true: one-hot, or probabilities, (batch, ..., classes).
        y_pred: probabilities p (of a softmax) of the same shape; with `from_logits`
            what the softmax is applied to.
        from_logits: whether y_pred has not been through a softmax yet.
        label_smoothing: how far the targets are moved towards 1 / classes.
        axis: the one that the classes lie along; it vanishes.

    Returns:
        (batch, ...)

    Raises:
        ShapeError: y_true holds class numbers, or other classes than y_pred.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
    array([0.693], dtype=float32)
    """
    y_true, y_pred = one_hot_targets(
        y_true, y_pred, label_smoothing, axis, "categorical_crossentropy"
    )
    return ops.categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis
    )


@keras_class("keras.losses")
class CategoricalCrossentropy(NamedLoss):
    """loss = -mean over samples of sum over classes of y_true * log(p)

    Args:
        from_logits: whether y_pred has not been through a softmax yet.
        label_smoothing: how far the targets are moved towards 1 / classes.
        axis: the one that the classes lie along.
        reduction, name, dtype: as in `Loss`.

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing
        self.axis = axis


@keras_class("keras.losses", None, "keras.metrics")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """values = -sum over classes of y_true * alpha * (1 - p)^gamma * log(p)

    Args:
        y_true: one-hot, (batch, ..., classes).
        y_pred: probabilities p of the same shape, or logits.
        alpha: a weight, or one for each class.
        gamma: how little the easy samples count.
        from_logits: whether y_pred has not been through a softmax yet.
        label_smoothing: how far the targets are moved towards 1 / classes.
        axis: the one that the classes lie along; it vanishes.

    Returns:
        (batch, ...)

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
    array([0.043], dtype=float32)
    """
    y_true, y_pred = one_hot_targets(
        y_true, y_pred, label_smoothing, axis, "categorical_focal_crossentropy"
    )
    p = ops.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = p / ops.sum(p, axis=axis, keepdims=True)
    p = ops.clip(p, epsilon(), 1.0 - epsilon())
    alpha = ops.convert_to_tensor(alpha, dtype=p.dtype)
    values = alpha * ops.power(1.0 - p, gamma) * (-y_true * ops.log(p))
    return ops.sum(values, axis=axis)


@keras_class("keras.losses")
class CategoricalFocalCrossentropy(NamedLoss):
    """loss = -mean over samples of sum over classes of
    y_true * alpha * (1 - p)^gamma * log(p)

    Args:
        alpha: a weight, or one for each class.
        gamma: how little the easy samples count.
        from_logits: whether y_pred has not been through a softmax yet.
        label_smoothing: how far the targets are moved towards 1 / classes.
        axis: the one that the classes lie along.
        reduction, name, dtype: as in `Loss`.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.043
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing
        self.axis, self.alpha, self.gamma = axis, alpha, gamma
