"""A learning rate that falls along half a wave, and then begins anew."""

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
class CosineDecayRestarts(LearningRateSchedule):
    """rate * ((1 - alpha) * m_mul^i * (1 + cos(pi * f)) / 2 + alpha)

    i counts the restarts, f is the part of the current period that is over.

    Args:
        initial_learning_rate: at step 0.
        first_decay_steps: the length of the first period.
        t_mul: every period is so many times as long as the one before.
        m_mul: every period begins so many times as high as the one before.
        alpha: the share that is left at the end of a period.
        name: accepted as in Keras.

    Raises:
        ArgumentError: first_decay_steps is not positive.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts
    (2016).

    >>> schedule = CosineDecayRestarts(1.0, first_decay_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 20, 30)]
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        first_decay_steps: Any,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive(first_decay_steps, "first_decay_steps")
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        rate, step = start(self.initial_learning_rate, step)
        dtype = rate.dtype
        periods = step / ops.cast(self.first_decay_steps, dtype)
        if self._t_mul == 1.0:
            restarts = ops.floor(periods)
            fraction = periods - restarts
        else:
            t_mul = ops.cast(self._t_mul, dtype)
            # The first i periods last (1 - t_mul^i) / (1 - t_mul) of the first one.
            logarithm = ops.log(1.0 - periods * (1.0 - t_mul)) / ops.log(t_mul)
            restarts = ops.floor(logarithm)
            longer = ops.power(t_mul, restarts)
            fraction = (periods - (1.0 - longer) / (1.0 - t_mul)) / longer
        height = ops.power(ops.cast(self._m_mul, dtype), restarts)
        wave = 0.5 * height * (1.0 + ops.cos(ops.cast(math.pi, dtype) * fraction))
        alpha = ops.cast(self.alpha, dtype)
        return rate * ((1 - alpha) * wave + alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self._t_mul,
            "m_mul": self._m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
