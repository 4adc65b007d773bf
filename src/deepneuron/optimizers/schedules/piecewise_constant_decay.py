"""A learning rate that changes at chosen steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError
from deepneuron.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers.schedules")
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i]  where  boundaries[i - 1] < step <= boundaries[i]

    Args:
        boundaries: growing numbers of steps.
        values: one more than boundaries.
        name: accepted as in Keras.

    Raises:
        ArgumentError: the lengths do not fit.

    >>> schedule = PiecewiseConstantDecay([100, 200], [1.0, 0.5, 0.25])
    >>> [float(schedule(step)) for step in (0, 100, 101, 300)]
    [1.0, 1.0, 0.5, 0.25]
    """

    arguments = ("boundaries", "values", "name")

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                "There must be one more value than boundaries; received "
                f"{len(boundaries)} boundaries ({boundaries}) and {len(values)} values "
                f"({values})."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = ops.convert_to_tensor(step)
        rate, *others = (ops.convert_to_tensor(value) for value in self.values)
        for boundary, value in zip(self.boundaries, others, strict=True):
            rate = ops.where(step > ops.cast(boundary, step.dtype), value, rate)
        return rate
