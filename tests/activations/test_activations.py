"""Every activation is Keras's, and its gradient is the right one."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import deepneuron
from deepneuron import activations, ops
from deepneuron.engine.capture import Function
from deepneuron.errors import UnknownNameError
from deepneuron.serialization import register_keras_serializable
from tests.peers import keras

LOOKUP = {"deserialize", "get", "serialize"}
ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
FUNCTIONS = sorted(set(activations.__all__) - LOOKUP - set(ALIASES))
ARGUMENTS = [
    *((name, {}) for name in FUNCTIONS if name != "threshold"),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 1.0}),
    ("relu", {"max_value": 6}),
    ("relu", {"threshold": 0.5}),
    ("relu", {"threshold": -0.5}),
    ("relu", {"negative_slope": 0.2, "max_value": 1.5, "threshold": 0.3}),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("elu", {"alpha": 0.7}),
    ("celu", {"alpha": 0.7}),
    ("gelu", {"approximate": True}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {"axis": 0}),
    ("sparsemax", {"axis": 0}),
    ("glu", {"axis": 0}),
    ("soft_shrink", {"threshold": 0.2}),
    ("hard_shrink", {"threshold": 0.2}),
    ("squareplus", {"b": 1.0}),
    ("threshold", {"threshold": 0.3, "default_value": -1.0}),
]
IDS = [f"{name}-{kwargs}" for name, kwargs in ARGUMENTS]


def values(dtype="float32"):
    return (2 * np.random.default_rng(0).normal(size=(6, 8))).astype(dtype)


def test_the_names_are_those_of_keras():
    theirs = {n for n in dir(keras().activations) if not n.startswith("_")}
    assert set(activations.__all__) == theirs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature(name):
    ours = inspect.signature(getattr(activations, name)).parameters
    theirs = inspect.signature(getattr(keras().activations, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


# Keras 3.15 adds up the wrong numbers in sparsemax: its probabilities do not sum to 1.
JUDGED = [(name, kwargs) for name, kwargs in ARGUMENTS if name != "sparsemax"]


@pytest.mark.parametrize(("name", "kwargs"), JUDGED)
def test_numbers(name, kwargs):
    x = values()
    y = getattr(activations, name)(x, **kwargs)
    expected = np.asarray(getattr(keras().activations, name)(x, **kwargs))
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=3e-7)


def test_sparsemax_is_the_nearest_point_among_all_probabilities():
    y, x = activations.sparsemax(values()), values()
    np.testing.assert_allclose(y.sum(-1), 1.0, rtol=1e-6)
    # What is left has been lowered by the same tau, what is 0 lies below it.
    tau = np.where(y > 0, x - y, -np.inf).max(-1, keepdims=True)
    np.testing.assert_allclose(y, np.maximum(x - tau, 0), atol=1e-6)


@pytest.mark.parametrize(("name", "kwargs"), ARGUMENTS, ids=IDS)
def test_gradient_against_finite_differences(name, kwargs):
    x = values("float64")
    function = getattr(activations, name)
    rng = np.random.default_rng(1)
    direction = rng.normal(size=x.shape)
    weight = rng.normal(size=np.shape(function(x, **kwargs)))

    def loss(x):
        return ops.sum(weight * function(x, **kwargs))

    _, gradient = deepneuron.value_and_grad(loss, x)
    h = 1e-6
    numeric = (loss(x + h * direction) - loss(x - h * direction)) / (2 * h)
    np.testing.assert_allclose((gradient * direction).sum(), numeric, rtol=1e-6)


@pytest.mark.parametrize(("name", "kwargs"), ARGUMENTS, ids=IDS)
def test_planned_equals_eager(name, kwargs):
    def function(x):
        return getattr(activations, name)(x, **kwargs)

    y = Function(function)(values())
    np.testing.assert_allclose(y, function(values()), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [*FUNCTIONS, *ALIASES])
def test_by_name_and_back(name):
    function = activations.get(name)
    assert function is getattr(activations, name)
    assert activations.serialize(function) == ALIASES.get(name, name)
    assert activations.deserialize(activations.serialize(function)) is function


def test_get():
    def mine(x):
        return x * x

    assert activations.get(None) is activations.linear
    assert activations.get(mine) is mine
    with pytest.raises(UnknownNameError, match=r"Did you mean .*'relu'"):
        activations.get("rellu")


def test_get_reads_what_keras_writes_for_a_function():
    data = keras().saving.serialize_keras_object(keras().activations.tanh)
    assert activations.get(data) is activations.tanh


def test_a_function_of_ones_own_is_saved_by_its_registered_name():
    @register_keras_serializable("tests")
    def cube(x):
        return x**3

    data = activations.serialize(cube)
    assert data["registered_name"] == "tests>cube"
    assert activations.deserialize(data) is cube
