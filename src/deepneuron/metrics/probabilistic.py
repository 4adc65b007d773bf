"""The losses between distributions, in the mean over all samples."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.losses.alignment import same_rank
from deepneuron.losses.binary import binary_crossentropy
from deepneuron.losses.categorical import categorical_crossentropy
from deepneuron.losses.distributions import kl_divergence, poisson
from deepneuron.losses.sparse_categorical import (
    sparse_categorical_crossentropy,
    which_count,
)
from deepneuron.metrics.reduction import NamedMean
from deepneuron.serialization import keras_class


@keras_class("keras.metrics")
class KLDivergence(NamedMean):
    """result = mean over samples of sum of y_true * log(y_true / y_pred)

    Args:
        name, dtype: as in `Metric`.

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 3)
    0.144
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name, dtype)


@keras_class("keras.metrics")
class Poisson(NamedMean):
    """result = mean of y_pred - y_true * log(y_pred)

    Args:
        name, dtype: as in `Metric`.

    >>> round(float(Poisson()([[2.0, 0.0]], [[1.0, 1.0]])), 3)
    1.0
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name, dtype)


@keras_class("keras.metrics")
class BinaryCrossentropy(NamedMean):
    """result = -mean of y_true log(p) + (1 - y_true) log(1 - p)

    Args:
        name, dtype: as in `Metric`.
        from_logits: whether y_pred has not been through a sigmoid yet.
        label_smoothing: how far the targets are moved towards 1/2.

    >>> round(float(BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.693
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing


@keras_class("keras.metrics")
class CategoricalCrossentropy(NamedMean):
    """result = -mean over samples of sum over classes of y_true * log(p)

    Args:
        name, dtype: as in `Metric`.
        from_logits: whether y_pred has not been through a softmax yet.
        label_smoothing: how far the targets are moved towards 1 / classes.
        axis: the one that the classes lie along.

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
    0.693
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits, self.label_smoothing = from_logits, label_smoothing
        self.axis = axis


@keras_class("keras.metrics")
class SparseCategoricalCrossentropy(NamedMean):
    """result = -mean over samples of log(p[y_true])

    Args:
        name, dtype: as in `Metric`.
        from_logits: whether y_pred has not been through a softmax yet.
        ignore_class: a number that means "no class". As in Keras, such samples count as
            0, and are left out of the mean only where there are sample weights.
        axis: the one that the classes lie along.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 3)
    0.693
    """

    _direction: ClassVar[str | None] = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits, self.ignore_class = from_logits, ignore_class
        self.axis = axis

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true: class numbers, (batch, ...).
            y_pred: probabilities or logits, (batch, ..., classes).
            sample_weight: how much each sample counts.
        """
        if self.ignore_class is not None and sample_weight is not None:
            counts = which_count(y_true, y_pred, self.ignore_class, self.axis)
            weight = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            counts, weight = same_rank(ops.cast(counts, self.dtype), weight)
            sample_weight = weight * counts
        super().update_state(y_true, y_pred, sample_weight)
