"""Pooling kernels against NumPy: windows of every kind, and what is fused with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.gradients import gradients
from tests.kernels.judge import (
    ISAS,
    assert_close,
    assert_native_equals_numpy,
    run_native,
    run_numpy,
)

pytestmark = pytest.mark.parametrize("isa", ISAS)
VARIANTS = [
    ((5, 6, 7), (2, 2), (2, 2), "valid"),
    ((6, 8, 16), (2, 2), (2, 2), "valid"),
    ((5, 5, 19), (2, 2), (2, 2), "same"),
    ((5, 6, 1), (2, 2), (3, 3), "valid"),
    ((7, 6, 3), (3, 2), (2, 2), "same"),
    ((4, 9, 33), (3, 3), (1, 2), "same"),
    ((5, 6, 2), (1, 2), (2, 3), "valid"),
    ((1, 9, 5), (1, 3), (1, 3), "same"),
]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def pooled(size, strides, padding):
    return lambda x: ops.max_pool2d(x, size=size, strides=strides, padding=padding)


@pytest.mark.parametrize(("picture", "size", "strides", "padding"), VARIANTS)
def test_a_native_maximum_and_its_position_are_numpys(
    isa, picture, size, strides, padding
):
    x = draw(5, *picture).round(1)  # with many ties
    x[0, 0, 0], x[1, -1, -1], x[2], x[3, :, 1] = np.nan, np.inf, -np.inf, np.nan
    f = pooled(size, strides, padding)
    assert_native_equals_numpy(f, x, kernel="max_pool2d", isa=isa, tolerance=0)


@pytest.mark.parametrize(("picture", "size", "strides", "padding"), VARIANTS)
def test_the_native_gradient_of_a_maximum_is_numpys(
    isa, picture, size, strides, padding
):
    def f(x, w):
        y, _ = pooled(size, strides, padding)(x)
        (dx,) = gradients(ops.sum(y * w), [x])
        return dx

    x = draw(5, *picture).round(1)
    w = draw(*run_numpy(pooled(size, strides, padding), x)[0].shape, seed=1)
    w[0, 0, 0], w[1] = np.nan, np.inf
    assert_native_equals_numpy(f, x, w, kernel="max_pool2d_grad", isa=isa)


@pytest.mark.parametrize(("picture", "size", "strides", "padding"), VARIANTS)
@pytest.mark.parametrize(
    "order", ["pool, bias, relu", "bias, relu, pool", "relu, pool"]
)
def test_bias_and_relu_around_a_native_maximum_are_fused_both_ways(
    isa, picture, size, strides, padding, order
):
    def f(x, bias, w):
        bias = ops.reshape(bias[:1], (-1,)) if bias.ndim == 2 else bias
        pool = pooled(size, strides, padding)
        start = x * 1.0
        if order == "pool, bias, relu":
            y = ops.relu(pool(start)[0] + bias)
        elif order == "bias, relu, pool":
            y, _ = pool(ops.relu(start + bias))
        else:
            y, _ = pool(ops.relu(start))
        wanted = [start] if order == "relu, pool" else [start, bias]
        return y, *gradients(ops.sum(y * w), wanted)

    x = draw(6, *picture).round(1)
    bias = draw(picture[-1], seed=2)
    w = draw(*run_numpy(pooled(size, strides, padding), x)[0].shape, seed=1)
    expected = run_numpy(f, x, bias, w)
    results = []
    for threads, cache in ((1, 1), (2, 1), (1, 1 << 19), (2, 1 << 19)):
        run = run_native(f, x, bias, w, isa=isa, threads=threads, cache=cache)
        assert not {"numpy.max_pool2d", "numpy.max_pool2d_grad"} & {*run.kernels}
        assert_close(run.results, expected)
        results.append(run.results)
    for one, two in zip(results[0], results[1], strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("picture", "size", "strides", "padding"), VARIANTS)
def test_native_means_of_windows_and_their_gradients_are_numpys(
    isa, picture, size, strides, padding
):
    def mean(x):
        return ops.average_pool2d(x, size=size, strides=strides, padding=padding)

    def f(x, w):
        y = mean(x)
        (dx,) = gradients(ops.sum(y * w), [x])
        return y, dx

    x = draw(5, *picture)
    x[1, 0, 0], x[2, 1 % picture[0], 1] = np.nan, np.inf
    w = draw(*run_numpy(mean, x)[0].shape, seed=1)
    for kernel in ("average_pool2d", "average_pool2d_grad"):
        assert_native_equals_numpy(f, x, w, kernel=kernel, isa=isa)


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(*[st.integers(1, 9)] * 2, st.integers(1, 40)),
    st.integers(1, 5),
)
def test_the_native_mean_of_all_pixels_and_its_gradient_are_numpys(isa, picture, n):
    def f(x, w):
        y = ops.mean(x, axis=(1, 2))
        (dx,) = gradients(ops.sum(y * w), [x])
        return y, dx

    x, w = draw(n, *picture), draw(n, picture[-1], seed=1)
    for kernel in ("mean_of_pixels", "spread_over_pixels"):
        assert_native_equals_numpy(f, x, w, kernel=kernel, isa=isa)
