"""Normalisation against Keras and PyTorch, and where numbers are hard."""

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


def normal(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(1.0, 2.0, shape).astype(dtype)


@st.composite
def arrays(draw, least=1):
    """(x, axes): any shape, and some of its axes."""
    shape = draw(st.lists(st.integers(1, 5), min_size=least, max_size=4))
    axes = draw(
        st.lists(
            st.integers(-len(shape), len(shape) - 1),
            min_size=1,
            unique_by=lambda a: a % len(shape),
        )
    )
    return normal(*shape, seed=draw(st.integers(0, 99))), axes


def assert_close(y, theirs, **tolerance):
    theirs = np.asarray(theirs)
    assert y.shape == theirs.shape
    assert y.dtype == theirs.dtype
    np.testing.assert_allclose(y, theirs, **{"rtol": 1e-4, "atol": 1e-5, **tolerance})


@settings(deadline=None, max_examples=15)
@given(case=arrays(), keepdims=st.booleans())
def test_moments_are_those_of_keras(case, keepdims):
    x, axes = case
    theirs = keras().ops.moments(x, axes, keepdims=keepdims)
    for ours, wanted in zip(ops.moments(x, axes, keepdims), theirs, strict=True):
        assert_close(ours, wanted)


def test_moments_of_half_floats_and_whole_numbers_are_those_of_keras():
    for x in (
        normal(50, 3, dtype="float16") * 100,
        np.arange(12).reshape(4, 3).astype("int32"),
    ):
        for ours, wanted in zip(
            ops.moments(x, [0]), keras().ops.moments(x, [0]), strict=True
        ):
            assert_close(ours, wanted, rtol=1e-3)


def test_moments_refuse_what_needs_several_devices():
    with pytest.raises(ValueError, match="synchronized=True"):
        ops.moments(normal(3), [0], synchronized=True)


@settings(deadline=None, max_examples=15)
@given(case=arrays(), offset=st.booleans(), scale=st.booleans())
def test_batch_normalization_is_that_of_keras(case, offset, scale):
    x, (axis, *_) = case
    mean, variance, beta, gamma = np.abs(normal(4, x.shape[axis])) + 0.1
    affine = {"offset": beta if offset else None, "scale": gamma if scale else None}
    y = ops.batch_normalization(x, mean, variance, axis, **affine)
    assert_close(y, keras().ops.batch_normalization(x, mean, variance, axis, **affine))


@settings(deadline=None, max_examples=15)
@given(case=arrays(least=2), dtype=st.sampled_from(["float32", "float64"]))
def test_batch_normalization_in_training_is_that_of_torch(case, dtype):
    x, (axis, *_) = case
    x = x.astype(dtype)
    gamma, beta = normal(2, x.shape[axis], seed=1, dtype=dtype)
    dy = normal(*x.shape, seed=2, dtype=dtype)

    leaves = [torch().tensor(v, requires_grad=True) for v in (x, gamma, beta)]
    moved = leaves[0].movedim(axis, -1)
    mean = moved.mean(tuple(range(x.ndim - 1)))
    variance = ((moved - mean) ** 2).mean(tuple(range(x.ndim - 1)))
    theirs = (moved - mean) / torch().sqrt(variance + 0.01) * leaves[1] + leaves[2]
    theirs = theirs.movedim(-1, axis)
    (theirs * torch().tensor(dy)).sum().backward()

    def run(x, gamma, beta):
        return ops.batch_normalization_in_training(x, axis, beta, gamma, 0.01)

    tolerance = (
        {"rtol": 1e-4, "atol": 1e-4}
        if dtype == "float32"
        else {"rtol": 1e-9, "atol": 1e-10}
    )
    for ours, wanted in zip(run(x, gamma, beta), (theirs, mean, variance), strict=True):
        assert_close(ours, wanted.detach().numpy(), **tolerance)
    dxs = gradients(lambda *a: ops.sum(run(*a)[0] * dy), [x, gamma, beta])
    for ours, leaf in zip(dxs, leaves, strict=True):
        assert_close(ours, leaf.grad.numpy(), **tolerance)


@settings(deadline=None, max_examples=15)
@given(case=arrays(least=2), gamma=st.booleans(), beta=st.booleans(), rms=st.booleans())
@pytest.mark.filterwarnings("ignore:You passed .rms_scaling=True")
def test_layer_normalization_is_that_of_keras(case, gamma, beta, rms):
    x, axes = case
    axes = sorted(a % x.ndim for a in axes)
    if len(axes) == x.ndim:  # Keras wants vectors and rejects them here
        axes = axes[:-1]
    sizes = [x.shape[a] for a in axes]
    arguments = {
        "gamma": normal(*sizes, seed=1) if gamma else None,
        "beta": normal(*sizes, seed=2) if beta else None,
        "axis": axes,
        "epsilon": 0.01,
        "rms_scaling": rms,
    }
    assert_close(
        ops.layer_normalization(x, **arguments),
        keras().ops.layer_normalization(x, **arguments),
    )


def test_layer_normalization_and_its_gradient_are_those_of_torch():
    x = normal(6, 5, 7, dtype="float64")
    gamma, beta = normal(2, 7, seed=1, dtype="float64")
    leaves = [torch().tensor(v, requires_grad=True) for v in (x, gamma, beta)]
    theirs = torch().nn.functional.layer_norm(leaves[0], (7,), *leaves[1:], eps=1e-3)
    (theirs**3).sum().backward()
    ours = ops.layer_normalization(x, gamma, beta, epsilon=1e-3)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
    dxs = gradients(
        lambda *a: ops.sum(ops.layer_normalization(*a, epsilon=1e-3) ** 3),
        [x, gamma, beta],
    )
    for dx, leaf in zip(dxs, leaves, strict=True):
        np.testing.assert_allclose(dx, leaf.grad.numpy(), rtol=1e-9, atol=1e-10)


def test_the_epsilon_and_type_of_layer_normalization_are_those_of_keras():
    for x in (
        normal(3, 4) * 1e-4,
        normal(3, 4, dtype="float16"),
        np.arange(6, dtype="int32").reshape(2, 3),
    ):
        assert_close(
            ops.layer_normalization(x), keras().ops.layer_normalization(x), rtol=1e-3
        )


def test_scales_of_their_own_for_every_sample():
    x, gamma = normal(3, 4, 5), normal(3, 1, 5, seed=1)
    assert_close(
        ops.layer_normalization(x, gamma, gamma),
        keras().ops.layer_normalization(x, gamma, gamma),
    )


@settings(deadline=None, max_examples=15)
@given(case=arrays(), order=st.integers(1, 3), many=st.booleans())
def test_normalize_is_that_of_keras(case, order, many):
    x, axes = case
    axis = tuple(axes[:2]) if many and order == 2 else axes[0]
    assert_close(ops.normalize(x, axis, order), keras().ops.normalize(x, axis, order))


def test_normalize_keeps_nothing_as_nothing_and_refuses_other_orders():
    np.testing.assert_array_equal(ops.normalize(np.zeros(3, "float32")), np.zeros(3))
    with pytest.raises(ValueError, match="order"):
        ops.normalize(normal(3), order=0)


@settings(deadline=None, max_examples=15)
@given(case=arrays(), scaled=st.booleans())
def test_rms_normalization_is_that_of_keras(case, scaled):
    x, axes = case
    scale = normal(*x.shape[-1:], seed=1) if scaled else None
    assert_close(
        ops.rms_normalization(x, scale, axes),
        keras().ops.rms_normalization(x, scale, axes),
    )


def test_neither_a_large_mean_nor_a_large_batch_spoils_the_variance():
    x = (1e4 + np.random.default_rng(0).normal(size=(40, 50, 50, 3))).astype("float32")
    _, mean, variance = ops.batch_normalization_in_training(x, -1)
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean((0, 1, 2)), rtol=1e-7)
    np.testing.assert_allclose(variance, exact.var((0, 1, 2)), rtol=1e-5)


