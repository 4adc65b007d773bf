"""What native code does along an axis, whichever it is, is what NumPy does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.registry import registry
from deepneuron.errors import ArgumentError
from tests.kernels.judge import ISAS, assert_native_equals_numpy, run_native

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 40))


@settings(max_examples=40, deadline=None)
@given(
    shape=SHAPES,
    axis=st.sampled_from([1, 2, -1]),
    label=st.sampled_from(["int32", "int64"]),
    isa=st.sampled_from(ISAS),
    seed=st.integers(0, 9),
)
def test_values_are_taken_at_places_and_sent_back(shape, axis, label, isa, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype("f")
    wanted = list(shape)
    wanted[axis] = 3
    n = shape[axis]
    t = rng.integers(-n, n, wanted).astype(label)

    def function(x, t):
        y = registry["gather_along"](x, t, axis=axis % 3)
        return y, registry["scatter_along"](y, t, shape=shape, axis=axis % 3)

    assert_native_equals_numpy(function, x, t, kernel=f"take_along_{label}", isa=isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("places", [[0, 2, 2, -1], [[1, 0], [0, 0], [-3, 2]]])
def test_the_same_places_of_every_sample_are_taken_and_sent_back(axis, places, isa):
    x = np.random.default_rng(0).normal(size=(7, 3, 5)).astype("f")
    t = np.array(places, "int32")

    def function(x):
        y = registry["gather"](x, t, axis=axis)
        return y, registry["scatter_add"](y, t, size=x.shape[axis], axis=axis)

    assert_native_equals_numpy(function, x, kernel="take_same", isa=isa)
    assert "add_same" in run_native(function, x, isa=isa).kernels


def test_a_place_beyond_an_axis_raises_numpys_error():
    x, t = np.ones((4, 3), "f"), np.array([0, 3], "int32")
    with pytest.raises(ArgumentError, match="position 3"):
        run_native(lambda x: registry["gather"](x, t, axis=1), x)


@settings(max_examples=40, deadline=None)
@given(
    shape=SHAPES,
    axis=st.sampled_from([1, -1]),
    isa=st.sampled_from(ISAS),
    seed=st.integers(0, 9),
)
def test_extremes_are_found_where_numpy_finds_them(shape, axis, isa, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 3, shape).astype("f")
    x[rng.random(shape) < 0.05] = np.nan

    def function(x):
        return ops.argmin(x, axis), ops.argmax(x, 1), ops.argmin(x, axis, keepdims=True)

    assert_native_equals_numpy(function, x, kernel="position", isa=isa)


@settings(max_examples=40, deadline=None)
@given(
    shape=SHAPES,
    axis=st.sampled_from([1, 2]),
    descending=st.booleans(),
    isa=st.sampled_from(ISAS),
    seed=st.integers(0, 9),
)
def test_orders_are_numpys_with_equals_and_nan(shape, axis, descending, isa, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 9, shape).astype("f")
    x[rng.random(shape) < 0.1] = np.nan

    def function(x):
        return registry["argsort_along"](x, axis=axis, descending=descending)

    assert_native_equals_numpy(function, x, kernel="order", isa=isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("label", ["int32", "int64"])
def test_classes_that_do_not_exist_have_no_one_in_them(label, isa):
    t = np.array([[0, 2, -1], [3, 1, 7]], label)

    def function(t):
        hots = [
            registry["one_hot_value"](t, classes=4, axis=axis, dtype=dtype)
            for axis in (-1, 1)
            for dtype in ("float32", "int32")
        ]
        return tuple(hots)

    assert_native_equals_numpy(function, t, kernel=f"one_hot_{label}", isa=isa)


@settings(max_examples=40, deadline=None)
@given(shape=SHAPES, isa=st.sampled_from(ISAS), seed=st.integers(0, 9))
def test_softmax_and_sums_so_far_run_along_any_axis(shape, isa, seed):
    x = np.random.default_rng(seed).normal(size=shape).astype("f")

    def function(x):
        y = ops.softmax(x, axis=1)
        dx = registry["softmax_grad"](x, y, axis=1)
        return y, dx, ops.cumsum(x, 1), ops.cumsum(x, 2)

    assert_native_equals_numpy(function, x, kernel="cumulative_sum", isa=isa)


def test_a_softmax_of_infinities_is_numpys():
    x = np.array([[[1, np.inf, -np.inf], [2, 1, -np.inf], [np.nan, 0, 1]]], "f")
    x = np.moveaxis(x, 2, 1).copy()
    assert_native_equals_numpy(
        lambda x: ops.softmax(x, axis=1), x, kernel="softmax_along"
    )


def test_a_place_that_does_not_exist_stops_the_step():
    x, t = np.ones((2, 3), "f"), np.array([[0], [3]], "int32")
    with pytest.raises((ArgumentError, IndexError)):
        run_native(lambda x, t: registry["gather_along"](x, t, axis=1), x, t)
