"""Sums and means over batches, and metrics made of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from deepneuron import ops, serialization
from deepneuron.engine.scope import name_scope
from deepneuron.errors import ShapeError
from deepneuron.losses.alignment import same_rank
from deepneuron.metrics.metric import Metric
from deepneuron.serialization import classes_of, keras_class


def samplewise(
    values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: str
) -> tuple[Any, Any]:
    """A weighted value for each sample, and the weight of each sample.

    Args:
        values: (batch, ...), or one number.
        sample_weight: of the values' shape, or of fewer axes; None for no weights.
        reduce: `ops.sum` or `ops.mean`; it takes away all axes but the first.
        dtype: the type of both.

    Returns:
        Values (batch,), and weights (batch,) or None.

    >>> samplewise([[1.0, 3.0], [5.0, 7.0]], [1.0, 0.5], ops.mean, "float32")
    (array([2., 3.], dtype=float32), array([1. , 0.5], dtype=float32))
    """
    values = ops.convert_to_tensor(values, dtype=dtype)
    weight = None
    if sample_weight is not None:
        weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
        values, weight = same_rank(values, weight)
        rank = len(weight.shape)
        if len(values.shape) > rank:
            values = reduce(values, axis=tuple(range(rank, len(values.shape))))
        try:
            np.broadcast_shapes(weight.shape, values.shape)
        except (ValueError, TypeError) as error:
            if None not in (*weight.shape, *values.shape):
                raise ShapeError(
                    f"sample_weight has shape {tuple(weight.shape)}, but there are "
                    f"values of shape {tuple(values.shape)}. Give one weight for each "
                    "sample."
                ) from error
        if tuple(weight.shape) != tuple(values.shape):
            weight = ops.broadcast_to(weight, values.shape)
        values = values * weight
        if rank > 1:
            weight = reduce(weight, axis=tuple(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce(values, axis=tuple(range(1, len(values.shape))))
    return values, weight


@keras_class("keras.metrics")
class Sum(Metric):
    """result = sum of sample_weight * values over all batches

    Args:
        name, dtype: as in `Metric`.

    >>> metric = Sum()
    >>> metric.update_state([1.0, 2.0], sample_weight=[1.0, 0.5])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values.

        Args:
            values: of any shape.
            sample_weight: how much each counts.
        """
        values, _ = samplewise(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        return ops.cast(self.total, self.dtype)


@keras_class("keras.metrics")
class Mean(Metric):
    """result = sum of sample_weight * values / sum of sample_weight, over all batches

    Args:
        name, dtype: as in `Metric`.

    >>> metric = Mean()
    >>> metric.update_state([1.0, 3.0])
    >>> metric.update_state([5.0])
    >>> float(metric.result())
    3.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values.

        Args:
            values: (batch, ...); of each sample the mean counts.
            sample_weight: how much each counts.
        """
        values, weight = samplewise(values, sample_weight, ops.mean, self.dtype)
        self.total.assign_add(ops.sum(values))
        if weight is not None:
            self.count.assign_add(ops.sum(weight))
        else:
            # A size of None is that of a model which is only being drawn.
            self.count.assign_add(float(values.shape[0] or 0) if values.shape else 1.0)

    def result(self) -> Any:
        return ops.divide_no_nan(self.total, self.count)


@keras_class("keras.metrics")
class MeanMetricWrapper(Mean):
    """result = mean of fn(y_true, y_pred) over all samples

    `compile` wraps your own metric functions in it.

    Args:
        fn: returns a value for each sample.
        name, dtype: as in `Metric`.
        **kwargs: further arguments of the function.

    >>> metric = MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred))
    >>> float(metric(np.array([1.0, 2.0]), np.array([1.0, 5.0])))
    1.5
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        known = classes_of("keras.losses").values()
        if self._direction is None and any(fn is loss for loss in known):
            self._direction = "down"  # type: ignore[misc]  # of this object only

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Args:
            y_true, y_pred: targets and predictions, (batch, ...).
            sample_weight: how much each sample counts.
        """
        with name_scope(self.name):
            values = self._fn(y_true, y_pred, **self._fn_kwargs)
            super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        from deepneuron.metrics.lookup import serialize

        arguments = serialization.serialize_config(self._fn_kwargs)
        return {**super().get_config(), "fn": serialize(self._fn), **arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        from deepneuron.metrics.lookup import deserialize

        if "fn" in config:
            config = {**config, "fn": deserialize(config["fn"])}
        return cls(**config)


class NamedMean(MeanMetricWrapper):
    """A metric of ours: its configuration holds its arguments, and not the function."""

    def get_config(self) -> dict[str, Any]:
        arguments = serialization.serialize_config(self._fn_kwargs)
        return {**Metric.get_config(self), **arguments}
