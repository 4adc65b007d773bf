"""Of what was said, how much is true; of what is true, how much was said."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.metrics.confusion import NEVER, Confusion, thresholds_of
from deepneuron.metrics.metric import Metric
from deepneuron.serialization import keras_class


class _Rate(Metric):
    """true positives / (true positives + another count)"""

    _direction: ClassVar[str | None] = "up"
    other: ClassVar[str]

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.top_k, self.class_id = top_k, class_id
        self.thresholds = thresholds_of(thresholds, 0.5 if top_k is None else NEVER)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        setattr(self, self.other, self.add_variable(shape, "zeros", name=self.other))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: 0 or 1.
            y_pred: predictions of the same shape, in [0, 1].
            sample_weight: how much each counts.
        """
        confusion = Confusion(
            y_true,
            y_pred,
            self.thresholds,
            self.dtype,
            sample_weight,
            self.top_k,
            self.class_id,
        )
        self.true_positives.assign_add(confusion.true_positives())
        getattr(self, self.other).assign_add(getattr(confusion, self.other)())

    def result(self) -> Any:
        true, other = self.true_positives, getattr(self, self.other)
        value = ops.divide_no_nan(true, ops.add(true, other))
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@keras_class("keras.metrics")
class Precision(_Rate):
    """result = true positives / (true positives + false positives)

    Args:
        thresholds: from where on a prediction says "positive": a number in [0, 1] or a
            list of them; 0.5 by default.
        top_k: of each row of y_pred, only the k best can be positive (and all are, if
            no thresholds are given).
        class_id: looks at one class only.
        name, dtype: as in `Metric`.

    >>> round(float(Precision()([0, 1, 1, 1], [1, 0, 1, 1])), 3)
    0.667
    """

    other: ClassVar[str] = "false_positives"


@keras_class("keras.metrics")
class Recall(_Rate):
    """result = true positives / (true positives + false negatives)

    Args:
        thresholds: from where on a prediction says "positive": a number in [0, 1] or a
            list of them; 0.5 by default.
        top_k: of each row of y_pred, only the k best can be positive (and all are, if
            no thresholds are given).
        class_id: looks at one class only.
        name, dtype: as in `Metric`.

    >>> round(float(Recall()([0, 1, 1, 1], [1, 0, 1, 1])), 3)
    0.667
    """

    other: ClassVar[str] = "false_negatives"
