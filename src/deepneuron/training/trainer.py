"""Trainer: compile, fit, evaluate and predict.

One batch through fit:

    the data yields (x, y, sample_weight)
      -> the function of this step, for these shapes, frozen layers and settings
           the first time: capture train_step (forward to updates), and plan it
      -> copy the batch into the plan's inputs, run it, commit weights and metrics
      -> logs -> callbacks
"""

from __future__ import annotations

import inspect
import threading
import time
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from deepneuron import kernels, ops, optimizers
from deepneuron import losses as losses_package
from deepneuron import metrics as metrics_package
from deepneuron._version import __version__
from deepneuron.callbacks import CallbackList
from deepneuron.callbacks.message import say
from deepneuron.engine import scope
from deepneuron.engine.capture import Function, capture
from deepneuron.engine.gradients import gradients
from deepneuron.engine.nest import flatten, map_structure, pack
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ArgumentError, DTypeError, NotCompiledError
from deepneuron.metrics import Mean, Metric
from deepneuron.serialization import deserialize, serialize
from deepneuron.training.compiled import (
    GENERAL_LOSSES,
    GENERAL_METRICS,
    CompileLoss,
    CompileMetrics,
)
from deepneuron.training.data import (
    ArrayData,
    make_data,
    no_batches,
    train_validation_split,
    unpack_x_y_sample_weight,
    whole_number,
)

_building = threading.RLock()
_STRETCH = (
    0.05  # seconds of steps at once; then a progress bar, or Ctrl-C, has its turn
)


