"""The gradient of every loss, against finite differences and in a plan."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron
from deepneuron import losses
from deepneuron.engine.capture import Function, capture
from tests.losses.loss_cases import CASES, OURS, LossCase

ALL = [*CASES, OURS]


def _make(case: LossCase, dtype: str):
    return getattr(losses, case.name)(**case.kwargs, dtype=dtype)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_gradient_against_finite_differences(case):
    y_true, y_pred = case.arrays(seed=1, dtype="float64")
    loss = _make(case, "float64")
    _, gradient = deepneuron.value_and_grad(lambda y: loss(y_true, y), y_pred)
    direction = np.random.default_rng(2).normal(size=y_pred.shape)
    h = 1e-6
    difference = loss(y_true, y_pred + h * direction) - loss(
        y_true, y_pred - h * direction
    )
    numeric = difference / (2 * h)
    assert gradient.dtype == "float64"
    np.testing.assert_allclose((gradient * direction).sum(), numeric, rtol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", ALL, ids=str)
def test_planned_equals_eager(case, weighted):
    y_true, y_pred = case.arrays()
    loss = _make(case, "float32")
    size = 4 if case.kwargs.get("axis") == 0 else 6
    weight = np.linspace(0, 1, size, dtype="float32") if weighted else None

    def step(y_true, y_pred, weight):
        return deepneuron.value_and_grad(lambda y: loss(y_true, y, weight), y_pred)

    eager = step(y_true, y_pred, weight)
    planned = Function(step)(y_true, y_pred, weight)
    for a, b in zip(eager, planned, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_float32_plan_holds_no_float64(case):
    y_true, y_pred = case.arrays()
    loss = _make(case, "float32")
    graph, _ = capture(
        lambda t, p: deepneuron.value_and_grad(lambda y: loss(t, y), p), y_true, y_pred
    )
    assert all(t.dtype != "float64" for t in graph.tensors())


def test_the_gradient_of_the_sum_of_squares_is_the_error():
    y_true, y_pred = OURS.arrays()
    loss = losses.SumOfSquaredErrors()
    value, gradient = deepneuron.value_and_grad(lambda y: loss(y_true, y), y_pred)
    np.testing.assert_allclose(value, 0.5 * ((y_true - y_pred) ** 2).sum(), rtol=1e-6)
    np.testing.assert_allclose(gradient, y_pred - y_true, rtol=1e-6)
