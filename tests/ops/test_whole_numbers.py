"""Whole numbers where floats are the rule: the values and types that Keras has."""

from __future__ import annotations

import numpy as np
import pytest

from deepneuron import ops
from tests.peers import keras


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_logsumexp_of_whole_numbers_does_not_wrap_around(dtype):
    x = np.array([[2, 0, 1], [0, 0, 3]], dtype)
    ours, theirs = ops.logsumexp(x, axis=1), keras().ops.logsumexp(x, axis=1)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_hard_tanh_of_booleans_is_a_small_integer():
    x = np.array([True, False])
    ours, theirs = ops.hard_tanh(x), keras().ops.hard_tanh(x)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float32"])
@pytest.mark.parametrize("name", ["tril", "triu"])
def test_a_triangle_keeps_its_type(name, dtype):
    x = np.ones((2, 3), dtype)
    ours = getattr(ops, name)(x)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours, getattr(keras().ops, name)(x))
