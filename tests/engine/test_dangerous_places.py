"""Six places that could break the design; docs/architecture.md tells their story."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function
from deepneuron.errors import CaptureError


def rows(count, size, seed=0):
    return np.random.default_rng(seed).normal(size=(count, size)).astype("float32")


# --- 1. views


def test_an_in_place_operation_waits_for_the_last_reader_of_a_view():
    def step(x):
        y = x * 2.0
        flat = ops.reshape(y, (-1,))  # the same memory as y
        z = ops.exp(y)  # must not be written over y: `flat` is read below
        return ops.sum(z) + ops.sum(flat)

    x = rows(3, 4)
    assert Function(step)(x) == pytest.approx(np.exp(2 * x).sum() + (2 * x).sum(), 1e-5)


def test_a_view_of_an_input_does_not_let_the_input_be_overwritten():
    def step(x):
        flat = ops.reshape(x, (-1,))
        return ops.exp(flat), x + 1.0

    x = rows(3, 4)
    y, z = Function(step)(x)
    np.testing.assert_allclose(y, np.exp(x.reshape(-1)), rtol=1e-6)
    np.testing.assert_array_equal(z, x + 1)


def test_what_is_handed_out_is_no_window_on_a_variable():
    w = dn.Variable(np.zeros((2, 3), "float32"))
    ops.reshape(w, (6,))[:] = 7.0
    w.numpy()[:] = 7.0
    w.value[:] = 7.0
    assert not w.numpy().any()


def test_what_is_handed_out_is_no_window_on_a_plan():
    function = Function(ops.exp)
    first = function(rows(2, 3))
    kept = first.copy()
    function(rows(2, 3, seed=1))
    np.testing.assert_array_equal(first, kept)


# --- 2. state that a step changes


def test_moving_statistics_are_committed_after_the_step_and_read_in_python_order():
    mean = dn.Variable(np.zeros(3, "float32"), trainable=False)

    def step(x):
        before = mean + 0.0
        mean.assign(0.9 * mean + 0.1 * ops.mean(x, axis=0))
        return before, mean + 0.0

    x = rows(8, 3)
    function = Function(step)
    expected = np.zeros(3)
    for _ in range(3):
        before, after = function(x)
        np.testing.assert_allclose(before, expected, atol=1e-6)
        expected = 0.9 * expected + 0.1 * x.mean(0)
        np.testing.assert_allclose(after, expected, rtol=1e-5)
        np.testing.assert_allclose(mean.numpy(), expected, rtol=1e-5)


def test_two_variables_exchange_their_values():
    a, b = dn.Variable([1.0, 2.0]), dn.Variable([3.0, 4.0])

    def step(x):
        old = a + 0.0 * x
        a.assign(b)
        b.assign(old)
        return x

    Function(step)(np.zeros(2, "float32"))
    np.testing.assert_array_equal(a.numpy(), [3.0, 4.0])
    np.testing.assert_array_equal(b.numpy(), [1.0, 2.0])


# --- 4. a weight shared by two plans (3, convolution, has its own conformance suite)


def test_a_variable_is_assigned_itself():
    v = dn.Variable([1.0, 2.0])

    def step(x):
        v.assign(v)
        v.assign_add(v)
        return x + v

    f = Function(step)
    np.testing.assert_array_equal(f(np.ones(2, "float32")), [3.0, 5.0])
    np.testing.assert_array_equal(f(np.ones(2, "float32")), [5.0, 9.0])
    np.testing.assert_array_equal(v.numpy(), [4.0, 8.0])


def test_what_was_assigned_from_a_variable_stays_when_that_one_changes():
    old, new = dn.Variable([0.0]), dn.Variable([1.0])

    def step(x):
        old.assign(new)
        new.assign_add(x)
        return old - new

    f = Function(step)
    np.testing.assert_array_equal(f(np.array([2.0], "float32")), [-2.0])
    np.testing.assert_array_equal(f(np.array([3.0], "float32")), [-3.0])
    assert (float(old.numpy()[0]), float(new.numpy()[0])) == (3.0, 6.0)


def sgd_step(variables, rate=0.1):
    def step(x):
        loss = sum(ops.sum(ops.square(x @ v)) for v in variables)
        grads = dn.gradients(loss, variables)
        for v, g in zip(variables, grads, strict=True):
            v.assign(v - rate * g)
        return loss

    return step


def test_two_plans_share_a_weight_that_each_wants_beside_its_own():
    def make():
        return [dn.Variable(rows(4, 2, seed)) for seed in range(3)]

    planned, eager = make(), make()
    x = 0.1 * rows(5, 4)
    first = Function(sgd_step([planned[0], planned[1]]))
    second = Function(sgd_step([planned[2], planned[0]]))
    for _ in range(3):
        first(x)
        second(x)
        first(x)
        for pair in ((0, 1), (2, 0), (0, 1)):
            with dn.recording():
                sgd_step([eager[i] for i in pair])(x)
    for p, e in zip(planned, eager, strict=True):
        np.testing.assert_allclose(p.numpy(), e.numpy(), rtol=1e-5)


# --- 5. freezing between fits


def test_what_learns_is_part_of_the_key():
    a, b = dn.Variable([[1.0]]), dn.Variable([[1.0]])
    learning = [a, b]

    def step(x):
        return sgd_step(learning)(x)  # asks anew, at every capture, what learns

    function = Function(step, key=lambda: tuple(map(id, learning)))
    x = np.ones((1, 1), "float32")
    function(x)
    learning.remove(b)
    frozen = b.numpy()
    function(x)
    np.testing.assert_array_equal(b.numpy(), frozen)
    assert a.numpy() < frozen


# --- 6. Python that depends on values


@pytest.mark.parametrize(
    "ask",
    [bool, float, int, list, np.tanh, np.asarray, lambda x: [2 * v for v in x], len],
)
def test_python_on_a_symbolic_value_names_the_line_and_the_way_out(ask):
    def step(x):
        total = ops.sum(x) if ask not in (list, len) else x
        ask(total)
        return total

    if ask is len:
        assert Function(lambda x: x * float(len(x)))(rows(3, 1)).shape == (3, 1)
        return
    with pytest.raises(CaptureError, match="run_eagerly=True") as caught:
        Function(step)(rows(3, 2))
    assert "test_dangerous_places.py:" in str(caught.value)
