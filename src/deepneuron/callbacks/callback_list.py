"""CallbackList: many callbacks, called as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepneuron.callbacks.callback import Callback, Logs
from deepneuron.callbacks.history import History
from deepneuron.callbacks.progbar_logger import ProgbarLogger
from deepneuron.errors import ArgumentError


class CallbackList(Callback):
    """Hands every call on to all callbacks, with logs of plain floats.

    Args:
        callbacks: a Callback, or a list of them.
        add_history: whether to add a History if there is none.
        add_progbar: whether to add a ProgbarLogger if there is none.
        model: the model that is trained.
        **params: what the callbacks find in `self.params`.

    Raises:
        ArgumentError: something else than a callback.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = _flat(callbacks)
        self._batch_hooks: dict[str, list[Callable[..., Any]]] = {}
        self._history: Any = None
        self._progbar: Any = None
        for callback in self.callbacks:
            if isinstance(callback, History):
                self._history = callback
            elif isinstance(callback, ProgbarLogger):
                self._progbar = callback
        if add_history and self._history is None:
            self.append(History())
            self._history = self.callbacks[-1]
        if add_progbar and self._progbar is None:
            self.append(ProgbarLogger())
            self._progbar = self.callbacks[-1]
        self.set_model(model)
        self.set_params(params)

    def append(self, callback: Any) -> None:
        """Add one more."""
        self.callbacks.append(callback)
        self._batch_hooks.clear()

    def set_params(self, params: dict[str, Any] | None) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def wants_batches(self, mode: str) -> bool:
        """Whether any callback wants to be called for each batch.

        Args:
            mode: "train", "test" or "predict".
        """
        return any(callback.wants_batches(mode) for callback in self.callbacks)

    def wants_every_batch(self, mode: str) -> bool:
        """Whether any callback must hear of each batch as soon as it is over."""
        return any(c.every_batch and c.wants_batches(mode) for c in self.callbacks)

    def _all(self, hook: str, *args: Any, logs: Logs) -> None:
        numbers = plain(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(*args, numbers)

    def _batch(self, hook: str, mode: str, batch: int, logs: Logs) -> None:
        hooks = self._batch_hooks.get(hook)
        if hooks is None:
            wanting = (c for c in self.callbacks if c.wants_batches(mode))
            hooks = [getattr(callback, hook) for callback in wanting]
            self._batch_hooks[hook] = hooks
        if hooks:
            numbers = plain(logs)
            for function in hooks:
                function(batch, logs=numbers)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._batch_hooks.clear()
        self._all("on_train_begin", logs=logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._all("on_train_end", logs=logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._batch_hooks.clear()
        self._all("on_test_begin", logs=logs)

    def on_test_end(self, logs: Logs = None) -> None:
        self._all("on_test_end", logs=logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._batch_hooks.clear()
        self._all("on_predict_begin", logs=logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._all("on_predict_end", logs=logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._all("on_epoch_begin", epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._all("on_epoch_end", epoch, logs=logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_batch_begin", "train", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_batch_end", "train", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_train_batch_begin", "train", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_train_batch_end", "train", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_test_batch_begin", "test", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_test_batch_end", "test", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_predict_batch_begin", "predict", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._batch("on_predict_batch_end", "predict", batch, logs)


def plain(logs: Logs) -> dict[str, Any]:
    """Logs by name, with Python floats; what has axes stays, nested logs do not.

    >>> import numpy as np
    >>> plain({"loss": np.float32(0.5), "more": {"accuracy": np.array(1)}, "a": 2})
    {'a': 2.0, 'loss': 0.5, 'accuracy': 1.0}
    """
    result: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            result.update(plain(value))
        elif isinstance(value, (int, float)) or getattr(value, "shape", None) == ():
            result[name] = float(value)
        else:
            result[name] = value
    return result


def _flat(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [callback for part in callbacks for callback in _flat(part)]
    if isinstance(callbacks, type):
        raise ArgumentError(
            f"callbacks holds the class {callbacks.__name__} itself; write "
            f"{callbacks.__name__}(...)."
        )
    if not isinstance(callbacks, Callback):
        raise ArgumentError(
            f"callbacks must be Callbacks; received {callbacks!r}. For a function use "
            "LambdaCallback(on_epoch_end=...)."
        )
    return [callbacks]
