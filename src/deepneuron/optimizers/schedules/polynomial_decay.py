"""A learning rate that falls to its end along a straight line, or a power of it."""

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
class PolynomialDecay(LearningRateSchedule):
    """(initial - end) * (1 - step / decay_steps) ^ power + end

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the step at which the end is reached; it stays there.
        end_learning_rate: at the end.
        power: 1 for a straight line.
        cycle: whether it rises again at the end, and falls over twice, three times
            ... as many steps.
        name: accepted as in Keras.

    Raises:
        ArgumentError: decay_steps is not positive.

    >>> float(PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)(5))
    0.5
    """

    arguments = (
        "initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle",
        "name",
    )  # fmt: skip

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        end_learning_rate: Any = 0.0001,
        power: Any = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        rate, step = start(self.initial_learning_rate, step)
        end = ops.cast(self.end_learning_rate, rate.dtype)
        steps = ops.cast(self.decay_steps, rate.dtype)
        if self.cycle:
            begun = ops.ceil(step / steps)
            steps = steps * ops.where(ops.equal(step, 0), 1.0, begun)
        else:
            step = ops.minimum(step, steps)
        power = ops.cast(self.power, rate.dtype)
        return (rate - end) * ops.power(1 - step / steps, power) + end
