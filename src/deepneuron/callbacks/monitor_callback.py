"""What callbacks have in common that watch one value and know which way is better."""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable
from typing import Any

from deepneuron.callbacks.callback import Callback
from deepneuron.errors import ArgumentError

# Words in the names of values that grow, or shrink, while a model gets better.
_UP = {"acc", "accuracy", "auc", "precision", "recall", "f1", "score", "iou", "r2"}
_DOWN = {"loss", "error", "mse", "mae", "rmse", "crossentropy", "divergence", "hinge"}


class MonitorCallback(Callback):
    """Compares the value of one name in the logs with the best so far.

    Args:
        monitor: the name, such as "val_loss".
        mode: "min", "max", or "auto", which asks the metric and its name.
        baseline: the value that counts as the best at the beginning.
        min_delta: a smaller change is no improvement.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode {mode!r} is unknown, fallback to 'auto'.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def _set_monitor_op(self) -> Callable[[Any, Any], Any]:
        """Find out which way is better; the model's metrics exist by now."""
        direction = {"min": "down", "max": "up"}.get(self.mode) or self._direction()
        if direction is None:
            raise ArgumentError(
                f"{type(self).__name__} received monitor={self.monitor!r}, and cannot "
                "tell whether that should become large or small. Pass mode='max' or "
                "mode='min'."
            )
        self.monitor_op = operator.gt if direction == "up" else operator.lt
        self.min_delta = self.min_delta if direction == "up" else -self.min_delta
        return self.monitor_op

    def _direction(self) -> str | None:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "down"
        listed = getattr(self.model, "metrics", ())
        for metric in (m for one in listed for m in getattr(one, "metrics", [one])):
            direction = getattr(metric, "_direction", None)
            if metric.name == name and direction in ("up", "down"):
                return str(direction)
        words = set(re.findall(r"[a-z]+(?:[12]\b)?", name.lower().replace("_", " ")))
        if words & _DOWN:
            return "down"
        return "up" if words & _UP else None

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        better = self.monitor_op or self._set_monitor_op()
        return reference is None or bool(better(value - self.min_delta, reference))
