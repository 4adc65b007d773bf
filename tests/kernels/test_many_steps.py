"""`fit` makes many steps in one call; it learns the same as step by step."""

import gc
import weakref

import numpy as np
import pytest

import deepneuron as dn
from deepneuron.errors import DeepneuronError
from deepneuron.kernels.native.plan import NativePlan
from tests.kernels.judge import ISAS

assert ISAS  # without the extension, none of this is there


@pytest.fixture(autouse=True)
def kernels_as_before():
    yield
    dn.config.set_kernels(None)


def trained(kernels, samples, batch_size, callbacks=None):
    dn.config.set_kernels(kernels)
    dn.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples, 5)).astype("float32")
    y = rng.integers(0, 3, samples)
    model = dn.Sequential([dn.Input((5,)), dn.layers.Dense(3)])
    loss = dn.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    history = model.fit(
        x, y, batch_size=batch_size, epochs=3, verbose=0, callbacks=callbacks
    )
    return history.history, model.evaluate(x, y, batch_size=batch_size, verbose=0)


@pytest.mark.parametrize(("samples", "batch"), [(64, 8), (9, 4), (13, 5), (3, 32)])
def test_fit_and_evaluate_learn_the_same_with_native_kernels(samples, batch):
    native, numpy = (trained(k, samples, batch) for k in ("native", "numpy"))
    for name in numpy[0]:
        np.testing.assert_allclose(native[0][name], numpy[0][name], rtol=1e-5)
    np.testing.assert_allclose(native[1], numpy[1], rtol=1e-5)


def test_a_last_batch_that_needs_python_is_learned_from_as_well(monkeypatch):
    expected = trained("numpy", 9, 4)
    monkeypatch.setattr(NativePlan, "whole", property(lambda plan: plan.rows != 1))
    history, scores = trained("native", 9, 4)
    np.testing.assert_allclose(history["loss"], expected[0]["loss"], rtol=1e-5)
    np.testing.assert_allclose(scores, expected[1], rtol=1e-5)


def test_a_callback_that_wants_every_batch_hears_of_every_batch():
    heard = []
    hook = dn.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: heard.append(batch)
    )
    trained("native", 24, 8, [hook])
    assert heard == [0, 1, 2] * 3


def test_a_wrong_label_among_many_steps_is_named_and_changes_nothing_of_its_step():
    dn.config.set_kernels("native")
    x, y = np.ones((12, 2), "float32"), np.zeros(12, int)
    y[9] = 7
    model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(3)])
    loss = dn.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    with pytest.raises(DeepneuronError, match="7"):
        model.fit(x, y, batch_size=4, verbose=0, shuffle=False)
    assert int(model.optimizer.iterations.numpy()) == 2


def test_what_was_learned_from_is_not_kept_in_memory():
    dn.config.set_kernels("native")
    model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((12, 2), "float32"), np.zeros((12, 1), "float32")
    gone = [weakref.ref(x), weakref.ref(y)]
    model.fit(x, y, batch_size=4, verbose=0)
    model.evaluate(x, y, batch_size=5, verbose=0)
    model.predict(x, batch_size=5, verbose=0)
    del x, y
    gc.collect()
    assert all(ref() is None for ref in gone)
