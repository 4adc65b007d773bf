"""The loss of yes-or-no questions, plain and focal."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


def _smoothed(y_true: Any, label_smoothing: float) -> Any:
    """0 and 1 moved towards 1/2."""
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing


@keras_class("keras.losses", None, "keras.metrics")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """values = -mean over outputs of y_true log(p) + (1 - y_true) log(1 - p)

    Probabilities are kept within [1e-7, 1 - 1e-7].

    Args:
        y_true: 0 or 1, or probabilities, (batch, ..., outputs).
        y_pred: probabilities p (of a sigmoid) of the same shape; with `from_logits`
            what the sigmoid is applied to.
        from_logits: whether y_pred has not been through a sigmoid yet.
        label_smoothing: how far the targets are moved towards 1/2: 0.1 makes 0.05 and
            0.95 of 0 and 1.
        axis: the one that the mean is taken along.

    Returns:
        (batch, ...)

    >>> binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
    array([0.693], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "binary_crossentropy")
    y_true = _smoothed(y_true, label_smoothing)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    return ops.mean(values, axis=axis)


@keras_class("keras.losses")
class BinaryCrossentropy(NamedLoss):
    """loss = -mean of y_true log(p) + (1 - y_true) log(1 - p)

    Args:
        from_logits: whether y_pred has not been through a sigmoid yet.
        label_smoothing: how far the targets are moved towards 1/2.
        axis: the one that the outputs lie along.
        reduction, name, dtype: as in `Loss`.

    >>> round(float(BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
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
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """values = -mean over outputs of (1 - q)^gamma log(q), q the probability given to
    what is true

    Args:
        y_true: 0 or 1, (batch, ..., outputs).
        y_pred: probabilities of the same shape, or logits.
        apply_class_balancing: weigh the ones with alpha, the zeros with 1 - alpha.
        alpha: as above.
        gamma: how little the easy samples count.
        from_logits: whether y_pred has not been through a sigmoid yet.
        label_smoothing: how far the targets are moved towards 1/2.
        axis: the one that the mean is taken along.

    Returns:
        (batch, ...)

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3)
    array([0.173], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "binary_focal_crossentropy")
    y_true = _smoothed(y_true, label_smoothing)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    values = ops.binary_crossentropy(y_true, p)
    q = y_true * p + (1.0 - y_true) * (1.0 - p)
    values = ops.power(1.0 - q, gamma) * values
    if apply_class_balancing:
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return ops.mean(values, axis=axis)


@keras_class("keras.losses")
class BinaryFocalCrossentropy(NamedLoss):
    """loss = -mean of (1 - q)^gamma log(q), q the probability given to what is true

    Args:
        apply_class_balancing: weigh the ones with alpha, the zeros with 1 - alpha.
        alpha: as above.
        gamma: how little the easy samples count.
        from_logits: whether y_pred has not been through a sigmoid yet.
        label_smoothing: how far the targets are moved towards 1/2.
        axis: the one that the outputs lie along.
        reduction, name, dtype: as in `Loss`.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    >>> round(float(BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.173
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing
        self.axis, self.alpha, self.gamma = axis, alpha, gamma
        self.apply_class_balancing = apply_class_balancing
