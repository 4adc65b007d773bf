"""The hinge losses, in the mean over all samples."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron.losses.hinges import categorical_hinge, hinge, squared_hinge
from deepneuron.metrics.reduction import NamedMean
from deepneuron.serialization import keras_class


@keras_class("keras.metrics")
class Hinge(NamedMean):
    """result = mean of max(1 - y_true * y_pred, 0)

    Args:
        name, dtype: as in `Metric`.

    >>> float(Hinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.0
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


@keras_class("keras.metrics")
class SquaredHinge(NamedMean):
    """result = mean of max(1 - y_true * y_pred, 0)^2

    Args:
        name, dtype: as in `Metric`.

    >>> float(SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.25
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


@keras_class("keras.metrics")
class CategoricalHinge(NamedMean):
    """result = mean of max(1 + best wrong score - right score, 0)

    Args:
        name, dtype: as in `Metric`.

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self, name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(categorical_hinge, name, dtype)
