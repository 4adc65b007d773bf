"""Native convolutions before NumPy: every size, stride, padding, dilation and group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.gradients import backpropagate
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


def _random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def _three(n, picture, channels, size, filters, *, pads=None, **attrs):
    """A function that returns y and both gradients, and its arrays.

    dy is an input of its own, so that all three kernels see random numbers.
    """
    groups = attrs.get("groups", 1)
    x = _random(n, *picture, channels)
    kernel = Variable(_random(*size, channels // groups, filters, seed=1))
    conv2d = registry["conv2d"]
    spec = conv2d.infer(x, kernel, **attrs)
    dy = _random(*spec.shape, seed=2)

    def function(x, dy):
        return [
            conv2d(x, kernel, **attrs),
            registry["conv2d_input_grad"](dy, kernel, picture=picture, **attrs),
            registry["conv2d_kernel_grad"](x, dy, size=size, **attrs),
        ]

    return function, x, dy


KERNELS = {"conv2d", "conv2d_input_grad", "conv2d_kernel_grad"}

# Pictures, channels, kernel, filters: what networks use, and what fits no tile.
SIZES = {
    "a first layer of grey pictures": ((28, 28), 1, (3, 3), 32),
    "a first layer of colours": ((32, 32), 3, (3, 3), 16),
    "large windows over grey": ((9, 11), 1, (5, 5), 16),
    "fewer pixels than pass by at once": ((7, 3), 3, (3, 3), 48),
    "many channels on few pixels": ((4, 4), 64, (3, 3), 80),
    "one pixel": ((1, 1), 5, (1, 1), 7),
    "a plain product": ((6, 5), 20, (1, 1), 33),
    "a kernel as large as the picture": ((5, 4), 3, (5, 4), 10),
    "a signal": ((1, 19), 4, (1, 5), 6),
}


@isas
@pytest.mark.parametrize("strides", [(1, 1), (2, 2)])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_convolutions_of_common_sizes_equal_numpy(isa, size, strides):
    picture, channels, kernel, filters = size
    arguments = _three(
        5, picture, channels, kernel, filters, padding="same", strides=strides
    )
    assert_native_equals_numpy(*arguments, kernel="conv2d", isa=isa)


_small = st.integers(1, 3)
_pads = st.tuples(st.integers(0, 3), st.integers(0, 3))


@isas
@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 6),
    picture=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    part=st.sampled_from([1, 2, 3, 5, 16, 19]),
    some=st.sampled_from([1, 3, 8, 16, 17, 40]),
    groups=st.sampled_from([1, 1, 2, 3]),
    strides=st.tuples(_small, _small),
    dilation=st.tuples(_small, _small),
    padding=st.one_of(st.just("valid"), st.just("same"), st.tuples(_pads, _pads)),
)
def test_any_convolution_equals_numpy(
    isa, n, picture, size, part, some, groups, strides, dilation, padding
):
    attrs = {"strides": strides, "dilation": dilation, "padding": padding}
    pads = padding if isinstance(padding, tuple) else ((0, 0), (0, 0))
    # A picture that is too small for its windows is made larger.
    picture = tuple(
        max(p, (k - 1) * d + 1 - sum(pad)) if padding != "same" else p
        for p, k, d, pad in zip(picture, size, dilation, pads, strict=True)
    )
    function, x, dy = _three(
        n, picture, part * groups, size, some * groups, groups=groups, **attrs
    )
    run = run_native(function, x, dy, isa=isa, threads=2)
    assert set(run.kernels) >= KERNELS
    assert_close(run.results, run_numpy(function, x, dy))


@isas
@pytest.mark.parametrize("fused", ["bias", "bias and relu", "relu"])
@pytest.mark.parametrize("filters", [7, 32])
def test_bias_and_relu_are_part_of_the_convolution(isa, fused, filters):
    kernel = Variable(_random(3, 3, 4, filters, seed=1))
    bias = Variable(_random(filters, seed=2))

    def function(x):
        y = ops.conv(x, kernel, padding="same")
        y = ops.add(y, bias) if "bias" in fused else y
        return [ops.relu(y) if "relu" in fused else y]

    x = _random(5, 7, 6, 4)
    x[0, 0, 0, 0], x[1, 2, 3, 1] = np.nan, np.inf
    run = run_native(function, x, isa=isa)
    assert run.kernels == ["pack_conv_kernel", "gather", "conv2d"]
    assert_close(run.results, run_numpy(function, x))


@isas
@pytest.mark.parametrize("other", ["given", "made before", "of another convolution"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("channels", [5, 16, 21])
def test_another_gradient_is_added_by_the_kernel_that_makes_dx(
    isa, other, strides, channels
):
    filters, attrs = 16, {"padding": "same", "strides": strides}
    kernel = _random(3, 3, channels, filters)
    point = _random(1, 1, channels, filters, seed=1)
    x, input_grad = _random(5, 16, 14, channels), registry["conv2d_input_grad"]
    dy = _random(*registry["conv2d"].infer(x, kernel, **attrs).shape, seed=2)

    def function(x, dy):
        if other == "of another convolution":
            x = input_grad(dy, point, picture=(16, 14), **attrs)
        elif other == "made before":
            x = x * 2.0
        return ops.relu(input_grad(dy * 2.0, kernel, picture=(16, 14), **attrs) + x)

    fast = channels == filters and strides == (1, 1)  # by Winograd's algorithm
    kind = "conv2d_winograd_grad" if fast else "conv2d_input_grad"
    assert_native_equals_numpy(function, x, dy, kernel=kind, isa=isa)
    pointwise = run_native(function, x, dy, isa=isa).kernels.count("pointwise")
    assert pointwise == 2 + (other == "made before")  # nothing but dy * 2, x * 2, relu


@isas
def test_what_somebody_wants_to_see_is_not_fused_away(isa):
    kernel, bias = Variable(_random(3, 3, 2, 5)), Variable(_random(5))

    def function(x):
        y = ops.conv(x, kernel)
        z = ops.add(y, bias)
        return [y, z, ops.relu(z)]

    x = _random(3, 6, 6, 2)
    run = run_native(function, x, isa=isa)
    assert_close(run.results, run_numpy(function, x))


@isas
def test_a_convolution_learns_as_with_numpy(isa):
    kernel = Variable(_random(3, 3, 3, 8, seed=1))
    bias = Variable(_random(8, seed=2))

    def function(x):
        y = ops.relu(ops.add(ops.conv(x, kernel, strides=2, padding="same"), bias))
        return [y, *backpropagate(ops.sum(y * y), [x, kernel, bias])]

    assert_native_equals_numpy(
        function, _random(6, 9, 9, 3), kernel="conv2d_kernel_grad", isa=isa
    )


@isas
def test_nan_and_infinity_stay_where_numpy_has_them(isa):
    function, x, dy = _three(3, (6, 6), 5, (3, 3), 9, padding="same")
    x[0, 2, 2, 1], x[1, 0, 0, 0], x[2, 5, 5, 4] = np.nan, np.inf, -np.inf
    dy[0, 1, 1, 1], dy[1, 5, 0, 3] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        expected = run_numpy(function, x, dy)
    results = run_native(function, x, dy, isa=isa).results
    for actual, right in zip(results, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(right))
    assert_close(results, expected)


@isas
def test_convolutions_read_pictures_at_any_address(isa):
    function, x, dy = _three(4, (7, 7), 3, (3, 3), 12, padding="same")
    expected = run_numpy(function, x, dy)
    for shift in (4, 20):  # bytes
        shifted = []
        for array in (x, dy):
            memory = np.empty(array.nbytes + 64, np.uint8)
            view = memory[shift : shift + array.nbytes].view("float32")
            view = view.reshape(array.shape)
            view[...] = array
            shifted.append(view)
        assert_close(run_native(function, *shifted, isa=isa).results, expected)


def test_what_is_not_float32_is_left_to_numpy():
    function, x, dy = _three(2, (5, 5), 3, (3, 3), 4)
    x, dy = x.astype("float64"), dy.astype("float64")
    kernels = run_native(function, x, dy).kernels
    assert not KERNELS & set(kernels)
