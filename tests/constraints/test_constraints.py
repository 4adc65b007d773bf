"""Every constraint is Keras's."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from deepneuron import constraints
from deepneuron.engine.capture import Function
from deepneuron.engine.variable import Variable
from deepneuron.errors import UnknownNameError
from tests.peers import keras

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.0, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.7, "axis": 1}),
]


def kernel():
    w = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    w[:, 1] = 0.0
    return w


def test_the_names_are_those_of_keras():
    theirs = {n for n in dir(keras().constraints) if not n.startswith("_")}
    assert set(constraints.__all__) == theirs


@pytest.mark.parametrize("name", ["MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"])
def test_signature(name):
    ours = inspect.signature(getattr(constraints, name)).parameters
    theirs = inspect.signature(getattr(keras().constraints, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_configuration_goes_both_ways(name, kwargs):
    ours = getattr(constraints, name)(**kwargs)
    theirs = getattr(keras().constraints, name)(**kwargs)
    assert ours.get_config() == theirs.get_config()
    again = constraints.deserialize(constraints.serialize(ours))
    assert again.get_config() == ours.get_config()
    back = keras().constraints.deserialize(constraints.serialize(ours))
    assert back.get_config() == theirs.get_config()


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_numbers(name, kwargs):
    constraint = getattr(constraints, name)(**kwargs)
    w = constraint(kernel())
    expected = getattr(keras().constraints, name)(**kwargs)(kernel())
    assert w.dtype == "float32"
    np.testing.assert_allclose(w, np.asarray(expected), rtol=1e-6)

    variable = Variable(kernel())
    Function(lambda: variable.assign(constraint(variable)).value)()
    np.testing.assert_allclose(variable.numpy(), w, rtol=1e-6)


@pytest.mark.parametrize("name", ["max_norm", "non_neg", "unit_norm", "min_max_norm"])
def test_get_by_name(name):
    assert type(constraints.get(name)) is getattr(constraints, name)


def test_get():
    def mine(w):
        return w

    assert constraints.get(mine) is mine
    assert constraints.get(None) is None
    assert constraints.Constraint()(3.0) == 3.0
    with pytest.raises(UnknownNameError, match="max_norm"):
        constraints.get("maxnorm")
