"""ModelCheckpoint: the model, or its weights, into a file every now and then."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron.callbacks.callback import Logs
from deepneuron.callbacks.message import say
from deepneuron.callbacks.monitor_callback import MonitorCallback
from deepneuron.errors import ArgumentError, SavingError, UnknownNameError


class ModelCheckpoint(MonitorCallback):
    """Saves after every epoch, or after every `save_freq` batches.

    Args:
        filepath: ends in ".keras", or in ".weights.h5" for weights only. It may hold
            places for values: "model-{epoch:02d}-{val_loss:.2f}.keras".
        monitor: the name of the value that decides which model is the best.
        verbose: 1 to say so.
        save_best_only: whether to save only when the value has improved.
        save_weights_only: whether to leave out architecture and optimizer.
        mode: "min", "max", or "auto", which asks the metric and its name.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: the value that counts as the best at the beginning.

    Raises:
        ArgumentError: a filepath or save_freq that is not of this form.

    >>> ModelCheckpoint("best.keras", save_best_only=True).monitor
    'val_loss'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._current_epoch = 0
        self._batches = 0
        self._last_batch: int | None = None
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq >= 1):
            raise ArgumentError(
                "save_freq must be 'epoch' or a positive number of batches; received "
                f"{save_freq!r}."
            )
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ArgumentError(
                f"With save_weights_only={save_weights_only} the filepath of "
                f"ModelCheckpoint must end in {ending!r}; received {self.filepath!r}."
            )

    def wants_batches(self, mode: str) -> bool:
        """Only where it counts them."""
        counts = self.save_freq != "epoch" or type(self) is not ModelCheckpoint
        return counts and super().wants_batches(mode)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            return
        begins = self._last_batch is None or batch <= self._last_batch
        self._batches += batch + 1 if begins else batch - (self._last_batch or 0)
        self._last_batch = batch
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._current_epoch, batch, logs or {})

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._current_epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        filepath = self._path(epoch, batch, logs)
        if not self._is_due(epoch, logs, filepath):
            return
        if Path(filepath).is_dir():
            raise SavingError(
                f"ModelCheckpoint cannot write {filepath!r}: a folder has this name."
            )
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(filepath, overwrite=True)
        else:
            self.model.save(filepath, overwrite=True)
        self._say(epoch, f"finished saving model to {filepath}")

    def _is_due(self, epoch: int, logs: dict[str, Any], filepath: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {filepath}")
            return True
        value = logs.get(self.monitor)
        if value is None or np.ndim(value) > 0:
            warnings.warn(
                f"Can save best model only with {self.monitor} available."
                if value is None
                else "Can save best model only when `monitor` is a scalar value. "
                f"Received: {value}.",
                stacklevel=4,
            )
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(value, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(
            epoch,
            f"{self.monitor} improved from {best} to {value:.5f}, saving model to "
            f"{filepath}",
        )
        self.best = value
        return True

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        values = {**({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(epoch=epoch + 1, **values)
        except KeyError as error:
            raise UnknownNameError(
                f"value in the filepath {self.filepath!r} of ModelCheckpoint",
                error.args[0],
                ["epoch", *values],
            ) from error

    def _say(self, epoch: int, message: str) -> None:
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: {message}")
