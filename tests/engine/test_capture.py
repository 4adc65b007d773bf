"""Capturing: once per shape, a bounded number of plans, and what becomes a constant."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function


def counted(most: int) -> tuple[Function, list[Any]]:
    """A function, and the shapes for which it was captured, in order."""
    captured: list[Any] = []

    def step(x: Any) -> Any:
        captured.append(x.shape)
        return ops.sum(x * 2.0)

    return Function(step, most=most), captured


def test_a_shape_is_captured_once() -> None:
    function, captured = counted(most=32)
    for size in (3, 4, 3, 4, 3):
        assert function(np.ones(size, "float32")) == 2.0 * size
    assert captured == [(3,), (4,)]


@given(st.lists(st.integers(1, 6), max_size=20), st.integers(1, 4))
def test_the_plans_used_last_are_kept(sizes: list[int], most: int) -> None:
    function, captured = counted(most)
    kept: list[int] = []  # the last one used stands at the end
    expected = []
    for size in sizes:
        if size in kept:
            kept.remove(size)
        else:
            expected.append((size,))
        kept = [*kept, size][-most:]
        assert function(np.ones(size, "float32")) == 2.0 * size
        assert len(function._plans) <= most
    assert captured == expected


def test_a_thousand_lengths_take_bounded_memory() -> None:
    model = dn.Sequential([dn.Input((None, 2)), dn.layers.Dense(1)])
    for length in range(1, 101):
        assert model.predict(np.ones((1, length, 2)), verbose=0).shape[1] == length
    function = model._functions["predict"]
    assert len(function._plans) == function.most < 100


def test_threads_that_meet_at_a_new_shape_capture_it_once() -> None:
    function, captured = counted(most=32)
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        for size in range(1, 6):
            assert function(np.ones(size, "float32")) == 2.0 * size

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(captured) == [(size,) for size in range(1, 6)]


# --- settings that change after the first step, as docs/architecture.md promises


def network(**settings: Any) -> Any:
    dn.utils.set_random_seed(0)
    dense = dn.layers.Dense(2, use_bias=False, kernel_initializer="ones")
    model = dn.Sequential([dn.Input((3,)), dense, dn.layers.Activation("linear")])
    model.compile(**{"optimizer": dn.optimizers.SGD(0.5), "loss": "mse", **settings})
    return model


X, Y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")


def test_weights_rates_and_freezing_count_in_the_next_step() -> None:
    model = network()
    model.train_on_batch(X, Y)
    model.set_weights([np.ones((3, 2), "float32")])
    model.optimizer.learning_rate = 0.0
    assert model.train_on_batch(X, Y) == 9.0
    np.testing.assert_array_equal(model.get_weights()[0], np.ones((3, 2)))
    model.optimizer.learning_rate = 0.5
    model.layers[0].trainable = False
    model.layers[0].trainable = True
    model.train_on_batch(X, Y)
    assert (model.get_weights()[0] < 1.0).all()


def test_other_settings_of_a_layer_or_loss_count_after_the_next_compile() -> None:
    model = network()
    assert model.predict(-X, verbose=0).min() == -3.0
    model.layers[1].activation = dn.activations.relu
    assert model.predict(-X, verbose=0).min() == -3.0
    model.compile("sgd", "mse")
    assert model.predict(-X, verbose=0).min() == 0.0


def test_a_sequential_that_got_another_layer_is_captured_anew() -> None:
    model = network()
    assert model.predict(-X, verbose=0).min() == -3.0
    model.pop()
    model.add(dn.layers.ReLU())
    assert model.predict(-X, verbose=0).min() == 0.0


def test_the_float_type_may_change_between_models() -> None:
    model = network()
    assert model.predict(X, verbose=0).dtype == "float32"
    dn.config.set_floatx("float64")
    try:
        assert model.predict(X, verbose=0).dtype == "float32"
        assert network().predict(X, verbose=0).dtype == "float64"
    finally:
        dn.config.set_floatx("float32")
