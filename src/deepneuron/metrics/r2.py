"""How much of the targets' variation the predictions explain."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.losses.alignment import same_rank
from deepneuron.metrics.metric import Metric
from deepneuron.serialization import keras_class

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@keras_class("keras.metrics")
class R2Score(Metric):
    """R^2 = 1 - sum of (y_true - y_pred)^2 / sum of (y_true - mean of y_true)^2

    1 is perfect; 0 is what the mean of the targets would reach.

    Args:
        class_aggregation: "uniform_average" takes the mean over outputs,
            "variance_weighted_average" weighs them by their variation, None keeps a
            score for each.
        num_regressors: how many features the model sees, for the adjusted score
            1 - (1 - R^2) (n - 1) / (n - num_regressors - 1); 0 for the plain one. With
            too few samples n for that, the plain score stays.
        name, dtype: as in `Metric`.

    Raises:
        ArgumentError: an unknown aggregation, a negative number of regressors.

    >>> round(float(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 3)
    0.571
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in _AGGREGATIONS:
            raise ArgumentError(
                f"R2Score: class_aggregation is one of {_AGGREGATIONS}; received "
                f"{class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ArgumentError(
                f"R2Score: num_regressors is not negative; received {num_regressors}."
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self.squared_sum: Any = None
        self.sum: Any = None
        self.total_mse: Any = None
        self.count: Any = None

    def _make_variables(self, true: Any, pred: Any) -> None:
        if len(true) != 2 or tuple(true) != tuple(pred):
            raise ShapeError(
                "R2Score takes y_true and y_pred of shape (batch, outputs); they have "
                f"shapes {tuple(true)} and {tuple(pred)}."
            )
        for name, title in (
            ("squared_sum", "squared_sum"),
            ("sum", "sum"),
            ("total_mse", "residual"),
            ("count", "count"),
        ):
            setattr(self, name, self.add_variable((pred[-1],), "zeros", name=title))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true, y_pred: targets and predictions, (batch, outputs).
            sample_weight: how much each sample counts.
        """
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y_true, y_pred = same_rank(y_true, y_pred)
        if self.sum is None:
            self._make_variables(y_true.shape, y_pred.shape)
        weight = ops.convert_to_tensor(
            1.0 if sample_weight is None else sample_weight, dtype=self.dtype
        )
        if len(weight.shape) == 1:
            weight = ops.expand_dims(weight, axis=1)
        weight = ops.broadcast_to(weight, y_true.shape)  # (batch, outputs)
        weighted = y_true * weight
        self.sum.assign_add(ops.sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.sum(y_true * weighted, axis=0))
        residuals = ops.square(y_true - y_pred) * weight
        self.total_mse.assign_add(ops.sum(residuals, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(float(y_true.shape[0] * y_true.shape[1]))

    def result(self) -> Any:
        if self.sum is None:
            raise ArgumentError("R2Score has seen no batch yet, and has no result.")
        mean = self.sum / self.count
        total = self.squared_sum - self.sum * mean  # sum of (y - mean)^2
        score = 1.0 - self.total_mse / total
        score = ops.where(ops.isinf(score), 0.0, score)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.sum(total * score) / ops.sum(total)
        if self.num_regressors == 0:
            return score
        others = self.num_samples.value - 1.0
        free = others - float(self.num_regressors)
        adjusted = 1.0 - (1.0 - score) * others / free
        return ops.where(free > 0.0, adjusted, score)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
