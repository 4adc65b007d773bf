"""Backpropagation: the chain rule, sums where paths meet, gradients of gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function
from deepneuron.engine.op import Case, Op, Spec, op, registry
from deepneuron.errors import GradientError

x = np.array([0.5, -1.0, 2.0])


def test_what_is_used_twice_sums_what_comes_back() -> None:
    def f(x: Any) -> Any:
        y = ops.exp(x)
        return ops.sum(y * y + y)  # 2 e^2x + e^x

    np.testing.assert_allclose(dn.gradients(f, x), 2 * np.exp(2 * x) + np.exp(x))


def test_a_long_ladder_of_shared_values_takes_no_time() -> None:
    def f(x: Any) -> Any:
        for _ in range(60):  # 2^60 paths, 60 nodes
            x = 0.5 * x + 0.5 * x
        return ops.sum(x)

    np.testing.assert_allclose(dn.gradients(f, x), np.ones(3))


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (2, 3), (1, 1, 3)])
def test_a_gradient_has_the_shape_of_what_was_broadcast(shape: Any) -> None:
    a, b = np.full(shape, 2.0), np.arange(6.0).reshape(2, 3)
    da, db = dn.gradients(lambda a, b: ops.sum(a * b), [a, b])
    assert da.shape == shape
    assert db.shape == (2, 3)
    assert da.sum() == pytest.approx(np.broadcast_arrays(a, b)[1].sum())
    np.testing.assert_array_equal(db, np.full((2, 3), 2.0) * (a.size and 1))


def test_a_gradient_has_the_type_of_what_was_cast() -> None:
    a = np.array([1.0, 2.0], "float16")
    da = dn.gradients(lambda a: ops.sum(ops.cast(a, "float32") ** 2), a)
    assert da.dtype == "float16"
    np.testing.assert_array_equal(da, [2.0, 4.0])


def test_integers_have_no_gradient_and_stop_none() -> None:
    labels = np.array([2, 0, 1])
    da, dn_ = dn.gradients(lambda a, n: ops.sum(a * n), [x, labels])
    np.testing.assert_array_equal(da, labels)
    assert dn_ is None


def test_what_the_loss_does_not_depend_on_has_none() -> None:
    w, other = dn.Variable(1.0), dn.Variable(2.0)
    da, db = dn.gradients(lambda a, b: ops.sum(a), [x, x])
    np.testing.assert_array_equal(da, np.ones(3))
    assert db is None
    assert dn.gradients(lambda: w * 3.0, [w, other])[1] is None
    assert dn.gradients(lambda a: ops.sum(ops.stop_gradient(a)), x) is None
    assert dn.gradients(lambda a: 3.0, x) is None


def test_the_same_array_given_twice_is_two_arguments() -> None:
    da, db = dn.gradients(lambda a, b: ops.sum(a * a * b), [x, x])
    np.testing.assert_allclose(da, 2 * x * x)
    np.testing.assert_allclose(db, x * x)


def test_what_is_returned_unchanged_has_gradient_one() -> None:
    w = dn.Variable([1.0, 2.0])
    loss, dw = dn.value_and_grad(lambda: w, w)
    np.testing.assert_array_equal(dw, np.ones(2))
    loss[...] = 9.0  # is no window on the variable
    np.testing.assert_array_equal(w.numpy(), [1.0, 2.0])
    np.testing.assert_array_equal(dn.gradients(lambda a: a, x), np.ones(3))


@given(st.integers(1, 5), st.floats(-2, 2))
def test_the_nth_derivative_of_a_power(n: int, at: float) -> None:
    def derivative(f: Any) -> Any:
        return lambda x: dn.value_and_grad(f, x)[1]

    f: Any = lambda x: x * x * x * x * x  # noqa: E731 - f changes below
    factor = 1
    for k in range(n):
        f, factor = derivative(f), factor * (5 - k)
    np.testing.assert_allclose(f(np.array(at)), factor * at ** (5 - n), atol=1e-12)


def test_the_product_of_the_hessian_with_a_vector() -> None:
    a = np.random.default_rng(0).normal(size=(3, 3))
    v = np.array([1.0, -2.0, 0.5])

    def f(x: Any) -> Any:
        return ops.sum(ops.tanh(ops.matmul(a, x)) ** 2)

    def along(x: Any) -> Any:
        return ops.sum(dn.value_and_grad(f, x)[1] * v)

    hv = dn.gradients(along, x)
    h = 1e-5
    expected = (dn.gradients(f, x + h * v) - dn.gradients(f, x - h * v)) / (2 * h)
    np.testing.assert_allclose(hv, expected, rtol=1e-7)
    planned = Function(lambda x: dn.value_and_grad(along, x)[1])(x)
    np.testing.assert_array_equal(planned, hv)


def test_variables_and_recording_agree_with_arrays() -> None:
    w = dn.Variable(x)

    def f(w: Any) -> Any:
        return ops.sum(ops.sin(w) * w)

    expected = np.sin(x) + x * np.cos(x)
    np.testing.assert_allclose(dn.gradients(lambda: f(w), w), expected)
    with dn.recording():
        loss = f(w)
    np.testing.assert_allclose(dn.gradients(loss, w), expected)
    np.testing.assert_allclose(dn.gradients(loss, [w])[0], expected)
    planned = Function(lambda s: dn.gradients(s * f(w), w))(np.array(1.0))
    np.testing.assert_allclose(planned, expected)


def test_a_recorded_loss_remembers_what_a_variable_was() -> None:
    w = dn.Variable(x)
    with dn.recording():
        loss = ops.sum(ops.reshape(w, (3, 1)) ** 3) + ops.sum(w**3)
        w.assign(w * 0.0)
        np.testing.assert_allclose(dn.gradients(loss, w), 6 * x**2)
    np.testing.assert_array_equal(w.numpy(), np.zeros(3))


def test_a_step_forward_and_back_in_one_recording() -> None:
    w = dn.Variable(x)
    with dn.recording():
        for _ in range(3):
            dw = dn.gradients(ops.sum(w * w) / 2.0, w)
            np.testing.assert_allclose(dw, w.numpy())
            w.assign(w - 0.5 * dw)
    np.testing.assert_allclose(w.numpy(), x / 8)


def in_a_recording(step: Any) -> Any:
    with dn.recording():
        return step(np.zeros(3))


def in_a_plan(step: Any) -> Any:
    function = Function(step)
    return function(np.zeros(3))


@pytest.mark.parametrize("run", [in_a_recording, in_a_plan])
def test_every_value_of_a_variable_counts_and_assignments_pass_nothing_back(
    run: Any,
) -> None:
    w = dn.Variable(x)

    def step(zero: Any) -> Any:
        before = ops.sum(w**2 + zero)
        w.assign(3.0 * w)  # what w was is of no interest to what is computed from here
        after = ops.sum(w**2)
        both = before + after
        return [dn.gradients(loss, w) for loss in (before, after, both)]

    before, after, both = run(step)
    np.testing.assert_allclose(before, 2 * x)
    np.testing.assert_allclose(after, 6 * x)
    np.testing.assert_allclose(both, 8 * x)
    np.testing.assert_allclose(w.numpy(), 3 * x)


@pytest.mark.parametrize("run", [in_a_recording, in_a_plan])
def test_a_step_may_climb_before_it_descends(run: Any) -> None:
    """Sharpness-aware minimisation: the gradient is taken a little further up."""
    w = dn.Variable(x)

    def step(zero: Any) -> Any:
        up = 0.1 * dn.gradients(ops.sum(w**4 + zero), w)
        w.assign_add(up)
        dw = dn.gradients(ops.sum(w**4), w)
        w.assign_sub(up + 0.01 * dw)
        return dw

    there = x + 0.1 * 4 * x**3
    np.testing.assert_allclose(run(step), 4 * there**3)
    np.testing.assert_allclose(w.numpy(), x - 0.01 * 4 * there**3)


def test_arrays_that_arrive_at_y_may_be_given() -> None:
    from deepneuron.engine.gradients import backpropagate
    from deepneuron.engine.tensor import Tensor

    a = Tensor((3,), "float64", value=x)
    with dn.recording():
        y = a * 2.0
        (da,) = backpropagate(y, [a], np.array([1.0, 0.0, -1.0]))
    np.testing.assert_array_equal(da.numpy(), [2.0, 0.0, -2.0])


def test_an_operation_without_a_rule_says_so_and_where() -> None:
    @op
    class ruleless(Op):
        cases = (Case((2,)),)

        def infer(self, x: Any, /) -> Spec:
            return Spec(x.shape, x.dtype)

        def forward(self, x: Any, /, out: Any = None) -> Any:
            return np.positive(x, out=out)

    try:
        with pytest.raises(
            GradientError, match="ruleless has no gradient rule"
        ) as caught:
            dn.gradients(lambda a: ops.sum(ruleless(a)), x)
        assert "test_gradients.py:" in str(caught.value)
    finally:
        del registry["ruleless"]
