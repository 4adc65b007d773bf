"""The area under a curve that a threshold runs along."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.metrics.confusion import Confusion
from deepneuron.metrics.metric import Metric
from deepneuron.serialization import keras_class

_CURVES = {"roc": "ROC", "pr": "PR", "prgain": "PRGAIN"}
_SUMMATIONS = ("interpolation", "majoring", "minoring")
_COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


@keras_class("keras.metrics")
class AUC(Metric):
    """result = area under the curve (x(t), y(t)) that the threshold t draws

    For the ROC curve x is the false positive rate and y the true positive rate: the
    area is the probability that a positive sample gets a higher score than a negative.

    Args:
        num_thresholds: how many points the curve has.
        curve: "ROC"; "PR": precision over recall; "PRGAIN": their gains.
        summation_method: "interpolation" (trapezes; for PR the interpolation of Davis
            and Goadrich), "minoring" or "majoring" (boxes below or above).
        name, dtype: as in `Metric`.
        thresholds: points of your own in [0, 1]; 0 and 1 are added.
        multi_label: one curve for each class, and the mean of their areas.
        num_labels: how many classes; found out at the first batch by default.
        label_weights: how much each class counts.
        from_logits: whether y_pred has not been through a sigmoid yet.

    Raises:
        ArgumentError: an unknown curve or summation, too few thresholds.

    Source: Davis and Goadrich, The Relationship Between Precision-Recall and ROC
    Curves, 2006; Flach and Kull, Precision-Recall-Gain Curves, 2015.

    >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.75
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        if str(curve).lower() not in _CURVES:
            raise ArgumentError(
                f"AUC: curve is one of {tuple(_CURVES.values())}; received {curve!r}."
            )
        if str(summation_method).lower() not in _SUMMATIONS:
            raise ArgumentError(
                f"AUC: summation_method is one of {_SUMMATIONS}; received "
                f"{summation_method!r}."
            )
        if thresholds is None and num_thresholds <= 1:
            raise ArgumentError(
                f"AUC: num_thresholds must be 2 or more; received {num_thresholds}."
            )
        if num_labels and not multi_label:
            raise ArgumentError("AUC: num_labels is for multi_label=True only.")
        self._own_thresholds = None if thresholds is None else sorted(thresholds)
        inner = (
            [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
            if self._own_thresholds is None
            else self._own_thresholds
        )
        # Just outside of [0, 1], so that the curve begins and ends in a corner.
        self._thresholds = np.array([-epsilon(), *inner, 1.0 + epsilon()])
        self.num_thresholds = len(self._thresholds)
        self.curve = _CURVES[str(curve).lower()]
        self.summation_method = str(summation_method).lower()
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        self.true_positives: Any = None
        self.false_positives: Any = None
        self.true_negatives: Any = None
        self.false_negatives: Any = None
        if num_labels or not multi_label:
            self._make_variables(num_labels)

    def _make_variables(self, labels: int | None) -> None:
        shape = (
            (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        )
        for count in _COUNTS:
            setattr(self, count, self.add_variable(shape, "zeros", name=count))

    @property
    def thresholds(self) -> list[float]:
        """All points of the curve; the outer ones lie just outside of [0, 1]."""
        return list(self._thresholds)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: 0 or 1.
            y_pred: predictions of the same shape, in [0, 1] (or logits).
            sample_weight: how much each counts.
        """
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        if self.true_positives is None:
            if len(y_pred.shape) != 2:
                raise ShapeError(
                    "AUC with multi_label=True takes y_pred of shape (batch, classes); "
                    f"it has shape {tuple(y_pred.shape)}."
                )
            self._make_variables(y_pred.shape[1])
        confusion = Confusion(
            y_true,
            ops.sigmoid(y_pred) if self.from_logits else y_pred,
            self._thresholds,
            self.dtype,
            sample_weight,
            multi_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
        )
        for count in _COUNTS:
            getattr(self, count).assign_add(getattr(confusion, count)())

    def result(self) -> Any:
        pr = self.curve == "PR" and self.summation_method == "interpolation"
        areas = self._interpolated_pr() if pr else self._riemann()
        if not self.multi_label:
            return ops.sum(areas)
        areas = ops.sum(areas, axis=0)  # (classes,)
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.convert_to_tensor(self.label_weights, dtype=self.dtype)
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))

    def _riemann(self) -> Any:
        """The area between each threshold and the next."""
        x, y = self._curve()
        if self.summation_method == "interpolation":
            height = (y[:-1] + y[1:]) / 2.0
        elif self.summation_method == "minoring":
            height = ops.minimum(y[:-1], y[1:])
        else:
            height = ops.maximum(y[:-1], y[1:])
        return (x[:-1] - x[1:]) * height

    def _curve(self) -> tuple[Any, Any]:
        """x and y at every threshold."""
        tp, fp, tn, fn = (getattr(self, count).value for count in _COUNTS)
        if self.curve == "ROC":
            return ops.divide_no_nan(fp, fp + tn), ops.divide_no_nan(tp, tp + fn)
        if self.curve == "PR":
            return ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(tp, tp + fp)
        odds = ops.divide_no_nan(tp + fn, tn + fp)
        found = ops.greater(tp, 0.0)
        recall_gain = ops.where(found, 1.0 - odds * ops.divide_no_nan(fn, tp), 0.0)
        precision_gain = ops.where(found, 1.0 - odds * ops.divide_no_nan(fp, tp), 1.0)
        return ops.maximum(recall_gain, 0.0), precision_gain

    def _interpolated_pr(self) -> Any:
        """The area between each threshold and the next, where between the two the true
        positives grow linearly with all positives (and precision therefore does not).
        """
        tp, fp, _, fn = (getattr(self, count).value for count in _COUNTS)
        positives = tp + fp
        before, after = positives[:-1], positives[1:]
        gained = tp[:-1] - tp[1:]
        slope = ops.divide_no_nan(gained, ops.maximum(before - after, 0.0))
        intercept = tp[1:] - slope * after
        both = ops.logical_and(before > 0.0, after > 0.0)
        ratio = ops.where(both, ops.divide_no_nan(before, after), 1.0)
        return ops.divide_no_nan(
            slope * (gained + intercept * ops.log(ratio)),
            ops.maximum(tp[1:] + fn[1:], 0.0),
        )

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._own_thresholds is not None:
            config["thresholds"] = self.thresholds[1:-1]
        return config
