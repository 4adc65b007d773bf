"""Every optimizer against real Keras: signature, configuration, numbers, variables."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import optimizers
from deepneuron.engine.capture import Function
from tests.optimizers.cases import CASES, IDS, close, gradients, start
from tests.peers import keras

# Keras's own variables warn under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")

NAMES = sorted({name for name, _ in CASES})
STEPS = 20
each = pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)


def variables(library: Any) -> list[Any]:
    return [library.Variable(w, name=f"w{i}") for i, w in enumerate(start())]


def run_ours(name: str, options: dict[str, Any], planned: bool) -> tuple[Any, Any]:
    optimizer = getattr(optimizers, name)(**options)
    weights = variables(dn)
    optimizer.build(weights)

    def step(grads: Any) -> list[Any]:
        optimizer.apply(grads, weights)
        return []

    run = Function(step) if planned else step
    for i in range(STEPS):
        run(gradients(i))
    return optimizer, weights


@cache
def run_keras(number: int) -> tuple[Any, Any]:
    name, options = CASES[number]
    optimizer = getattr(keras().optimizers, name)(**options)
    weights = variables(keras())
    optimizer.build(weights)
    for i in range(STEPS):
        optimizer.apply(gradients(i), weights)
    return optimizer, weights


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_that_of_keras(name: str) -> None:
    ours = inspect.signature(getattr(optimizers, name).__init__)
    theirs = inspect.signature(getattr(keras().optimizers, name).__init__)
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in theirs.parameters.values()
    ]


@each
def test_configuration_is_that_of_keras(name: str, options: dict[str, Any]) -> None:
    ours = optimizers.serialize(getattr(optimizers, name)(name="o", **options))
    judge = keras().optimizers
    theirs = judge.serialize(getattr(judge, name)(name="o", **options))
    assert ours == theirs
    again = optimizers.deserialize(ours)
    assert optimizers.serialize(again) == ours
    assert judge.serialize(judge.deserialize(ours)) == theirs


@pytest.mark.parametrize("name", NAMES)
def test_chosen_name_is_that_of_keras(name: str) -> None:
    from deepneuron.naming import reset_names

    reset_names()
    keras().backend.clear_session()
    judge = getattr(keras().optimizers, name)
    assert getattr(optimizers, name)().name == judge().name
    assert getattr(optimizers, name)().name == judge().name


@each
@pytest.mark.parametrize("planned", [False, True], ids=["eager", "planned"])
def test_numbers_are_those_of_keras(
    name: str, options: dict[str, Any], planned: bool
) -> None:
    optimizer, weights = run_ours(name, options, planned)
    judge, theirs = run_keras(CASES.index((name, options)))
    for w, v in zip(weights, theirs, strict=True):
        close(w.numpy(), v.numpy())
    assert len(optimizer.variables) == len(judge.variables)
    for slot, other in zip(optimizer.variables, judge.variables, strict=True):
        assert slot.shape == tuple(other.shape)
        assert slot.dtype == other.dtype
        # Theirs is numbered where nobody named it
        assert slot.name == other.name or other.name.startswith("variable")
        close(slot.numpy(), np.asarray(other))


@each
def test_planned_equals_eager(name: str, options: dict[str, Any]) -> None:
    eager, weights = run_ours(name, options, planned=False)
    planned, others = run_ours(name, options, planned=True)
    for w, v in zip(
        [*weights, *eager.variables], [*others, *planned.variables], strict=True
    ):
        np.testing.assert_array_equal(w.numpy(), v.numpy())


@each
def test_own_variables_go_both_ways_with_keras(
    name: str, options: dict[str, Any]
) -> None:
    ours, _ = run_ours(name, options, planned=False)
    store: dict[str, np.ndarray] = {}
    ours.save_own_variables(store)
    judge = getattr(keras().optimizers, name)(**options)
    judge.build(variables(keras()))
    judge.load_own_variables(store)
    back: dict[str, np.ndarray] = {}
    judge.save_own_variables(back)
    other = getattr(optimizers, name)(**options)
    other.build(variables(dn))
    other.load_own_variables(back)
    for v, w in zip(ours.variables, other.variables, strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())


def test_moving_averages_take_over_at_the_end() -> None:
    options = {"use_ema": True, "ema_momentum": 0.5}
    optimizer, weights = run_ours("SGD", options, planned=True)
    judge, theirs = keras().optimizers.SGD(**options), variables(keras())
    for i in range(STEPS):
        judge.apply(gradients(i), theirs)
    optimizer.finalize_variable_values(weights)
    judge.finalize_variable_values(theirs)
    for w, v in zip(weights, theirs, strict=True):
        close(w.numpy(), v.numpy())


def test_fifty_steps_of_adam() -> None:
    """Fifty steps, as in the acceptance of the whole."""
    optimizer, judge = optimizers.Adam(0.01), keras().optimizers.Adam(0.01)
    ours, theirs = variables(dn), variables(keras())
    for i in range(50):
        optimizer.apply(gradients(i), ours)
        judge.apply(gradients(i), theirs)
    for w, v in zip(ours, theirs, strict=True):
        close(w.numpy(), v.numpy())
