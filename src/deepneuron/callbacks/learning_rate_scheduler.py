"""LearningRateScheduler: a learning rate for every epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from deepneuron.callbacks.callback import Callback, Logs
from deepneuron.callbacks.message import say
from deepneuron.errors import ArgumentError


class LearningRateScheduler(Callback):
    """learning_rate := schedule(epoch, learning_rate), before every epoch

    Args:
        schedule: a function of the epoch (from 0) and the learning rate, or of the
            epoch only, that returns a float.
        verbose: 1 to say so.

    Raises:
        ArgumentError: the function returned something else.

    >>> def halve(epoch, learning_rate):
    ...     return learning_rate * 0.5
    >>> LearningRateScheduler(halve).schedule(0, 1.0)
    0.5
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ArgumentError('The optimizer must have a "learning_rate" attribute.')
        rate = float(optimizer.learning_rate)
        both = _takes_two(self.schedule)
        rate = self.schedule(epoch, rate) if both else self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)):
            raise ArgumentError(
                "The output of the `schedule` function should be a float; at epoch "
                f"{epoch} it returned {rate!r}."
            )
        optimizer.learning_rate = rate
        if self.verbose > 0:
            say(
                f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to "
                f"{rate}."
            )

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes_two(schedule: Callable[..., Any]) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a built-in function without a signature
        return True
    return True