class Trainer:
    """What a Model can do once it is compiled. The model is also a Layer."""

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
        self._functions: dict[str, Function] = {}
        self._structure: Any = None

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
        if not self.compiled or type(self).compile is not Trainer.compile:
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
        y_pred = self(x, training=True)  # type: ignore[operator]  # the Layer's call
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
        y_pred = self(x, training=False)  # type: ignore[operator]
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._track(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Forward only."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)  # type: ignore[operator]

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
        return _spread_out({m.name: m.result() for m in self.metrics})

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
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            found.extend(m for m in layer._parts(Metric) if m not in found)
        return found

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Forget what the metrics have seen."""
        for metric in self.metrics:
            metric.reset_state()

    # --- the loops

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train for so many passes over the data.

        Args:
            x: arrays (or a list or dictionary of them) whose first axis counts the
                samples, or something that yields (x, y) batches.
            y: the targets.
            batch_size: samples a step; 32 by default.
            epochs: the number of the last epoch.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch; "auto" is 1 on a
                terminal, else 2.
            callbacks: a list of Callbacks.
            validation_split: the share of the samples, taken from the end, that is kept
                for validation.
            validation_data: (x, y) or (x, y, sample_weight), or what yields batches
                of them; evaluated after each epoch.
            shuffle: whether arrays are shuffled before each epoch.
            class_weight: {class: weight} for imbalanced classes.
            sample_weight: a weight for every sample.
            initial_epoch: the epoch to begin with.
            steps_per_epoch, validation_steps: so many batches at most.
            validation_batch_size: that of training by default.
            validation_freq: evaluate after every so many epochs, or after those listed.

        Returns:
            A History: `history.history["loss"]` has one value for each epoch.

        Raises:
            NotCompiledError: `compile` was not called.
            DataError: numbers of samples that differ, NaN, text instead of numbers.
            ArgumentError, DTypeError: an argument that makes no sense.
        """
        self._assert_compiled("fit")
        epochs = whole_number("epochs", epochs, 0)
        initial_epoch = whole_number("initial_epoch", initial_epoch, 0)
        _is_due(0, validation_freq)  # rather now than after an epoch
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = train_validation_split(
                (x, y, sample_weight), validation_split
            )
        data = make_data(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            steps=steps_per_epoch,
            class_weight=class_weight,
            check=True,
        )
        validation = None
        if validation_data is not None:
            validation = self._validation(
                validation_data, validation_batch_size or batch_size, validation_steps
            )
        callbacks = self._callback_list(
            callbacks, data, verbose, epochs, add_history=True
        )
        self.stop_training = False
        if verbose != 0:
            _say_what_computes()
        logs: Any = None
        callbacks.on_train_begin()
        try:
            for epoch in range(initial_epoch, epochs):
                self.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                epoch_logs = self._train_epoch(data, callbacks)
                if epoch_logs is None and epoch == initial_epoch:
                    raise no_batches(data)
                if epoch_logs is None:  # a generator that is used up; it has warned
                    break
                logs = epoch_logs
                if validation is not None and _is_due(epoch, validation_freq):
                    val_logs = self._evaluate(validation, callbacks)
                    logs.update({f"val_{k}": v for k, v in val_logs.items()})
                callbacks.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
        finally:
            if epochs > 0:
                self.optimizer.finalize_variable_values(self.trainable_variables)
        callbacks.on_train_end(logs)
        return self.history

    def _train_epoch(self, data: Any, callbacks: CallbackList) -> dict[str, Any] | None:
        """The logs after one pass over the data; None if there was no batch."""
        # Anew in each epoch: a callback may have frozen layers, or changed settings of
        # the optimizer.
        step = self._function("train", self.train_step)
        logs = self._at_once("train", data, callbacks)
        if logs is not None:
            return _numbers(logs)
        i = None
        for i, batch in enumerate(data.epoch()):
            callbacks.on_train_batch_begin(i)
            logs = step(batch)
            callbacks.on_train_batch_end(i, logs)
            if self.stop_training:
                break
        return None if i is None else _numbers(logs)

    def _at_once(self, kind: str, data: Any, callbacks: CallbackList) -> Any:
        """The logs of an epoch whose steps are made many at a time, or None.

        That needs arrays, kernels that can do it, and callbacks that need not hear of
        every batch. They hear of one now and then.
        """
        every = callbacks.wants_every_batch(kind)
        if every or self.run_eagerly or not isinstance(data, ArrayData) or data.steps:
            return None
        rows, logs = min(data.batch_size, data.samples), None
        with _building:
            first = pack(data.structure, [x[:rows] for x in data.arrays])
            self._ensure_built(kind, first)
        self._renew_key()
        function = self._functions[kind]
        if function.many(data.arrays, data.structure, rows) is None:
            return None

        def one_step(numbers: Any) -> Any:
            batch = [x[numbers] for x in data.arrays]
            return function(pack(data.structure, batch))

        order = data.epoch_order()
        full = data.samples - data.samples % rows
        tell = getattr(callbacks, f"on_{kind}_batch_end")
        start, steps = 0, 1
        while start < data.samples:
            if start == full:
                rows, steps = data.samples - full, 1
            # The plan of the last, smaller batch may need Python in between.
            run = function.many(data.arrays, data.structure, rows) or one_step
            end = min(start + steps * rows, full if start < full else data.samples)
            began = time.perf_counter()
            logs = run(order[start:end])
            seconds = (time.perf_counter() - began) / max((end - start) // rows, 1)
            steps = max(1, int(_STRETCH / max(seconds, 1e-7)))
            start = end
            tell(-(-start // data.batch_size) - 1, logs)
        return logs

    def _callback_list(
        self,
        callbacks: Any,
        data: Any,
        verbose: Any,
        epochs: int = 1,
        add_history: bool = False,
    ) -> CallbackList:
        """The user's callbacks, with the progress bar; a list of them stays itself."""
        if isinstance(callbacks, CallbackList):
            return callbacks
        return CallbackList(
            callbacks,
            add_history=add_history,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=data.batches,
            model=self,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics over the data, with the weights as they are.

        Args:
            x, y, batch_size, verbose, sample_weight, callbacks: see `fit`.
            steps: so many batches at most.
            return_dict: whether to return {name: value}.

        Returns:
            The loss; with metrics a list of the loss and their values; or a dictionary.
        """
        self._assert_compiled("evaluate")
        if kwargs:
            raise ArgumentError(
                f"evaluate does not know {', '.join(map(repr, kwargs))}."
            )
        data = make_data(
            x, y, sample_weight, batch_size=batch_size, steps=steps, check=True
        )
        callbacks = self._callback_list(callbacks, data, verbose)
        logs = self._evaluate(data, callbacks)
        return logs if return_dict else self._in_order(logs)

    def _validation(self, data: Any, batch_size: Any, steps: Any) -> Any:
        if not isinstance(data, (tuple, list)):
            return make_data(data, steps=steps, check=True)
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        return make_data(
            x, y, sample_weight, batch_size=batch_size, steps=steps, check=True
        )

    def _evaluate(self, data: Any, callbacks: CallbackList) -> dict[str, float]:
        step = self._function("test", self.test_step)
        data.restart()  # the same samples in every validation
        callbacks.on_test_begin()
        self.reset_metrics()
        self.stop_evaluating = False
        logs = self._at_once("test", data, callbacks)
        seen = logs is not None
        for i, batch in enumerate(() if seen else data.epoch()):
            seen = True
            callbacks.on_test_batch_begin(i)
            logs = step(batch)
            callbacks.on_test_batch_end(i, logs)
            if self.stop_evaluating:
                break
        if not seen:
            raise no_batches(data)
        numbers = _numbers(logs)
        callbacks.on_test_end(numbers)
        return numbers

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for all of the data, batch by batch. Threads may share a model.

        Args:
            x, batch_size, verbose, callbacks: see `fit`.
            steps: so many batches at most.

        Returns:
            An array whose first axis counts the samples (or the structure of outputs).
        """
        data = make_data(x, batch_size=batch_size, steps=steps)
        callbacks = self._callback_list(callbacks, data, verbose)
        step = self._function("predict", self.predict_step)
        self.stop_predicting = False
        callbacks.on_predict_begin()
        collected: list[list[Any]] = []
        structure = None
        for i, batch in enumerate(data.epoch()):
            callbacks.on_predict_batch_begin(i)
            y = step(batch)
            leaves, structure = flatten(y)
            collected.append(leaves)
            callbacks.on_predict_batch_end(i, {"outputs": y})
            if self.stop_predicting:
                break
        if not collected:
            raise no_batches(data)
        callbacks.on_predict_end()
        columns = [np.concatenate(column) for column in zip(*collected, strict=True)]
        return pack(structure, columns)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on one batch.

        Returns:
            The loss, or a list with the metrics, or a dictionary.
        """
        self._assert_compiled("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics of one batch, with the weights as they are."""
        self._assert_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        batch = _one_batch(x, None, None, None)
        return self._function("predict", self.predict_step)(batch)

    def _on_batch(
        self, kind: str, x: Any, y: Any, weight: Any, classes: Any, as_dict: bool
    ) -> Any:
        batch = _one_batch(x, y, weight, classes)
        step = self.train_step if kind == "train" else self.test_step
        self.reset_metrics()  # the logs are those of this batch alone
        logs = _numbers(self._function(kind, step)(batch))
        return logs if as_dict else self._in_order(logs)

    # --- functions of a step

    def _function(self, kind: str, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """What runs one step: captured and planned, or eagerly."""
        if self.run_eagerly:
            return self._eager(step)
        if kind not in self._functions:
            self._functions[kind] = Function(
                step, key=lambda: self._structure, kernels=kernels.current
            )
        self._renew_key()
        function = self._functions[kind]

        def first(batch: Any) -> Any:
            with _building:  # two threads must not make the weights twice
                self._ensure_built(kind, batch)
            self._renew_key()
            return function(batch)

        return function if self._is_ready(kind) else first

    def _renew_key(self) -> None:
        """Note what a plan depends on beside shapes: which weights learn, and how."""
        layers = self._flatten_layers()  # type: ignore[attr-defined]
        learning = tuple(self.trainable_variables)
        how = getattr(self.optimizer, "plan_key", lambda: self.optimizer)()
        key = tuple(layer.trainable for layer in layers), learning, how
        if key != self._structure:  # an equal one stays: it is found faster
            self._structure = key

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
            y_pred = self(x, training=kind == "train")  # type: ignore[operator]
            if kind != "predict" and self._compile_loss is not None:
                self._compile_loss(y, y_pred, sample_weight)
            if kind != "predict" and self._compile_metrics is not None:
                self._compile_metrics.update_state(y, y_pred, sample_weight)
            return []

        metrics = self._compile_metrics
        unbuilt = kind != "predict" and metrics is not None and not metrics.built
        if type(self).train_step is Trainer.train_step or not self.built or unbuilt:
            capture(forward, x, y, sample_weight)
        self.built = True
        if kind == "train" and not getattr(self.optimizer, "built", True):
            self.optimizer.build(self.trainable_variables)

    def _eager(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def run(batch: Any) -> Any:
            batch = map_structure(
                np.array, batch
            )  # the user's own, to keep if he likes
            with scope.recording():
                logs = step(batch)
            return map_structure(
                lambda v: v.numpy() if isinstance(v, Tensor) else v, logs
            )

        return run

    def _in_order(self, logs: dict[str, Any]) -> Any:
        """The values in the order of the metrics; those of other names at the end."""
        each = (m for one in self.metrics for m in getattr(one, "metrics", [one]))
        first = [n for n in dict.fromkeys(m.name for m in each) if n in logs]
        values = [logs[n] for n in (*first, *sorted(set(logs) - set(first)))]
        return values[0] if len(values) == 1 else values

    def _assert_compiled(self, method: str) -> None:
        if not self.compiled:
            raise NotCompiledError(
                f"Model {self.name!r} must be compiled before {method}: call "
                'model.compile(optimizer="adam", loss=...) first.'
            )


@lru_cache(maxsize=1)
def _say_what_computes() -> None:
    """Once in a process."""
    say(f"deepneuron {__version__}: {kernels.describe()}")


def _one_batch(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
    data = make_data(x, y, sample_weight, batch_size=2**62, class_weight=class_weight)
    return next(data.epoch())


def _numbers(logs: dict[str, Any]) -> dict[str, Any]:
    """Python floats, except for what holds more than one value."""
    if not isinstance(logs, dict):
        raise DTypeError(
            "A train_step or test_step returns its logs as a dictionary {name: value}; "
            f"yours returned {type(logs).__name__}: {logs!r}."
        )
    return {
        name: float(value) if np.ndim(value) == 0 else np.array(value)
        for name, value in _spread_out(logs).items()
    }


def _spread_out(logs: dict[str, Any]) -> dict[str, Any]:
    """Without dictionaries within; their names are good enough."""
    result: dict[str, Any] = {}
    for name, value in logs.items():
        result.update(_spread_out(value) if isinstance(value, dict) else {name: value})
    return result


def _is_due(epoch: int, freq: Any) -> bool:
    if isinstance(freq, (list, tuple, set, frozenset, range)):
        return (epoch + 1) in freq
    return (epoch + 1) % whole_number("validation_freq", freq, 1) == 0
