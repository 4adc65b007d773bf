"""A learning rate that is multiplied by the same factor again and again."""

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
class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ^ (step / decay_steps)

    Args:
        initial_learning_rate: at step 0.
        decay_steps: after so many steps it is multiplied by `decay_rate`.
        decay_rate: the factor.
        staircase: whether it changes only then, and not in between.
        name: accepted as in Keras.

    Raises:
        ArgumentError: decay_steps is not positive.

    >>> float(ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20))
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
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        rate, step = start(self.initial_learning_rate, step)
        decays = step / ops.cast(self.decay_steps, rate.dtype)
        if self.staircase:
            decays = ops.floor(decays)
        return rate * ops.power(ops.cast(self.decay_rate, rate.dtype), decays)
