"""Winograd's convolution before NumPy: edges, gradients, rounding, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.capture import capture
from deepneuron.engine.gradients import backpropagate
from deepneuron.engine.registry import registry
from deepneuron.kernels.native.rules import winograd
from deepneuron.kernels.native.set import NativeKernels
from tests.kernels.judge import (
    ISAS,
    Variable,
    assert_close,
    assert_native_equals_numpy,
    run_native,
    run_numpy,
)

isas = pytest.mark.parametrize("isa", ISAS)
conv2d, conv2d_input_grad, conv2d_kernel_grad = (
    registry[name] for name in ("conv2d", "conv2d_input_grad", "conv2d_kernel_grad")
)
KERNELS = {
    "winograd_kernel",
    "conv2d_winograd",
    "conv2d_winograd_grad",
    "winograd_reduce",
}


@pytest.fixture(params=[4, 6])
def always(request, monkeypatch):
    """Winograd's algorithm with tiles of one size, also where it does not pay."""
    monkeypatch.setenv("DEEPNEURON_WINOGRAD", str(request.param))
    monkeypatch.setattr(winograd, "_cost", lambda *_: 0)
    return request.param


def _random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def _three(n, picture, channels, filters, padding="same", mean=0):
    """A function that returns y, dx and dkernel, and its arrays: x and dy."""
    x = _random(n, *picture, channels) + np.float32(mean)
    kernel = Variable(_random(3, 3, channels, filters, seed=1))
    dy = _random(*conv2d.infer(x, kernel, padding=padding).shape, seed=2)

    def function(x, dy):
        return [
            conv2d(x, kernel, padding=padding),
            conv2d_input_grad(dy, kernel, picture=picture, padding=padding),
            conv2d_kernel_grad(x, dy, size=(3, 3), padding=padding),
        ]

    return function, x, dy


def _in_float64(function, *arrays):
    """The function's values where rounding does not count."""
    return run_numpy(function, *(a.astype("float64") for a in arrays))


@isas
@pytest.mark.parametrize(
    ("picture", "channels", "filters", "padding"),
    [
        ((13, 13), 32, 64, "valid"),
        ((16, 16), 64, 64, "same"),
        ((8, 8), 128, 128, "same"),
        ((9, 30), 16, 48, "same"),
        ((3, 3), 80, 16, "valid"),
        ((1, 1), 16, 16, "same"),
        ((2, 5), 112, 32, ((4, 0), (1, 7))),
        ((1, 2), 16, 16, ((9, 9), (8, 9))),  # windows that see no picture
    ],
)
def test_winograd_and_its_gradients_equal_numpy(
    isa, picture, channels, filters, padding, always
):
    function, x, dy = _three(5, picture, channels, filters, padding)
    run = run_native(function, x, dy, isa=isa)
    assert set(run.kernels) >= KERNELS
    assert_close(run.results, run_numpy(function, x, dy), BOUND[always])


@isas
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    n=st.integers(1, 9),
    picture=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    depths=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    pads=st.tuples(*[st.tuples(st.integers(1, 4), st.integers(1, 4))] * 2),
)
@pytest.mark.usefixtures("always")
def test_winograd_of_any_size_equals_numpy(isa, n, picture, depths, pads):
    channels, filters = (16 * depth for depth in depths)
    function, x, dy = _three(n, picture, channels, filters, pads)
    run = run_native(function, x, dy, isa=isa)
    assert set(run.kernels) >= KERNELS
    assert_close(run.results, run_numpy(function, x, dy))


@isas
@pytest.mark.usefixtures("always")
def test_winograd_has_the_same_bits_in_chunks_of_any_size(isa):
    function, x, dy = _three(9, (7, 10), 32, 48)
    once = run_native(function, x, dy, isa=isa, cache=1)
    for cache in (1 << 15, 1 << 17, 1 << 22):
        again = run_native(function, x, dy, isa=isa, threads=2, cache=cache)
        for a, b in zip(once.results, again.results, strict=True):
            np.testing.assert_array_equal(a, b)


# Rounding, of the largest value: that of 6x6 outputs is coarser.
BOUND = {4: 1e-5, 6: 3e-5}