def test_a_first_block_unlike_the_rest_does_not_spoil_the_variance():
    x = np.random.default_rng(0).normal(size=(100_000, 2)).astype("float32")
    x[:70_000] = 1000.0
    _, mean, variance = ops.batch_normalization_in_training(x, -1)
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, exact.var(0), rtol=1e-5)


def test_a_constant_channel_becomes_the_offset():
    x = np.full((7, 5, 3), 0.1, "float32")
    y, _, variance = ops.batch_normalization_in_training(
        x, -1, offset=np.float32([1, 2, 3])
    )
    np.testing.assert_allclose(variance, 0.0, atol=1e-12)
    np.testing.assert_allclose(
        y, np.broadcast_to(np.float32([1, 2, 3]), x.shape), atol=1e-5
    )


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 1000])
def test_any_number_of_rows_is_normalised(rows):
    x = normal(rows, 3)
    y, mean, variance = ops.batch_normalization_in_training(x, -1)
    assert y.shape == x.shape
    if rows == 0:
        assert np.isnan(mean).all()
        assert np.isnan(variance).all()
    else:
        np.testing.assert_allclose(mean, x.mean(0), rtol=1e-5)
        np.testing.assert_allclose(variance, x.var(0), rtol=1e-4, atol=1e-6)
    assert ops.layer_normalization(x).shape == x.shape


