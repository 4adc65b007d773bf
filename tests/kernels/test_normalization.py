"""Normalisation kernels against NumPy, alone and with what is fused with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.gradients import gradients
from tests.kernels.judge import (
    ISAS,
    assert_native_equals_numpy,
    run_native,
)

pytestmark = pytest.mark.parametrize("isa", ISAS)
# Not fewer than six values share a mean: of two, dx is nothing but rounding.
SHAPES = st.one_of(
    st.tuples(st.integers(6, 12), st.integers(6, 70)),
    st.tuples(*[st.integers(2, 9)] * 2, st.integers(3, 9), st.integers(6, 40)),
)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@settings(max_examples=15, deadline=None)
@given(SHAPES, st.sampled_from([1e-3, 1.0]))
def test_native_batch_norm_and_its_gradient_are_numpys(isa, shape, epsilon):
    def f(x, w, gamma, beta):
        y, mean, variance = ops.batch_norm(x, gamma, beta, epsilon=epsilon)
        return y, mean, variance, *gradients(ops.sum(y * w), [x, gamma, beta])

    x, w = draw(*shape) * 3 + 1, draw(*shape, seed=1)
    gamma, beta = draw(2, 64 + shape[-1], seed=2)[:, : shape[-1]]
    for kernel in ("batch_norm_apply", "batch_norm_grad_apply"):
        assert_native_equals_numpy(f, x, w, gamma, beta, kernel=kernel, isa=isa)


@pytest.mark.parametrize("shape", [(64, 24), (6, 9, 9, 20)])
@pytest.mark.parametrize("first", [0.0, 1.0])
def test_a_large_mean_does_not_spoil_a_native_variance(isa, shape, first):
    def f(x):
        _, mean, variance = ops.batch_norm(
            x, np.ones(shape[-1], "f"), np.zeros(shape[-1], "f")
        )
        return mean, variance

    x = draw(*shape) + np.float32(1e4)
    x[0] *= first  # the guess may be as wrong as can be
    wide = x.reshape(-1, shape[-1]).astype("float64")
    for threads in (1, 2):
        mean, variance = run_native(f, x, isa=isa, threads=threads).results
        np.testing.assert_allclose(mean, wide.mean(0), rtol=2e-7)
        np.testing.assert_allclose(variance, wide.var(0), rtol=5e-6)


@pytest.mark.parametrize("fused", ["relu", "add", "relu of add", "two branches"])
@pytest.mark.parametrize("shape", [(8, 19), (5, 4, 3, 16)])
def test_what_stands_behind_a_native_batch_norm_is_fused(isa, fused, shape):
    def f(x, residual, w, gamma, beta):
        start, other = x * 1.0, residual * 1.0
        y, _, _ = ops.batch_norm(start, gamma, beta)
        if fused == "two branches":
            other, _, _ = ops.batch_norm(other, gamma * 0.5, beta)
        if fused != "relu":
            y = y + other
        if fused != "add":
            y = ops.relu(y)
        wanted = (
            [start, gamma, beta] if fused == "relu" else [start, residual, gamma, beta]
        )
        return y, *gradients(ops.sum(y * w), wanted)

    x, residual, w = draw(*shape), draw(*shape, seed=3), draw(*shape, seed=1)
    gamma, beta = draw(2, shape[-1], seed=2)
    arrays = x, residual, w, gamma, beta
    assert_native_equals_numpy(f, *arrays, kernel="batch_norm_grad_apply", isa=isa)
    kernels = run_native(f, *arrays, isa=isa).kernels
    if fused == "relu":
        assert not [name for name in kernels if "relu" in name]
    elif fused == "relu of add":
        assert not {"relu", "numpy.relu"} & {*kernels}


@pytest.mark.parametrize("channels", [5, 16, 35])
def test_what_a_native_batch_norm_passed_on_is_made_again_on_the_way_back(
    isa, channels
):
    def f(x, w, gamma, beta, kernel):
        start = x * 1.0
        y, _, _ = ops.batch_norm(start, gamma, beta)
        z, _, _ = ops.batch_norm(ops.conv2d(ops.relu(y), kernel), gamma, beta)
        return gradients(ops.sum(z * w), [start, gamma, beta, kernel])

    x, w = draw(5, 6, 7, channels), draw(5, 4, 5, channels, seed=1)
    x[2, 3, 4, 1] = np.nan
    kernel = draw(3, 3, channels, channels, seed=2) / 9
    arrays = x, w, *draw(2, channels, seed=3), kernel
    assert_native_equals_numpy(f, *arrays, kernel="batch_norm_apply", isa=isa)
    kernels = run_native(f, *arrays, isa=isa).kernels
    assert kernels.count("batch_norm_apply") == 3  # y, y again, z
    assert not [name for name in kernels if "relu" in name]


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("relu", [False, True])
def test_native_batch_norms_one_behind_another_are_numpys(isa, depth, relu):
    def f(x, w, gamma, beta):
        y = x
        for _ in range(depth):
            y, _, _ = ops.batch_norm(y, gamma, beta, epsilon=1e-1)
            y = ops.relu(y) if relu else y
        return y, *gradients(ops.sum(y * w), [x, gamma, beta])

    x, w = draw(12, 5, 16), draw(12, 5, 16, seed=1)
    gamma, beta = draw(2, 64, seed=2)[:, :16]
    assert_native_equals_numpy(
        f, x, w, gamma, beta, kernel="batch_norm_apply", isa=isa, tolerance=5e-5
    )


def test_a_nan_stays_in_its_channel_of_a_native_batch_norm(isa):
    def f(x, w):
        y, mean, variance = ops.batch_norm(x, np.ones(21, "f"), np.zeros(21, "f"))
        return y, mean, variance, *gradients(ops.sum(y * w), [x])

    x, w = draw(6, 21), draw(6, 21, seed=1)
    x[3, 5], w[2, 7], w[1, 20] = np.nan, np.nan, np.inf
    assert_native_equals_numpy(f, x, w, kernel="batch_norm_grad_apply", isa=isa)


@settings(max_examples=15, deadline=None)
@given(SHAPES, st.sampled_from([1e-3, 1.0]))
def test_native_layer_norm_and_its_gradient_are_numpys(isa, shape, epsilon):
    def f(x, w, gamma, beta):
        y, mean, variance = ops.layer_norm(x, gamma, beta, epsilon=epsilon)
        return y, mean, variance, *gradients(ops.sum(y * w), [x, gamma, beta])

    x, w = draw(*shape) * 3 + 1, draw(*shape, seed=1)
    gamma, beta = draw(2, 64 + shape[-1], seed=2)[:, : shape[-1]]
    for kernel in ("layer_norm", "layer_norm_grad"):
        assert_native_equals_numpy(f, x, w, gamma, beta, kernel=kernel, isa=isa)


def test_nan_and_infinity_stay_in_their_line_of_a_native_layer_norm(isa):
    def f(x, w):
        y, mean, variance = ops.layer_norm(x, np.ones(37, "f"), np.zeros(37, "f"))
        return y, mean, variance, *gradients(ops.sum(y * w), [x])

    x, w = draw(6, 3, 37), draw(6, 3, 37, seed=1)
    x[3, 1, 5], x[4, 0, 36], w[2, 1, 7], w[1, 2, 36] = np.nan, np.inf, np.nan, np.inf
    with np.errstate(all="ignore"):
        assert_native_equals_numpy(f, x, w, kernel="layer_norm_grad", isa=isa)
