"""Keeper: knows the best epoch so far, and keeps what a training needs to go on.

The best epoch is the one with the highest validation accuracy, and the last of them if
several are equal: on few pictures many are, and under a falling learning rate a later
one is the better. (The loss would choose too early: a network that grows surer of
itself pays for its few mistakes with a higher loss, while it makes fewer of them.)
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from deepneuron.callbacks import Callback
from deepneuron.callbacks.callback import Logs
from deepneuron.vision.checkpoint import State, save_checkpoint
from deepneuron.vision.folder import LAST, RunFolder

_NAMES = ("loss", "accuracy", "val_loss", "val_accuracy")
_INTERVAL = 5.0  # seconds between two files that are there to be looked at


class Keeper(Callback):
    """After every epoch: is it the best? Save the state. Is it time to stop?

    Args:
        folder: of the run; `unfinished/` gets a checkpoint after every epoch and, every
            few seconds, `best.keras` and `last.keras`, for whoever wants to look.
        patience: stop after so many epochs without a validation accuracy as high.
        state: how far the training has come already.

    Attributes:
        state: how far it has come; `best_weights` are the variables of the best epoch.
    """

    monitor = "val_accuracy"

    def __init__(self, folder: RunFolder, patience: int, state: State) -> None:
        super().__init__()
        self.folder, self.patience, self.state = folder, patience, state
        self._best_is_written = True
        self._written = time.monotonic()

    @property
    def best_epoch(self) -> int:
        """Counted from 0."""
        return self.state.best_epoch

    @property
    def is_over(self) -> bool:
        """Whether there has been no better epoch for as long as was to be waited."""
        return self.state.epochs - 1 - self.state.best_epoch >= self.patience

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        state = self.state
        for name in _NAMES:
            state.history.setdefault(name, []).append(float((logs or {})[name]))
        rates = state.history.setdefault("learning_rate", [])
        rates.append(float(self.model.optimizer.learning_rate))
        state.epochs = epoch + 1
        values = state.history[self.monitor]
        # Weights that the last step has spoilt are right now and then, by chance.
        sound = np.isfinite(state.history["val_loss"][-1])
        better = sound and values[-1] >= values[state.best_epoch]
        if not state.best_weights or better:
            state.best_epoch = epoch
            state.best_weights = variables_of(self.model)
            self._best_is_written = False
        save_checkpoint(self.folder.checkpoint, self.model, state)
        if time.monotonic() - self._written > _INTERVAL:
            self._write_models()
        if self.is_over:
            self.model.stop_training = True

    def _write_models(self) -> None:
        self.model.save(self.folder.unfinished / LAST)
        if not self._best_is_written:
            present = variables_of(self.model)
            try:
                set_variables(self.model, self.state.best_weights)
                self.model.save(self.folder.best)
            finally:
                set_variables(self.model, present)
            self._best_is_written = True
        self._written = time.monotonic()


def variables_of(model: Any) -> list[np.ndarray]:
    """The values of the model's variables, those of its layers' seeds included."""
    return [v.numpy() for v in model.variables]


def set_variables(model: Any, values: list[np.ndarray]) -> None:
    """Give the model's variables the values that `variables_of` returned."""
    for variable, value in zip(model.variables, values, strict=True):
        variable.assign(value)
