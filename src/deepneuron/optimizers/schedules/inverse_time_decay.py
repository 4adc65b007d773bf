"""A learning rate that falls as 1 / time."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    positive,
    start,
)
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers.schedules")
class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps)

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the unit in which steps are counted.
        decay_rate: how fast it falls.
        staircase: whether it changes only after each `decay_steps`.
        name: accepted as in Keras.

    Raises:
        ArgumentError: decay_steps is not positive.

    >>> float(InverseTimeDecay(1.0, decay_steps=10, decay_rate=1.0)(30))
    0.25
    """

    arguments = (
        "initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name",
    )  # fmt: skip

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        decay_rate: Any,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        rate, step = start(self.initial_learning_rate, step)
        time = step / ops.cast(self.decay_steps, rate.dtype)
        if self.staircase:
            time = ops.floor(time)
        return ops.divide(rate, 1 + ops.cast(self.decay_rate, rate.dtype) * time)
