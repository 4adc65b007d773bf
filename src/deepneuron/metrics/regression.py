"""How far predictions are off, in the mean over all samples."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.losses.absolute_errors import (
    mean_absolute_error,
    mean_absolute_percentage_error,
)
from deepneuron.losses.alignment import compared
from deepneuron.losses.robust import log_cosh
from deepneuron.losses.similarity import unit_vectors
from deepneuron.losses.squared_errors import (
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from deepneuron.metrics.reduction import Mean, NamedMean
from deepneuron.serialization import keras_class


@keras_class("keras.metrics")
class MeanSquaredError(NamedMean):
    """result = mean of (y_true - y_pred)^2

    Args:
        name, dtype: as in `Metric`.

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]))
    2.5
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self, name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_error, name, dtype)


@keras_class("keras.metrics")
class MeanAbsoluteError(NamedMean):
    """result = mean of |y_true - y_pred|

    Args:
        name, dtype: as in `Metric`.

    >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]]))
    1.5
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self, name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_error, name, dtype)


@keras_class("keras.metrics")
class MeanAbsolutePercentageError(NamedMean):
    """result = 100 * mean of |y_true - y_pred| / |y_true|

    Args:
        name, dtype: as in `Metric`.

    >>> float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 5.0]]))
    37.5
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


@keras_class("keras.metrics")
class MeanSquaredLogarithmicError(NamedMean):
    """result = mean of (log(1 + y_true) - log(1 + y_pred))^2

    Args:
        name, dtype: as in `Metric`.

    >>> round(float(MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 3)
    0.48
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


@keras_class("keras.metrics")
class LogCoshError(NamedMean):
    """result = mean of log(cosh(y_pred - y_true))

    Args:
        name, dtype: as in `Metric`.

    >>> round(float(LogCoshError()([[0.0, 0.0]], [[1.0, 0.0]])), 3)
    0.217
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name, dtype)


@keras_class("keras.metrics")
class RootMeanSquaredError(Mean):
    """result = sqrt(mean of (y_true - y_pred)^2)

    Args:
        name, dtype: as in `Metric`.

    >>> float(RootMeanSquaredError()([[0.0, 1.0]], [[1.0, 8.0]]))
    5.0
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true, y_pred: targets and predictions, (batch, ...).
            sample_weight: how much each sample counts.
        """
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y_true, y_pred = compared(y_true, y_pred, self.name)
        super().update_state(ops.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """values = cos(angle between y_true and y_pred): 1 same direction, -1 opposite

    The loss of this name has the opposite sign, because losses are minimized.

    Args:
        y_true, y_pred: vectors along `axis`.
        axis: the one that the vectors lie along; it vanishes.

    >>> cosine_similarity([[0.0, 1.0]], [[3.0, 4.0]]).round(3)
    array([0.8], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "cosine_similarity")
    return ops.sum(unit_vectors(y_true, axis) * unit_vectors(y_pred, axis), axis=axis)


@keras_class("keras.metrics")
class CosineSimilarity(NamedMean):
    """result = mean of cos(angle between y_true and y_pred)

    Args:
        name, dtype: as in `Metric`.
        axis: the one that the vectors lie along.

    >>> round(float(CosineSimilarity()([[0.0, 1.0]], [[3.0, 4.0]])), 3)
    0.8
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: Any = None,
        axis: int = -1,
    ) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["axis"] == -1:  # Keras reads it, but does not write it
            del config["axis"]
        return config
