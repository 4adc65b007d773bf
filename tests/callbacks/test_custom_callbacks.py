"""Callbacks that users write: which hooks are called, when, and with what."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import callbacks
from deepneuron.errors import ArgumentError, DivergenceError
from tests.peers import keras

X = np.linspace(-1, 1, 20, dtype="float32").reshape(10, 2)
Y = X[:, :1]


def model_of(k, metrics=("mae",)):
    model = k.Sequential([k.layers.Input((2,)), k.layers.Dense(1)])
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    model.compile("sgd", "mse", metrics=list(metrics))
    return model


HOOKS = [name for name in dir(dn.callbacks.Callback) if name.startswith("on_")]


def recorder(k):
    """A callback that notes every hook with its arguments."""
    noted = []

    def hook(name):
        def call(self, *args, logs=None):
            *first, last = (*args, logs) if len(args) < 2 else args
            if name.endswith(("train_begin", "test_begin", "predict_begin")):
                first, last = [], args[0] if args else logs
            if name.endswith(("train_end", "test_end", "predict_end")):
                first, last = [], args[0] if args else logs
            last = {
                n: np.shape(v) if n == "outputs" else round(v, 5)
                for n, v in (last or {}).items()
            }
            noted.append((name, first, last))

        return call

    batches = ("on_batch_begin", "on_batch_end")  # the others call them
    kind = type(
        "Recorder",
        (k.callbacks.Callback,),
        {n: hook(n) for n in HOOKS if n not in batches},
    )
    return kind(), noted


def test_every_hook_is_called_as_in_keras():
    found = []
    for k in (dn, keras()):
        model = model_of(k)
        callback, noted = recorder(k)
        common = {"verbose": 0, "callbacks": [callback], "batch_size": 4}
        model.fit(
            X, Y, epochs=2, shuffle=False, validation_data=(X[:5], Y[:5]), **common
        )
        model.evaluate(X, Y, **common)
        model.predict(X, **common)
        found.append((noted, callback.params))
    assert found[0] == found[1]
    assert len(found[0][0]) > 40


def test_hooks_read_the_model_and_the_parameters():
    seen = []

    class Reader(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, self.model.get_weights()[0].copy(), self.params))

    model = model_of(dn)
    model.fit(X, Y, epochs=2, batch_size=5, verbose=0, callbacks=[Reader()])
    assert [batch for batch, _, _ in seen] == [0, 1, 0, 1]
    assert seen[0][2] == {"verbose": 0, "epochs": 2, "steps": 2}
    steps = [weights for _, weights, _ in seen]
    for before, after in itertools.pairwise(steps):
        assert not np.array_equal(before, after)
    np.testing.assert_array_equal(steps[-1], model.get_weights()[0])


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_batch_end", "on_epoch_end"])
def test_a_hook_can_stop_the_training_as_in_keras(hook):
    results = []
    for k in (dn, keras()):
        calls = []

        def stop(self, number, logs=None, calls=calls):
            calls.append(number)
            self.model.stop_training = len(calls) == 2

        callback = type("Stop", (k.callbacks.Callback,), {hook: stop})()
        history = model_of(k).fit(
            X, Y, epochs=4, batch_size=2, shuffle=False, verbose=0, callbacks=[callback]
        )
        results.append((calls, history.epoch, history.history["loss"]))
    assert results[0][:2] == results[1][:2]
    assert results[0][2] == pytest.approx(results[1][2], rel=1e-5)


def test_a_hook_can_change_weights_and_logs():
    class Change(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.full((2, 1), 7.0), np.zeros(1)])
            logs["mine"] = 1.5

    model = model_of(dn)
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[Change()])
    assert history.history["mine"] == [1.5, 1.5]
    assert np.all(model.get_weights()[0] == 7.0)


def test_history_has_the_order_and_the_epochs_of_keras():
    found = []
    for k in (dn, keras()):
        model = model_of(k)
        arguments = {"validation_data": (X, Y), "shuffle": False, "verbose": 0}
        history = model.fit(X, Y, epochs=3, initial_epoch=1, **arguments)
        again = model.fit(X, Y, epochs=1, callbacks=[history], **arguments)
        assert model.history is again is history
        found.append((list(history.history), history.epoch, history.history))
    assert found[0][:2] == found[1][:2]
    for name, values in found[1][2].items():
        assert found[0][2][name] == pytest.approx(values, rel=1e-5)


def test_a_lambda_callback_calls_its_functions():
    found = []
    for k in (dn, keras()):
        noted = []
        callback = k.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs, to=noted: to.append(("begin", epoch)),
            on_train_batch_end=lambda batch, logs, to=noted: to.append(sorted(logs)),
            on_train_end=lambda logs, to=noted: to.append(sorted(logs)),
            on_test_begin=lambda logs, to=noted: to.append("test"),
        )
        model_of(k).fit(
            X, Y, verbose=0, callbacks=[callback], validation_data=(X, Y), batch_size=5
        )
        found.append(noted)
    assert found[0] == found[1]


def test_a_list_of_callbacks_drives_a_loop_of_ones_own():
    found = []
    for k in (dn, keras()):
        model = model_of(k)
        callback, noted = recorder(k)
        together = k.callbacks.CallbackList(
            [callback], add_history=True, model=model, epochs=1, verbose=0, steps=1
        )
        together.on_train_begin()
        together.on_epoch_begin(0)
        together.on_train_batch_begin(0)
        together.on_train_batch_end(0, {"loss": np.float32(0.5)})
        together.on_epoch_end(0, {"loss": np.float32(0.5)})
        together.on_train_end({"loss": 0.5})
        found.append((noted, model.history.history))
    assert found[0] == found[1]


def test_no_batch_hooks_cost_nothing():
    quiet = callbacks.CallbackList(
        [callbacks.EarlyStopping(), callbacks.CSVLogger("x")]
    )
    assert not quiet.wants_batches("train")
    assert callbacks.CallbackList([callbacks.TerminateOnNaN()]).wants_batches("train")
    added = callbacks.CallbackList([])
    added.on_train_batch_end(0, {})
    noted = []
    added.append(
        callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: noted.append(b))
    )
    added.on_train_batch_end(1, {})
    assert noted == [1]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["history"], "'history'"),
        ([callbacks.History], r"write History\(\.\.\.\)"),
        (lambda epoch, logs: None, "LambdaCallback"),
        ([[None, 3]], "received 3"),
    ],
    ids=["text", "class", "function", "number"],
)
def test_what_is_no_callback_is_refused_before_training(wrong, sentence):
    model = model_of(dn)
    before = model.get_weights()
    with pytest.raises(ArgumentError, match=sentence):
        model.fit(X, Y, verbose=0, callbacks=wrong)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_an_error_in_a_hook_leaves_the_model_usable():
    class Broken(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyError("mine")

    model = model_of(dn)
    with pytest.raises(KeyError, match="mine"):
        model.fit(X, Y, verbose=0, callbacks=[Broken()])
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"][0])


def test_a_loss_that_explodes_is_stopped():
    model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(1)])
    model.compile(dn.optimizers.SGD(1e30), "mse")
    stop = callbacks.TerminateOnNaN()
    history = model.fit(X, Y, epochs=50, verbose=0, callbacks=[stop])
    assert len(history.epoch) < 50
    with pytest.raises(DivergenceError, match="learning rate"):
        model.fit(
            X, Y, epochs=50, verbose=0, callbacks=[callbacks.TerminateOnNaN(True)]
        )
