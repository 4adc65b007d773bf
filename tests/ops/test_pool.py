"""Windows of all sizes, strides and paddings, against Keras and PyTorch."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.capture import Function
from deepneuron.engine.gradients import gradients
from tests.peers import keras, torch

POOLS = ("max_pool", "average_pool")


@st.composite
def pools(draw, rank):
    """(x, arguments) of a pooling; x has many equal values."""
    spatial = [draw(st.integers(1, 9)) for _ in range(rank)]
    padding = draw(st.sampled_from(["valid", "same"]))
    size = [draw(st.integers(1, min(n, 4))) for n in spatial]
    strides = [draw(st.integers(1, 4)) for _ in range(rank)]
    n, channels = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    first = draw(st.booleans())
    shape = (n, channels, *spatial) if first else (n, *spatial, channels)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.integers(-3, 4, size=shape).astype("float32")
    return x, {
        "pool_size": tuple(size),
        "strides": draw(st.sampled_from([None, tuple(strides)])),
        "padding": padding,
        "data_format": "channels_first" if first else "channels_last",
    }


def in_keras(pool, x, arguments):
    # Keras on JAX loses its way where a tuple has to serve as strides as well.
    strides = arguments["strides"] or arguments["pool_size"]
    return getattr(keras().ops, pool)(x, **{**arguments, "strides": strides})


def gradient_in_jax(pool, x, dy, arguments):
    import jax

    _, back = jax.vjp(lambda x: in_keras(pool, x, arguments), x)
    return back(dy)[0]


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("rank", [1, 2])
def test_pools_and_their_gradients_are_those_of_keras(pool, rank):
    @settings(deadline=None, max_examples=12)
    @given(case=pools(rank))
    def check(case):
        x, arguments = case
        ours = getattr(ops, pool)
        y = ours(x, **arguments)
        theirs = np.asarray(in_keras(pool, x, arguments))
        np.testing.assert_allclose(y, theirs, rtol=1e-6, atol=1e-6)
        assert y.dtype == theirs.dtype
        dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")
        dx = gradients(lambda x: ops.sum(ours(x, **arguments) * dy), x)
        wanted = gradient_in_jax(pool, x, dy, arguments)
        np.testing.assert_allclose(dx, wanted, rtol=1e-5, atol=1e-5)

    check()


@pytest.mark.parametrize("pool", POOLS)
@settings(deadline=None, max_examples=15)
@given(case=pools(2))
def test_pools_and_their_gradients_are_those_of_torch(pool, case):
    x, arguments = case
    if len(x) == 0 or arguments["padding"] == "same":
        x, arguments["padding"] = np.ones((1, 4, 4, 4), "float32"), "valid"
    arguments["data_format"] = "channels_first"
    spatial = zip(arguments["pool_size"], x.shape[2:], strict=True)
    arguments["pool_size"] = size = tuple(min(k, n) for k, n in spatial)
    function = getattr(torch().nn.functional, pool.replace("average", "avg") + "2d")
    x = x.astype("float64")
    leaf = torch().tensor(x, requires_grad=True)
    theirs = function(leaf, size, arguments["strides"])
    (theirs**2).sum().backward()

    y = getattr(ops, pool)(x, **arguments)
    np.testing.assert_allclose(y, theirs.detach().numpy(), rtol=1e-12)
    dx = gradients(lambda x: ops.sum(getattr(ops, pool)(x, **arguments) ** 2), x)
    np.testing.assert_allclose(dx, leaf.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_of_equal_maxima_the_first_gets_the_gradient():
    x = np.array([[0.0, 1.0], [1.0, 1.0]]).reshape(1, 2, 2, 1)
    dx = gradients(lambda x: ops.sum(ops.max_pool(x, 2)), x)
    np.testing.assert_array_equal(dx.reshape(2, 2), [[0, 1], [0, 0]])


def test_nan_and_infinity_go_where_keras_sends_them():
    x = np.arange(2 * 4 * 4 * 2, dtype="float32").reshape(2, 4, 4, 2)
    x[0, 0, 0, 0], x[0, 2, 3, 1], x[1, 1, 1, 0] = np.nan, np.inf, -np.inf
    for pool in POOLS:
        for padding in ("valid", "same"):
            y = getattr(ops, pool)(x, 3, 2, padding)
            theirs = getattr(keras().ops, pool)(x, 3, 2, padding)
            np.testing.assert_allclose(y, theirs, rtol=1e-6)


@pytest.mark.parametrize("pool", POOLS)
def test_a_gradient_of_nan_stays_in_its_window(pool):
    def loss(x):
        return ops.sum(getattr(ops, pool)(x, 2) * np.array([[[np.nan], [1.0]]]))

    dx = gradients(loss, np.arange(4.0).reshape(1, 4, 1)).ravel()
    wanted = {"max_pool": [0, np.nan, 0, 1], "average_pool": [np.nan, np.nan, 0.5, 0.5]}
    np.testing.assert_array_equal(dx, wanted[pool])


def test_windows_of_more_than_256_positions_know_their_maximum():
    x = np.zeros((1, 20, 20, 2))
    x[0, 18, 19, 0] = x[0, 3, 4, 1] = 1.0
    dx = gradients(lambda x: ops.sum(ops.max_pool(x, 20)), x)
    np.testing.assert_array_equal(dx, x)


def test_whole_numbers_have_a_maximum_and_a_mean():
    x = np.array([-5, -7, -9, -2]).reshape(1, 4, 1)
    y = ops.max_pool(x, 3, 1, "same")
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y.ravel(), [-5, -5, -2, -2])
    np.testing.assert_allclose(ops.average_pool(x, 2).ravel(), [-6.0, -5.5])


@pytest.mark.parametrize("pool", POOLS)
def test_inputs_need_not_be_contiguous(pool):
    x = np.random.default_rng(0).normal(size=(4, 6, 7, 8))
    views = (x[:, ::2, ::-1, 1::2], x.transpose(0, 2, 3, 1), x[..., :1], x[::-1])
    for view in views:
        y = getattr(ops, pool)(view, 2)
        wanted = getattr(ops, pool)(np.array(view, order="C"), 2)
        np.testing.assert_array_equal(y, wanted)


@pytest.mark.parametrize("pool", POOLS)
def test_a_plan_pools_many_chunks_as_eager_does_and_allocates_nothing(pool):
    x = np.random.default_rng(0).normal(size=(64, 30, 31, 8)).astype("float32")

    def slope(x):
        def loss(x):
            return ops.sum(getattr(ops, pool)(x, 3, 2, "same") ** 2)

        return gradients(loss, x)

    step, wanted = Function(slope), slope(x)
    for _ in range(3):
        np.testing.assert_array_equal(step(x), wanted)
    tracemalloc.start()
    dx = step(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < dx.nbytes + 100_000, "only the result itself is new"


@pytest.mark.parametrize("pool", POOLS)
def test_second_derivatives_of_pools(pool):
    x, d = np.random.default_rng(0).normal(size=(2, 2, 5, 6, 2))

    def loss(x):
        return ops.sum(getattr(ops, pool)(x, (2, 3), (2, 1), "same") ** 3)

    def slope(x):
        return ops.sum(gradients(loss, x) ** 2)

    numeric = (slope(x + 1e-6 * d) - slope(x - 1e-6 * d)) / 2e-6
    assert np.sum(gradients(slope, x) * d) == pytest.approx(numeric, rel=1e-6)


def test_pools_say_what_does_not_fit():
    x = np.zeros((1, 4, 5, 2))
    for pool in POOLS:
        ours = getattr(ops, pool)
        with pytest.raises(ValueError, match=rf"{pool}.*does not fit a picture"):
            ours(x, 5)
        with pytest.raises(ValueError, match=r"pool_size.*received 0"):
            ours(x, 0)
        with pytest.raises(ValueError, match=r"strides.*received \(1, 2, 3\)"):
            ours(x, 2, (1, 2, 3))
        with pytest.raises(ValueError, match="'full'"):
            ours(x, 2, padding="full")
        with pytest.raises(ValueError, match="data_format"):
            ours(x, 2, data_format="last")
        with pytest.raises(ValueError, match="received shape"):
            ours(np.zeros((3, 2)), 2)
