"""Steps: what `compile` decides, and what is done with one batch.

`train_step` is forward, loss, gradients, update and metrics; `test_step` leaves out
gradients and update; `predict_step` is forward alone.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

from deepneuron import losses as losses_package
from deepneuron import metrics as metrics_package
from deepneuron import ops, optimizers
from deepneuron.engine.capture import Function
from deepneuron.engine.gradients import gradients
from deepneuron.engine.nest import flatten
from deepneuron.errors import ArgumentError
from deepneuron.metrics import Mean, Metric
from deepneuron.serialization import deserialize, serialize
from deepneuron.training.compiled import (
    GENERAL_LOSSES,
    GENERAL_METRICS,
    CompileLoss,
    CompileMetrics,
)
from deepneuron.training.data import unpack_x_y_sample_weight
from deepneuron.training.logs import spread_out


class Steps:
    """What a compiled model does with one batch. The model is also a Layer."""

    _not_tracked = frozenset(
        {"optimizer", "history", "_compile_metrics", "_compile_loss", "_compile_config",
         "_loss_tracker", "_functions", "_network", "_structure", "loss"}
    )  # fmt: skip

    # What the Layer beside it in a Model brings.
    name: str
    built: bool
    losses: list[Any]
    trainable_variables: list[Any]
    output_names: Any
    __call__: Callable[..., Any]
    _flatten_layers: Callable[..., list[Any]]

    def __init__(self) -> None:
        self.compiled = False
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.loss: Any = None
        self.optimizer: Any = None
        self.history: Any = None
        self.run_eagerly = False
        self.steps_per_execution = 1
        self.jit_compile = False
        self._compile_loss: CompileLoss | None = None
        self._compile_metrics: CompileMetrics | None = None
        self._compile_config: dict[str, Any] | None = None
        self._loss_tracker: Mean | None = None
        self._functions: dict[str, Function] = {}  # of the steps, when they first ran
        self._structure: dict[str, Any] = {}  # what they depend on beside shapes

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is to learn, and what to report.

        Args:
            optimizer: a name or an Optimizer.
            loss: a name, a function (y_true, y_pred) or a Loss; for several outputs, a
                list or dictionary of them.
            loss_weights: numbers by which the outputs' losses are multiplied.
            metrics: a list of names, functions or Metrics. "accuracy" is the kind that
                fits the targets.
            weighted_metrics: the same, but with sample weights.
            run_eagerly: run every operation at once, so that Python code in layers sees
                the values; slower, for debugging.
            steps_per_execution, jit_compile, auto_scale_loss: accepted as in Keras; a
                step is always planned as a whole.

        Raises:
            UnknownNameError: a name that means nothing; the nearest ones are offered.

        A step is captured when it first runs. Weights, the optimizer's settings and
        what is frozen may change at any time; any other setting of a layer or a loss
        (`dropout.rate`) that you change later counts after the next `compile`.
        """
        self.optimizer = optimizers.get(optimizer)
        names = getattr(self, "output_names", None)
        for part in flatten(loss)[0]:  # a misspelt name should fail here, not in fit
            if isinstance(part, str) and part.lower() not in GENERAL_LOSSES:
                losses_package.get(part)
        for part in flatten((metrics, weighted_metrics))[0]:
            if isinstance(part, str) and part.lower() not in GENERAL_METRICS:
                metrics_package.get(part)
        self.loss = loss
        self._compile_loss = (
            None if loss is None else CompileLoss(loss, loss_weights, names)
        )
        self._compile_metrics = None
        if metrics or weighted_metrics:
            self._compile_metrics = CompileMetrics(metrics, weighted_metrics, names)
        self.run_eagerly = bool(run_eagerly)
        self.steps_per_execution = steps_per_execution
        self.jit_compile = jit_compile
        self.stop_training = False
        self._loss_tracker = Mean(name="loss")
        self._functions = {}
        self._compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self.compiled = True

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as plain data."""
        if not self.compiled or type(self).compile is not Steps.compile:
            return None
        config = self._compile_config or {}
        return {
            key: serialize(self.optimizer if key == "optimizer" else value)
            for key, value in config.items()
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """`compile` with the arguments that `get_compile_config` returned."""
        known = {k: deserialize(v) for k, v in config.items() if k != "auto_scale_loss"}
        self.compile(**known)
        if self.built and self.trainable_variables:
            self.optimizer.build(self.trainable_variables)

    # --- one step; a subclass may write its own

    def train_step(self, data: Any) -> dict[str, Any]:
        """Forward, loss, gradients, update. Override it to train in another way.

        Args:
            data: (x, y, sample_weight) of one batch.

        Returns:
            The logs: {name: value}.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=True)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
        self._track(loss, x)
        if self.trainable_variables:
            scaled = self.optimizer.scale_loss(loss)
            grads = gradients(scaled, self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
        else:
            warnings.warn(
                "The model does not have any trainable weights.", stacklevel=2
            )
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Forward and loss, with the weights left as they are."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._track(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Forward only."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The compiled loss, plus what layers added and their weights' penalties."""
        total = None
        if self._compile_loss is not None:
            total = self._compile_loss(y, y_pred, sample_weight)
        for penalty in map(ops.sum, self.losses):
            total = penalty if total is None else total + penalty
        if total is None:
            raise ArgumentError(
                f"Model {self.name!r} has nothing to minimise: give compile a loss, or "
                "call add_loss in a layer."
            )
        return total

    def _loss_of(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Any:
        """`compute_loss`, which a subclass may have written without `training`."""
        arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if "training" in inspect.signature(self.compute_loss).parameters:
            arguments["training"] = training
        return self.compute_loss(**arguments)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the compiled metrics and return all of them."""
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """{name: value} of the model's metrics."""
        return spread_out({m.name: m.result() for m in self.metrics})

    def _track(self, loss: Any, x: Any) -> None:
        if self._loss_tracker is not None:
            samples = next((a.shape[0] for a in flatten(x)[0]), None)
            self._loss_tracker.update_state(loss, sample_weight=samples)

    @property
    def metrics(self) -> list[Metric]:
        """The loss, the compiled metrics (as one), and those that layers hold."""
        first = (self._loss_tracker, self._compile_metrics)
        found: list[Metric] = [m for m in first if m is not None]
        if self._compile_loss is not None:
            found.extend(self._compile_loss.trackers)
        for layer in self._flatten_layers():
            found.extend(m for m in layer._parts(Metric) if m not in found)
        return found

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Forget what the metrics have seen."""
        for metric in self.metrics:
            metric.reset_state()
