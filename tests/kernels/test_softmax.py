"""Softmax kernels and the functions on vectors below them, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.gradients import gradients
from tests.kernels.judge import ISAS, assert_native_equals_numpy, run_native

pytestmark = pytest.mark.parametrize("isa", ISAS)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 40), st.integers(1, 70)),
    st.tuples(*[st.integers(1, 5)] * 3, st.integers(1, 40)),
)
FUNCTIONS = {"softmax": ops.softmax, "log_softmax": ops.log_softmax}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=15, deadline=None)
@given(SHAPES, st.sampled_from([0.1, 3.0, 60.0]))
def test_native_softmaxes_and_their_gradients_are_numpys(isa, name, shape, size):
    def f(x, w):
        y = FUNCTIONS[name](x)
        return y, *gradients(ops.sum(y * w), [x])

    x, w = draw(*shape) * np.float32(size), draw(*shape, seed=1)
    for kernel in (name, f"{name}_grad"):
        assert_native_equals_numpy(f, x, w, kernel=kernel, isa=isa)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("classes", [3, 16, 37])
def test_native_softmaxes_have_nan_and_infinity_where_numpy_has_them(
    isa, name, classes
):
    x = draw(9, classes) * 200
    x[1, 0], x[2, -1], x[3, 0], x[4, -1] = np.nan, np.nan, np.inf, np.inf
    x[5, 0], x[6], x[7], x[8] = -np.inf, -np.inf, 3e38, -3e38
    f = FUNCTIONS[name]
    with np.errstate(all="ignore"):
        assert_native_equals_numpy(f, x, kernel=name, isa=isa, tolerance=1e-6)


def test_a_native_softmax_is_as_precise_as_its_type(isa):
    x = draw(64, 100) * 10
    (y,) = run_native(ops.softmax, x, isa=isa).results
    wide = np.exp((x - x.max(1, keepdims=True)).astype("float64"))
    np.testing.assert_allclose(y, wide / wide.sum(1, keepdims=True), rtol=6e-7)


def test_a_softmax_along_the_batch_is_left_to_numpy(isa):
    run = run_native(lambda x: ops.softmax(x, axis=0), draw(4, 3), isa=isa)
    assert run.kernels[-1] == "numpy.softmax"
