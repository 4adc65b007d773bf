"""ReduceLROnPlateau: smaller steps where larger ones lead nowhere."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from deepneuron.callbacks.callback import Logs
from deepneuron.callbacks.message import say
from deepneuron.callbacks.monitor_callback import MonitorCallback
from deepneuron.errors import ArgumentError


class ReduceLROnPlateau(MonitorCallback):
    """learning_rate := max(factor * learning_rate, min_lr), after `patience` bad epochs

    Args:
        monitor: the name of the value in the logs.
        factor: below 1.
        patience: epochs without improvement that are waited for.
        verbose: 1 to say so.
        mode: "min", "max", or "auto", which asks the metric and its name.
        min_delta: a smaller change is no improvement.
        cooldown: epochs after a reduction that do not count.
        min_lr: the smallest learning rate.
        **kwargs: accepted as in Keras; without effect.

    Raises:
        ArgumentError: a factor that does not reduce.

    >>> ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3).factor
    0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ArgumentError(
                "ReduceLROnPlateau does not support a factor >= 1.0; received "
                f"factor={factor}."
            )
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` "
                f"which is not available. Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, epoch: int) -> bool:
        old = float(self.model.optimizer.learning_rate)
        if old <= np.float32(self.min_lr):  # it is a float32 in the optimizer, too
            return False
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose > 0:
            say(
                f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                f"{new}."
            )
        return True

    def in_cooldown(self) -> bool:
        """Whether the last reduction is only a few epochs ago."""
        return self.cooldown_counter > 0
