"""A learning rate that falls along half a wave, after a warm-up if wanted."""

from __future__ import annotations

import math
from typing import Any

from deepneuron import ops
from deepneuron.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    positive,
    start,
)
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers.schedules")
class CosineDecay(LearningRateSchedule):
    """rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the number of steps over which it falls; it stays there.
        alpha: the share that is left at the end.
        name: accepted as in Keras.
        warmup_target: None, or the learning rate to which it first rises.
        warmup_steps: over so many steps.

    Raises:
        ArgumentError: decay_steps is not positive.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts
    (2016).

    >>> float(CosineDecay(1.0, decay_steps=10)(10))
    0.0
    """

    arguments = (
        "initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target",
        "warmup_steps",
    )  # fmt: skip

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: Any = None,
        warmup_steps: Any = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "decay_steps")
        self.alpha = alpha
        self.name = name
        self.warmup_steps = warmup_steps
        self.warmup_target = warmup_target

    def __call__(self, step: Any) -> Any:
        rate, step = start(self.initial_learning_rate, step)
        steps = ops.cast(self.decay_steps, rate.dtype)
        if self.warmup_target is None:
            return self._decayed(rate, ops.minimum(step, steps) / steps)
        target = ops.cast(self.warmup_target, rate.dtype)
        warmup = ops.cast(self.warmup_steps, rate.dtype)
        step = ops.minimum(step, steps + warmup)
        # Both are computed; without warm-up steps the first is NaN, and never chosen.
        rising = (target - rate) * ops.divide(step, warmup) + rate
        falling = self._decayed(target, (step - warmup) / steps)
        return ops.where(step < warmup, rising, falling)

    def _decayed(self, rate: Any, fraction: Any) -> Any:
        pi = ops.cast(math.pi, rate.dtype)
        wave = 0.5 * (1.0 + ops.cos(pi * fraction))
        return rate * ((1 - self.alpha) * wave + self.alpha)
