"""The functions of a model's steps: what has to be there first, captured, or eager."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from deepneuron import kernels
from deepneuron.engine import scope
from deepneuron.engine.capture import Function, capture
from deepneuron.engine.nest import map_structure
from deepneuron.engine.tensor import Tensor
from deepneuron.training.data import unpack_x_y_sample_weight
from deepneuron.training.steps import Steps

_building = threading.RLock()


class StepFunctions(Steps):
    """Runs a step as a plan, which is captured when its batch has a new shape."""

    def _function(self, kind: str, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """What runs one step: captured and planned, or eagerly.

        Args:
            kind: "train", "test" or "predict".
            step: what is captured.
        """
        if self.run_eagerly:
            return _eager(step)
        if kind not in self._functions:
            self._functions[kind] = Function(
                step, key=lambda: self._structure[kind], kernels=kernels.current
            )
        self._note_structure(kind)
        if self._is_ready(kind):
            return self._functions[kind]
        return lambda batch: self._prepared(kind, batch)(batch)

    def _prepared(self, kind: str, batch: Any) -> Function:
        """The function of a step, with all there that such a batch needs."""
        with _building:  # two threads must not make the weights twice
            self._ensure_built(kind, batch)
        self._note_structure(kind)
        return self._functions[kind]

    def _note_structure(self, kind: str) -> None:
        """Note what a plan depends on beside shapes: which weights learn, and how."""
        layers = self._flatten_layers()
        found: tuple[Any, ...] = tuple([layer.trainable for layer in layers])
        if kind != "predict":
            how = getattr(self.optimizer, "plan_key", lambda: self.optimizer)()
            found = found, tuple(self.trainable_variables), how
        if found != self._structure.get(kind):  # an equal one stays: it is found faster
            self._structure[kind] = found

    def _is_ready(self, kind: str) -> bool:
        if not self.built:
            return False
        metrics = self._compile_metrics
        if kind != "predict" and metrics is not None and not metrics.built:
            return False
        return kind != "train" or getattr(self.optimizer, "built", True)

    def _ensure_built(self, kind: str, batch: Any) -> None:
        """Make weights, metrics and optimizer slots before the step is captured."""
        if self._is_ready(kind):
            return
        x, y, sample_weight = unpack_x_y_sample_weight(batch)

        def forward(x: Any, y: Any, sample_weight: Any) -> Any:
            y_pred = self(x, training=kind == "train")
            if kind != "predict" and self._compile_loss is not None:
                self._compile_loss(y, y_pred, sample_weight)
            if kind != "predict" and self._compile_metrics is not None:
                self._compile_metrics.update_state(y, y_pred, sample_weight)
            return []

        metrics = self._compile_metrics
        unbuilt = kind != "predict" and metrics is not None and not metrics.built
        if type(self).train_step is Steps.train_step or not self.built or unbuilt:
            capture(forward, x, y, sample_weight)
        self.built = True
        if kind == "train" and not getattr(self.optimizer, "built", True):
            self.optimizer.build(self.trainable_variables)


def _eager(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run(batch: Any) -> Any:
        batch = map_structure(np.array, batch)  # the user's own, to keep if he likes
        with scope.recording():
            logs = step(batch)
        return map_structure(lambda v: v.numpy() if isinstance(v, Tensor) else v, logs)

    return run
