"""Reductions by native code, before NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.registry import registry
from tests.kernels.judge import (
    ISAS,
    assert_close,
    assert_native_equals_numpy,
    run_native,
    run_numpy,
)

AXES = [None, 0, 1, -1, (0, 1), (1, 2), (0, 2), (0, -1), (0, 1, 2), (1, 3), (2,)]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", ["sum", "mean", "largest", "smallest", "prod"])
def test_reductions_over_any_axes_are_numpys(name, isa):
    x = np.random.default_rng(0).uniform(0.5, 1.5, size=(5, 3, 4, 17)).astype("f")
    for axis in AXES:
        for keepdims in (False, True):
            over_batch = (
                axis is None or axis == 0 or (isinstance(axis, tuple) and 0 in axis)
            )
            pixels = "mean_of_pixels" if (name, axis) == ("mean", (1, 2)) else None
            assert_native_equals_numpy(
                lambda x, axis=axis, keepdims=keepdims: registry[name](
                    x, axis=axis, keepdims=keepdims
                ),
                x,
                kernel="reduce_rows" if over_batch else pixels or "reduce",
                isa=isa,
            )


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64", "uint32"])
def test_whole_numbers_are_summed_exactly(dtype, isa):
    x = np.random.default_rng(0).integers(0, 100, size=(7, 3, 5)).astype(dtype)
    for axis in (None, 0, 1, (1, 2), (0, 2)):
        for name in ("sum", "largest", "smallest", "prod"):

            def function(x, name=name, axis=axis):
                return registry[name](x, axis=axis)

            run = run_native(function, x, isa=isa, threads=2)
            assert not any(k.startswith("numpy") for k in run.kernels)
            assert_close(run.results, run_numpy(function, x))


@pytest.mark.parametrize("isa", ISAS)
def test_any_and_all_are_numpys(isa):
    x = np.random.default_rng(0).normal(size=(7, 3, 5)) > 0.9
    for axis in (None, 0, 1, (1, 2), (0, 2)):
        for f in (ops.any, ops.all):
            for v in (x, ~x, x & False, x | True):
                run = run_native(lambda x, f=f, axis=axis: f(x, axis=axis), v, isa=isa)
                expected = run_numpy(lambda x, f=f, axis=axis: f(x, axis=axis), v)
                assert not any(k.startswith("numpy") for k in run.kernels)
                assert_close(run.results, expected)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 70),
    columns=st.integers(1, 130),
    inner=st.sampled_from([1, 2, 5, 33]),
    isa=st.sampled_from(ISAS),
    name=st.sampled_from(["sum", "mean", "largest", "smallest"]),
    axis=st.sampled_from([None, 0, 1, 2, (0, 1), (1, 2), (0, 2)]),
)
def test_reductions_of_every_size_are_numpys(rows, columns, inner, isa, name, axis):
    rng = np.random.default_rng(rows * 1000 + columns)
    x = rng.normal(size=(rows, columns, inner)).astype("f")
    for function in (
        lambda x: registry[name](x, axis=axis),
        lambda x: registry[name](ops.reshape(x, (rows * columns, inner)), axis=0),
    ):
        run = run_native(function, x, isa=isa, threads=2)
        assert not any(k.startswith("numpy") for k in run.kernels)
        assert_close(run.results, run_numpy(function, x), 3e-6)


@pytest.mark.parametrize("isa", ISAS)
def test_extremes_of_nan_are_nan_and_infinities_count(isa):
    x = np.random.default_rng(0).normal(size=(9, 70)).astype("f")
    x[2, 3], x[4, 60], x[5, 69], x[6, 0] = np.nan, np.inf, -np.inf, np.nan
    x[7] = np.inf
    for name in ("largest", "smallest", "sum"):
        for axis in (None, 0, 1):

            def function(x, name=name, axis=axis):
                return registry[name](x, axis=axis)

            (a,), (b,) = (
                run_native(function, x, isa=isa).results,
                run_numpy(function, x),
            )
            np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("isa", ISAS)
def test_sum_to_undoes_every_broadcast(isa):
    x = np.random.default_rng(0).normal(size=(6, 4, 5, 3)).astype("f")
    for shape in [
        (3,),
        (5, 3),
        (4, 1, 3),
        (6, 1, 1, 3),
        (1, 4, 1, 1),
        (),
        (1, 1),
        (6, 4, 1, 1),
    ]:

        def function(x, shape=shape):
            return ops.sum_to(x, shape=shape)

        run = run_native(function, x, isa=isa, threads=2)
        assert not any(k.startswith("numpy") for k in run.kernels)
        assert_close(run.results, run_numpy(function, x))


@pytest.mark.parametrize("isa", ISAS)
def test_a_large_norm_is_the_same_on_any_number_of_threads(isa):
    rng = np.random.default_rng(0)
    w = dn.Variable(rng.normal(size=(301, 217)).astype("f"))
    b = dn.Variable(rng.normal(size=7).astype("f"))

    def norm(x):
        both = ops.sum(ops.square(w)) + ops.sum(ops.square(b))
        return ops.sqrt(both), ops.max(w), ops.mean(w), ops.sum(w, axis=1), x + 1

    x = np.ones((2, 1), "f")
    assert_native_equals_numpy(norm, x, kernel="reduce_pieces", isa=isa)


def test_the_mean_of_many_losses_is_at_least_as_exact_as_numpys():
    x = np.random.default_rng(0).uniform(0, 1, size=(100_003, 1)).astype("f")
    exact = x.astype("float64").mean()
    (native,) = run_native(ops.mean, x).results
    (numpy,) = run_numpy(ops.mean, x)
    assert abs(native - exact) <= abs(numpy - exact) + 1e-9
    ones = np.full((70_001, 3), 0.1, "f")
    (columns,) = run_native(lambda x: ops.sum(x, axis=0), ones).results
    np.testing.assert_allclose(columns, 70_001 * np.float32(0.1), rtol=3e-6)
