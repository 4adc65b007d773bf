"""Callback: what is called at the beginning and end of training, epochs and batches."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any] | None


class Callback:
    """Subclass it and write the hooks that you need; pass it to `fit(callbacks=[...])`.

    A hook is given `logs`, the values of loss and metrics by name. It reaches the model
    as `self.model`, and ends the training by `self.model.stop_training = True`.

    Attributes:
        params: {"verbose": ..., "epochs": ..., "steps": ...}
        model: the model that is trained.

    >>> class Loud(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: {logs}")
    >>> Loud().on_epoch_end(0, {"loss": 0.5})
    epoch 0: {'loss': 0.5}
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any] | None) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    @property
    def model(self) -> Any:
        return self._model

    every_batch = True  # or, of many batches made at once, the last one only

    def wants_batches(self, mode: str) -> bool:
        """Whether the hooks of batches have to be called.

        Args:
            mode: "train", "test" or "predict".
        """
        names = [f"on_{mode}_batch_begin", f"on_{mode}_batch_end"]
        if mode == "train":  # ... hand on to the hooks of older code
            names += ["on_batch_begin", "on_batch_end"]
        return any(self._overrides(name) for name in names)

    def _overrides(self, hook: str) -> bool:
        function = getattr(getattr(self, hook), "__func__", None)
        return function is not getattr(Callback, hook)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch (counted from 0) of training."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch, its validation included (`val_...` in the logs)."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a step of training."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a step of training; the logs are means over the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `evaluate`, or of the validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `evaluate`, or of the validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `predict`, with its `outputs` in the logs."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch, with its logs."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before `evaluate`, or the validation in `fit`."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After `evaluate`, or the validation in `fit`."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After `predict`."""
