"""Native depthwise convolutions before NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.registry import registry
from tests.kernels.judge import (
    ISAS,
    Variable,
    assert_close,
    assert_native_equals_numpy,
    run_native,
    run_numpy,
)

isas = pytest.mark.parametrize("isa", ISAS)
KERNELS = {
    "depthwise_conv2d",
    "depthwise_conv2d_input_grad",
    "depthwise_conv2d_kernel_grad",
}


def _random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def _three(n, picture, channels, size, multiplier, **attrs):
    """A function that returns y and both gradients, and its arrays."""
    x = _random(n, *picture, channels)
    kernel = Variable(_random(*size, channels, multiplier, seed=1))
    forward = registry["depthwise_conv2d"]
    dy = _random(*forward.infer(x, kernel, **attrs).shape, seed=2)

    def function(x, dy):
        input_grad = registry["depthwise_conv2d_input_grad"]
        kernel_grad = registry["depthwise_conv2d_kernel_grad"]
        return [
            forward(x, kernel, **attrs),
            input_grad(dy, kernel, picture=picture, **attrs),
            kernel_grad(x, dy, size=size, **attrs),
        ]

    return function, x, dy


@isas
@pytest.mark.parametrize("strides", [(1, 1), (2, 2)])
@pytest.mark.parametrize("size", [(3, 3), (5, 5)])
@pytest.mark.parametrize(("channels", "multiplier"), [(32, 1), (24, 1), (3, 1), (8, 2)])
def test_depthwise_convolutions_of_common_sizes_equal_numpy(
    isa, strides, size, channels, multiplier
):
    arguments = _three(
        5, (11, 9), channels, size, multiplier, padding="same", strides=strides
    )
    assert_native_equals_numpy(*arguments, kernel="depthwise_conv2d", isa=isa)


_small = st.integers(1, 3)
_pads = st.tuples(st.integers(0, 3), st.integers(0, 3))


@isas
@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 5),
    picture=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    channels=st.sampled_from([1, 2, 7, 16, 19, 32]),
    multiplier=st.sampled_from([1, 1, 2, 3]),
    strides=st.tuples(_small, _small),
    dilation=st.tuples(_small, _small),
    padding=st.one_of(st.just("valid"), st.just("same"), st.tuples(_pads, _pads)),
)
def test_any_depthwise_convolution_equals_numpy(
    isa, n, picture, size, channels, multiplier, strides, dilation, padding
):
    attrs = {"strides": strides, "dilation": dilation, "padding": padding}
    pads = padding if isinstance(padding, tuple) else ((0, 0), (0, 0))
    # A picture that is too small for its windows is made larger.
    picture = tuple(
        max(p, (k - 1) * d + 1 - sum(pad)) if padding != "same" else p
        for p, k, d, pad in zip(picture, size, dilation, pads, strict=True)
    )
    function, x, dy = _three(n, picture, channels, size, multiplier, **attrs)
    run = run_native(function, x, dy, isa=isa, threads=2)
    assert set(run.kernels) >= KERNELS
    assert_close(run.results, run_numpy(function, x, dy))


@isas
@pytest.mark.parametrize("channels", [5, 32])
def test_bias_and_relu_are_part_of_the_depthwise_convolution(isa, channels):
    kernel = Variable(_random(3, 3, channels, 1, seed=1))
    bias = Variable(_random(channels, seed=2))

    def function(x):
        y = registry["depthwise_conv2d"](x, kernel, padding="same")
        return [ops.relu(ops.add(y, bias))]

    x = _random(5, 7, 6, channels)
    x[0, 0, 0, 0], x[1, 2, 3, 1] = np.nan, np.inf
    run = run_native(function, x, isa=isa)
    assert run.kernels == ["gather", "depthwise_conv2d"]
    assert_close(run.results, run_numpy(function, x))


@isas
def test_depthwise_nan_and_infinity_stay_where_numpy_has_them(isa):
    function, x, dy = _three(2, (6, 6), 5, (3, 3), 2, padding="same")
    x[0, 2, 2, 1], x[1, 0, 0, 0] = np.nan, np.inf
    dy[0, 1, 1, 1], dy[1, 5, 0, 3] = np.nan, -np.inf
    with np.errstate(invalid="ignore"):
        expected = run_numpy(function, x, dy)
    results = run_native(function, x, dy, isa=isa).results
    for actual, right in zip(results, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(right))
    assert_close(results, expected)
