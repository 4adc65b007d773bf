"""Schedules against real Keras, at many steps."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import deepneuron as dn
from deepneuron.engine.capture import Function
from deepneuron.optimizers import schedules
from tests.peers import keras

CASES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.7}),
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.7, "staircase": True}),
    ("InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.7}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.7, "staircase": True}),
    ("PolynomialDecay", {"decay_steps": 30}),
    ("PolynomialDecay", {"decay_steps": 30, "power": 2.0, "end_learning_rate": 0.01}),
    ("PolynomialDecay", {"decay_steps": 9, "power": 0.5, "cycle": True}),
    ("CosineDecay", {"decay_steps": 40}),
    ("CosineDecay", {"decay_steps": 40, "alpha": 0.1}),
    ("CosineDecay", {"decay_steps": 40, "warmup_target": 0.5, "warmup_steps": 10}),
    ("CosineDecay", {"decay_steps": 40, "warmup_target": 0.5, "warmup_steps": 0}),
    ("CosineDecayRestarts", {"first_decay_steps": 10}),
    ("CosineDecayRestarts", {"first_decay_steps": 10, "t_mul": 1.0, "m_mul": 0.8}),
    ("CosineDecayRestarts", {"first_decay_steps": 8, "t_mul": 1.5, "alpha": 0.1}),
]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]
STEPS = [0, 1, 2, 5, 9, 10, 11, 18, 19, 20, 29, 30, 31, 45, 50, 69, 71, 100, 1000]
RATE = 0.1


def pair(name: str, options: dict[str, Any]) -> tuple[Any, Any]:
    judge = getattr(keras().optimizers.schedules, name)
    return getattr(schedules, name)(RATE, **options), judge(RATE, **options)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_numbers_are_those_of_keras(name: str, options: dict[str, Any]) -> None:
    ours, theirs = pair(name, options)
    counter = dn.Variable(0, dtype="int32")
    planned = Function(lambda: ours(counter))
    for step in STEPS:
        counter.assign(step)
        expected = float(theirs(step))
        for value in (ours(step), ours(np.int32(step)), ours(counter), planned()):
            assert value.dtype == "float32"
            np.testing.assert_allclose(float(value), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_configuration_is_that_of_keras(name: str, options: dict[str, Any]) -> None:
    ours, theirs = pair(name, options)
    data = schedules.serialize(ours)
    assert data == keras().optimizers.schedules.serialize(theirs)
    assert schedules.serialize(schedules.deserialize(data)) == data


def test_piecewise_constant() -> None:
    arguments = [3, 6.5, 9], [0.5, 0.4, 0.3, 0.2]
    ours = schedules.PiecewiseConstantDecay(*arguments)
    judge = keras().optimizers.schedules
    theirs = judge.PiecewiseConstantDecay(*arguments)
    for step in (*range(12), *np.arange(12, dtype="float32"), np.float32(6.4)):
        np.testing.assert_allclose(float(ours(step)), float(theirs(step)), rtol=1e-6)
    assert schedules.serialize(ours) == judge.serialize(theirs)
    with pytest.raises(ValueError, match="one more value than boundaries"):
        schedules.PiecewiseConstantDecay([1], [0.1])


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_signature_is_that_of_keras(name: str) -> None:
    ours = inspect.signature(getattr(schedules, name).__init__)
    theirs = inspect.signature(getattr(keras().optimizers.schedules, name).__init__)
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in theirs.parameters.values()
    ]


def test_steps_must_be_positive() -> None:
    with pytest.raises(ValueError, match="decay_steps must be greater than 0"):
        schedules.ExponentialDecay(0.1, decay_steps=0, decay_rate=0.5)
    with pytest.raises(ValueError, match="first_decay_steps must be greater than 0"):
        schedules.CosineDecayRestarts(0.1, first_decay_steps=-1)


def test_a_schedule_must_say_what_it_does() -> None:
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(0)
    with pytest.raises(NotImplementedError, match="get_config"):
        schedules.LearningRateSchedule().get_config()
