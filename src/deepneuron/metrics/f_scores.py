"""Precision and recall in one number."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.metrics.metric import Metric
from deepneuron.serialization import keras_class

_AVERAGES = (None, "micro", "macro", "weighted")


@keras_class("keras.metrics")
class FBetaScore(Metric):
    """F = (1 + beta^2) * precision * recall / (beta^2 * precision + recall)

    Args:
        average: None gives a score for each class; "macro" their mean, "weighted" their
            mean by how often each class occurs, "micro" the score of all predictions
            taken together.
        beta: how much more recall counts than precision.
        threshold: from where on a prediction says "positive"; None says so of the
            greatest of each row.
        name, dtype: as in `Metric`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    >>> score = FBetaScore(average="macro", beta=2.0, threshold=0.5)
    >>> round(float(score([[1, 1], [1, 0]], [[0.6, 0.7], [0.2, 0.8]])), 3)
    0.694
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        kind = type(self).__name__
        if average not in _AVERAGES:
            raise ArgumentError(
                f"{kind}: average is one of {_AVERAGES}; received {average!r}."
            )
        if not isinstance(beta, float) or beta <= 0.0:
            raise ArgumentError(f"{kind}: beta is a float above 0; received {beta!r}.")
        if threshold is not None and not (
            isinstance(threshold, float) and 0.0 < threshold <= 1.0
        ):
            raise ArgumentError(
                f"{kind}: threshold is a float above 0 and up to 1; received "
                f"{threshold!r}."
            )
        self.average, self.beta, self.threshold = average, beta, threshold
        self.true_positives: Any = None
        self.false_positives: Any = None
        self.false_negatives: Any = None
        self.intermediate_weights: Any = None  # how often each class occurs

    def _make_variables(self, true: Any, pred: Any) -> None:
        if len(true) != 2 or len(pred) != 2 or true[-1] != pred[-1]:
            raise ShapeError(
                f"{type(self).__name__} takes y_true and y_pred of shape (batch, "
                f"classes); they have shapes {tuple(true)} and {tuple(pred)}."
            )
        shape = () if self.average == "micro" else (pred[-1],)
        for name in (
            "true_positives",
            "false_positives",
            "false_negatives",
            "intermediate_weights",
        ):
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: 0 or 1, (batch, classes).
            y_pred: predictions of the same shape.
            sample_weight: how much each sample counts, (batch,).
        """
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        if self.true_positives is None:
            self._make_variables(y_true.shape, y_pred.shape)
        if self.threshold is None:
            best = ops.max(y_pred, axis=-1, keepdims=True)
            said = ops.logical_and(y_pred >= best, ops.abs(y_pred) > 1e-9)
        else:
            said = y_pred > self.threshold
        said = ops.cast(said, self.dtype)
        weight = None
        if sample_weight is not None:
            weight = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            weight = ops.expand_dims(weight, axis=1)  # (batch, 1)
        axis = None if self.average == "micro" else 0
        true = y_true if weight is None else y_true * weight
        false = 1.0 - y_true if weight is None else (1.0 - y_true) * weight
        for variable, values in (
            (self.true_positives, said * true),
            (self.false_positives, said * false),
            (self.false_negatives, (1.0 - said) * true),
            (self.intermediate_weights, true),
        ):
            variable.assign_add(ops.sum(values, axis=axis))

    def result(self) -> Any:
        if self.true_positives is None:
            raise ArgumentError(
                f"{type(self).__name__} has seen no batch yet, and has no result."
            )
        true = self.true_positives.value
        precision = true / (true + self.false_positives + epsilon())
        recall = true / (true + self.false_negatives + epsilon())
        square = self.beta**2
        score = precision * recall / (square * precision + recall + epsilon())
        score = score * (1.0 + square)
        if self.average == "weighted":
            weights = self.intermediate_weights.value
            return ops.sum(score * (weights / (ops.sum(weights) + epsilon())))
        return score if self.average is None else ops.mean(score)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


@keras_class("keras.metrics")
class F1Score(FBetaScore):
    """F1 = 2 * precision * recall / (precision + recall)

    Args:
        average: None gives a score for each class; "macro" their mean, "weighted" their
            mean by how often each class occurs, "micro" the score of all predictions
            taken together.
        threshold: from where on a prediction says "positive"; None says so of the
            greatest of each row.
        name, dtype: as in `Metric`.

    >>> score = F1Score(average="macro", threshold=0.5)
    >>> round(float(score([[1, 1], [1, 0]], [[0.6, 0.7], [0.2, 0.8]])), 3)
    0.667
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
