"""The four counts of a confusion matrix."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron.metrics.confusion import Confusion, thresholds_of
from deepneuron.metrics.metric import Metric
from deepneuron.serialization import keras_class


class _Count(Metric):
    """A count at one threshold, or at each of several."""

    count: ClassVar[str]

    def __init__(
        self, thresholds: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.thresholds = thresholds_of(thresholds, 0.5)
        shape = (len(self.thresholds),)
        self.accumulator = self.add_variable(shape, "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: 0 or 1.
            y_pred: predictions of the same shape, in [0, 1].
            sample_weight: how much each counts.
        """
        confusion = Confusion(
            y_true, y_pred, self.thresholds, self.dtype, sample_weight
        )
        self.accumulator.assign_add(getattr(confusion, self.count)())

    def result(self) -> Any:
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


@keras_class("keras.metrics")
class TruePositives(_Count):
    """result = sum of the weights of what is 1 and predicted above the threshold

    Args:
        thresholds: a number in [0, 1], or a list of them; 0.5 by default.
        name, dtype: as in `Metric`.

    >>> float(TruePositives()([0, 1, 1], [0.9, 0.8, 0.2]))
    1.0
    """

    count: ClassVar[str] = "true_positives"


@keras_class("keras.metrics")
class FalsePositives(_Count):
    """result = sum of the weights of what is 0 and predicted above the threshold

    Args:
        thresholds: a number in [0, 1], or a list of them; 0.5 by default.
        name, dtype: as in `Metric`.

    >>> float(FalsePositives()([0, 1, 1], [0.9, 0.8, 0.2]))
    1.0
    """

    count: ClassVar[str] = "false_positives"


@keras_class("keras.metrics")
class TrueNegatives(_Count):
    """result = sum of the weights of what is 0 and not predicted above the threshold

    Args:
        thresholds: a number in [0, 1], or a list of them; 0.5 by default.
        name, dtype: as in `Metric`.

    >>> float(TrueNegatives()([0, 1, 1], [0.9, 0.8, 0.2]))
    0.0
    """

    count: ClassVar[str] = "true_negatives"


@keras_class("keras.metrics")
class FalseNegatives(_Count):
    """result = sum of the weights of what is 1 and not predicted above the threshold

    Args:
        thresholds: a number in [0, 1], or a list of them; 0.5 by default.
        name, dtype: as in `Metric`.

    >>> float(FalseNegatives()([0, 1, 1], [0.9, 0.8, 0.2]))
    1.0
    """

    count: ClassVar[str] = "false_negatives"