def test_what_the_statistics_are_used_for_has_a_gradient():
    x, d = normal(2, 5, 4, dtype="float64")

    def loss(x):
        y, mean, variance = ops.batch_normalization_in_training(x, -1)
        return ops.sum(y * mean + variance**2) + ops.sum(mean**3)

    numeric = (loss(x + 1e-6 * d) - loss(x - 1e-6 * d)) / 2e-6
    assert np.sum(gradients(loss, x) * d) == pytest.approx(numeric, rel=1e-6)


def test_a_penalty_on_the_gradient_of_a_normalised_network_has_a_gradient():
    x, d, w = normal(3, 6, 4, dtype="float64")

    for normalise in (
        lambda x: ops.batch_normalization_in_training(x, -1)[0],
        ops.layer_normalization,
    ):

        def penalty(x, normalise=normalise):
            dx = gradients(lambda x: ops.sum(normalise(x) ** 3 * w), x)
            return ops.sum(dx**2)

        numeric = (penalty(x + 1e-6 * d) - penalty(x - 1e-6 * d)) / 2e-6
        assert np.sum(gradients(penalty, x) * d) == pytest.approx(numeric, rel=1e-6)


@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_a_plan_normalises_as_eager_does_and_allocates_nothing(kind):
    x, w = normal(2, 64, 30, 31, 8)
    ones, zeros = np.ones(8, "float32"), np.zeros(8, "float32")

    def slope(x):
        def loss(x):
            if kind == "batch":
                y = ops.batch_normalization_in_training(x, -1, zeros, ones)[0]
            else:
                y = ops.layer_normalization(x, ones, zeros)
            return ops.sum(y * w)

        return gradients(loss, x)

    step, wanted = Function(slope), slope(x)
    for _ in range(3):
        np.testing.assert_array_equal(step(x), wanted)
    tracemalloc.start()
    dx = step(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < dx.nbytes + 500_000, "only the result itself is new"


def test_batch_normalization_says_which_vector_does_not_fit():
    x, vector = normal(2, 3), np.ones(3)
    with pytest.raises(
        ValueError, match=r"3 channels \(axis 1\).*variance.*received \(2,\)"
    ):
        ops.batch_normalization(x, vector, np.ones(2), 1)


def test_layer_normalization_knows_its_arguments():
    with pytest.raises(TypeError, match="'rms'"):
        ops.layer_normalization(normal(2, 3), rms=True)
