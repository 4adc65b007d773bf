"""Trainer: compile, fit, evaluate and predict.

One batch through fit:

    the data yields (x, y, sample_weight)
      -> the function of this step, for these shapes, frozen layers and settings
           the first time: capture train_step (forward to updates), and plan it
      -> copy the batch into the plan's inputs, run it, commit weights and metrics
      -> logs -> callbacks
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from deepneuron import kernels
from deepneuron._version import __version__
from deepneuron.callbacks import CallbackList
from deepneuron.callbacks.message import say
from deepneuron.engine.nest import flatten, pack
from deepneuron.errors import ArgumentError, NotCompiledError
from deepneuron.training.data import (
    make_data,
    no_batches,
    train_validation_split,
    unpack_x_y_sample_weight,
    whole_number,
)
from deepneuron.training.logs import numbers
from deepneuron.training.many_steps import many_steps
from deepneuron.training.step_functions import StepFunctions


class Trainer(StepFunctions):
    """What a Model can do once it is compiled. The model is also a Layer."""

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
        logs = self._many_steps("train", data, callbacks)
        if logs is not None:
            return numbers(logs)
        i = None
        for i, batch in enumerate(data.epoch()):
            callbacks.on_train_batch_begin(i)
            logs = step(batch)
            callbacks.on_train_batch_end(i, logs)
            if self.stop_training:
                break
        return None if i is None else numbers(logs)

    def _many_steps(self, kind: str, data: Any, callbacks: CallbackList) -> Any:
        if self.run_eagerly:
            return None
        return many_steps(partial(self._prepared, kind), kind, data, callbacks)

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
        logs = self._many_steps("test", data, callbacks)
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
        result = numbers(logs)
        callbacks.on_test_end(result)
        return result

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
        logs = numbers(self._function(kind, step)(batch))
        return logs if as_dict else self._in_order(logs)

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


def _is_due(epoch: int, freq: Any) -> bool:
    if isinstance(freq, (list, tuple, set, frozenset, range)):
        return (epoch + 1) in freq
    return (epoch + 1) % whole_number("validation_freq", freq, 1) == 0
