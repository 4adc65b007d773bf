"""Every regularizer is Keras's."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import deepneuron
from deepneuron import regularizers
from deepneuron.engine.capture import Function
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, ShapeError, UnknownNameError
from tests.peers import keras

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]


def kernel(dtype="float32"):
    return np.random.default_rng(0).normal(size=(4, 3)).astype(dtype)


def test_the_names_are_those_of_keras():
    theirs = {n for n in dir(keras().regularizers) if not n.startswith("_")}
    assert set(regularizers.__all__) == theirs


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2", "OrthogonalRegularizer"])
def test_signature(name):
    ours = inspect.signature(getattr(regularizers, name)).parameters
    theirs = inspect.signature(getattr(keras().regularizers, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configuration_goes_both_ways(name, kwargs):
    ours = getattr(regularizers, name)(**kwargs)
    theirs = getattr(keras().regularizers, name)(**kwargs)
    close = {  # Keras rounds some of them to float32
        k: v if isinstance(v, str) else pytest.approx(v, rel=1e-6)
        for k, v in theirs.get_config().items()
    }
    assert ours.get_config() == close
    again = regularizers.deserialize(regularizers.serialize(ours))
    assert again.get_config() == ours.get_config()
    back = keras().regularizers.deserialize(regularizers.serialize(ours))
    assert back.get_config() == theirs.get_config()


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_numbers(name, kwargs):
    y = getattr(regularizers, name)(**kwargs)(kernel())
    expected = np.asarray(
        getattr(keras().regularizers, name)(**kwargs)(
            keras().ops.convert_to_tensor(kernel())
        )
    )
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "kwargs"), [c for c in CASES if c != ("L1L2", {})])
def test_gradient_of_a_weight(name, kwargs):
    regularizer = getattr(regularizers, name)(**kwargs)
    w = Variable(kernel("float64"))
    gradient = deepneuron.gradients(lambda: regularizer(w), w)
    direction = np.random.default_rng(1).normal(size=w.shape)
    h, x = 1e-6, kernel("float64")
    numeric = regularizer(x + h * direction) - regularizer(x - h * direction)
    np.testing.assert_allclose(
        (gradient * direction).sum(), numeric / (2 * h), rtol=1e-6
    )
    w = Variable(kernel())
    planned = Function(lambda: regularizer(w))()
    np.testing.assert_allclose(planned, regularizer(kernel()), rtol=1e-6)


@pytest.mark.parametrize("name", ["l1", "l2", "l1l2", "l1_l2", "L1L2", "L2"])
def test_get_by_name(name):
    assert isinstance(regularizers.get(name), regularizers.Regularizer)


def test_get():
    def mine(w):
        return w

    assert regularizers.get(mine) is mine
    assert regularizers.get(None) is None
    with pytest.raises(UnknownNameError, match="Unknown regularizer: 'l3'"):
        regularizers.get("l3")


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "1"])
def test_strengths_that_are_refused(value):
    for make in (regularizers.L1, regularizers.L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ArgumentError, match="not negative"):
            make(value)


def test_what_else_is_refused():
    with pytest.raises(ArgumentError, match="diagonal"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ShapeError, match=r"\(2, 2, 2\)"):
        regularizers.OrthogonalRegularizer()(np.zeros((2, 2, 2)))
    with pytest.raises(NotImplementedError, match="get_config"):
        regularizers.Regularizer().get_config()