@isas
@pytest.mark.parametrize("channels", [16, 64, 256])
@pytest.mark.parametrize("mean", [0, 1])
def test_rounding_of_winograd_stays_far_below_its_bound(isa, channels, mean, always):
    function, x, dy = _three(16, (16, 16), channels, 32, mean=mean)
    run = run_native(function, x, dy, isa=isa)
    assert set(run.kernels) >= KERNELS
    for value, exact in zip(run.results, _in_float64(function, x, dy), strict=True):
        assert np.max(np.abs(value - exact)) < BOUND[always] * np.max(np.abs(exact))


@isas
def test_long_sums_of_winograd_stay_exact(isa, always):
    function, x, dy = _three(96, (32, 32), 16, 16, mean=0.5)
    dkernel = run_native(function, x, dy, isa=isa).results[2]
    exact = _in_float64(function, x, dy)[2]
    assert np.max(np.abs(dkernel - exact)) < BOUND[always] * np.max(np.abs(exact))


@isas
@pytest.mark.parametrize("wanted", ["input", "kernel"])
def test_one_gradient_alone_by_winograd_equals_numpy(isa, wanted):
    both, x, dy = _three(16, (11, 16), 32, 16)
    number = 1 if wanted == "input" else 2

    def function(x, dy):
        return [both(x, dy)[number]]

    assert_native_equals_numpy(function, x, dy, kernel="conv2d_winograd_grad", isa=isa)
    kernels = run_native(function, x, dy, isa=isa).kernels
    assert ("winograd_kernel" in kernels) == (wanted == "input")
    assert ("winograd_reduce" in kernels) == (wanted == "kernel")


@isas
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("with_relu", [True, False])
def test_bias_and_relu_are_part_of_winograd(isa, with_bias, with_relu):
    kernel = Variable(_random(3, 3, 16, 32, seed=1))
    bias = Variable(_random(32, seed=2))

    def function(x):
        y = ops.conv(x, kernel, padding="same")
        y = ops.add(y, bias) if with_bias else y
        return [ops.relu(y) if with_relu else y]

    x = _random(16, 10, 11, 16)
    run = run_native(function, x, isa=isa)
    assert [k for k in run.kernels if k != "gather"] == [
        "winograd_kernel",
        "conv2d_winograd",
    ]
    assert_close(run.results, run_numpy(function, x))


@isas
def test_what_somebody_wants_to_see_is_not_fused_into_winograd(isa):
    kernel, bias = Variable(_random(3, 3, 16, 16, seed=1)), Variable(_random(16))

    def function(x):
        y = ops.add(ops.conv(x, kernel, padding="same"), bias)
        return [y, ops.relu(y)]

    x = _random(16, 12, 12, 16)
    assert_native_equals_numpy(function, x, kernel="conv2d_winograd", isa=isa)


@isas
def test_layers_by_winograd_learn_as_with_numpy(isa):
    kernels = [Variable(_random(3, 3, *s, seed=1) / 16) for s in [(16, 32), (32, 16)]]
    bias = Variable(_random(32))

    def function(x):
        hidden = ops.relu(ops.add(ops.conv(x, kernels[0], padding="same"), bias))
        y = ops.add(ops.conv(hidden, kernels[1], padding="same"), x)
        loss = ops.sum(ops.square(y))
        return backpropagate(loss, [*kernels, bias, x])

    x = _random(8, 12, 12, 16)
    run = run_native(function, x, isa=isa, threads=2)
    assert run.kernels.count("conv2d_winograd_grad") == 2
    assert_close(run.results, run_numpy(function, x), 2e-5)


@isas
def test_two_convolutions_with_one_dy_do_not_take_each_others_gradients(isa):
    first, second = (Variable(_random(3, 3, 16, 16, seed=s)) for s in (1, 2))

    def function(a, b):
        y = ops.conv(a, first, padding="same") + ops.conv(b, second, padding="same")
        return backpropagate(ops.sum(y * y), [first, second, a, b])

    arrays = _random(16, 8, 8, 16, seed=3), _random(16, 8, 8, 16, seed=4)
    run = run_native(function, *arrays, isa=isa)
    assert run.kernels.count("conv2d_winograd_grad") == 2
    assert_close(run.results, run_numpy(function, *arrays))


@isas
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_within_its_tiles(isa, value, always):
    function, x, dy = _three(3, (12, 12), 16, 16)
    y, dx, _ = run_native(function, x, dy, isa=isa).results
    x[1, 6, 6, 3] = dy[2, 5, 5, 0] = value
    spoilt_y, spoilt_dx, dkernel = run_native(function, x, dy, isa=isa).results
    true_y, true_dx, true_dkernel = run_numpy(function, x, dy)
    # Where NumPy's value is not finite, this is not, either.
    for spoilt, true in (
        (spoilt_y, true_y), (spoilt_dx, true_dx), (dkernel, true_dkernel)
    ):  # fmt: skip
        assert not np.isfinite(spoilt[~np.isfinite(true)]).any()
    # All else is as before. Pixel 6 is seen by the second tile of 4 pixels alone, but
    # by two tiles of 6; pixel 5 of dy is seen by the window of one tile.
    seen, window = {
        4: (slice(4, 8), slice(3, 9)),
        6: (slice(0, 12), slice(0, 7)),
    }[always]
    tile = np.zeros(y.shape, bool)
    tile[1, seen, seen] = True
    np.testing.assert_array_equal(spoilt_y[~tile], y[~tile])
    touched = np.zeros(dx.shape, bool)
    touched[2, window, window] = True
    np.testing.assert_array_equal(spoilt_dx[~touched], dx[~touched])


@isas
@pytest.mark.usefixtures("always")
def test_values_of_winograd_may_begin_anywhere_in_memory(isa):
    kernel = _random(9 * 16 * 16 + 1, seed=1)[1:].reshape(3, 3, 16, 16)
    bias = _random(19, seed=2)[3:]
    x = _random(4 * 7 * 7 * 16 + 1)[1:].reshape(4, 7, 7, 16)

    def function(x):
        return [ops.relu(ops.add(ops.conv(x, kernel), bias))]

    assert_native_equals_numpy(function, x, kernel="conv2d_winograd", isa=isa)


@pytest.mark.parametrize(
    ("size", "channels", "attrs"),
    [
        ((3, 3), 32, {"strides": (2, 2)}),
        ((3, 3), 32, {"dilation": (2, 2)}),
        ((3, 3), 32, {"groups": 2}),
        ((5, 5), 32, {}),
        ((3, 3), 3, {}),
        ((3, 3), 24, {}),
    ],
)
@pytest.mark.usefixtures("always")
def test_what_does_not_fit_winograd_is_left_to_the_direct_kernels(
    size, channels, attrs
):
    groups = attrs.get("groups", 1)
    kernel = Variable(_random(*size, channels // groups, 32, seed=1))

    def function(x):
        y = conv2d(x, kernel, padding="same", **attrs)
        return [y, *backpropagate(ops.sum(y * y), [kernel, x])]

    x = _random(4, 8, 8, channels)
    run = run_native(function, x)
    assert not KERNELS & set(run.kernels)
    assert_close(run.results, run_numpy(function, x))


def test_winograd_is_left_where_it_does_not_pay():
    tiny, *arrays = _three(64, (2, 2), 64, 64)  # a tile has 16 pixels, a picture 4
    assert not KERNELS & set(run_native(tiny, *arrays).kernels)
    few, *arrays = _three(1, (8, 8), 128, 128)  # the kernel's transform is the most
    assert not KERNELS & set(run_native(few, *arrays).kernels)


@pytest.mark.parametrize(
    ("value", "tiles"),
    [("0", ()), ("4", (4,)), ("6", (6,)), ("1", (4, 6)), ("", (4, 6))],
)
def test_an_environment_variable_chooses_tiles(monkeypatch, value, tiles):
    monkeypatch.setenv("DEEPNEURON_WINOGRAD", value)
    assert winograd.tile_sizes() == tiles
    function, x, dy = _three(16, (16, 16), 32, 32)
    assert bool(KERNELS & set(run_native(function, x, dy).kernels)) == bool(tiles)


@pytest.mark.parametrize(
    ("picture", "padding", "out"),
    [((8, 8), "same", 4), ((13, 13), "valid", 6), ((18, 18), "same", 6)],
)
def test_tiles_are_of_the_size_that_needs_fewer_products(picture, padding, out):
    kernel = Variable(_random(3, 3, 64, 64))
    graph, _ = capture(
        lambda x: conv2d(x, kernel, padding=padding), _random(64, *picture, 64)
    )
    plan = str(NativeKernels(ISAS[0], 1).plan(graph))
    assert f"[{(out + 2) ** 2}, 64, 64], - = winograd_kernel" in plan
