"""Random numbers: that the same key gives the same bits wherever it is drawn, and that
they are distributed as they should be, and as those of Keras."""

from __future__ import annotations

import inspect
import math
import random as python_random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops, random
from deepneuron.engine.capture import Function
from deepneuron.engine.gradients import value_and_grad
from deepneuron.errors import ArgumentError, DTypeError, ShapeError
from deepneuron.ops.random import dropout_mask, random_shuffle, set_global_seed
from tests.peers import keras

N = 200_000
DRAWS = {
    "normal": lambda seed, shape=(64, 33): random.normal(shape, seed=seed),
    "uniform": lambda seed, shape=(64, 33): random.uniform(shape, -1, 3, seed=seed),
    "truncated_normal": lambda seed, shape=(64, 33): random.truncated_normal(
        shape, seed=seed
    ),
    "randint": lambda seed, shape=(64, 33): random.randint(shape, -3, 9, seed=seed),
    "gamma": lambda seed, shape=(64, 33): random.gamma(shape, 0.7, seed=seed),
    "beta": lambda seed, shape=(64, 33): random.beta(shape, 0.7, 2.0, seed=seed),
    "binomial": lambda seed, shape=(64, 33): random.binomial(shape, 50, 0.3, seed=seed),
    "categorical": lambda seed, shape=(64, 33): random.categorical(
        np.zeros((shape[0], 5)), shape[1], seed=seed
    ),
    "dropout": lambda seed, shape=(64, 33): random.dropout(
        np.ones(shape, "float32"), 0.4, seed=seed
    ),
    "shuffle": lambda seed, shape=(64, 33): random.shuffle(
        np.arange(math.prod(shape)).reshape(shape), seed=seed
    ),
}


def distance(x, cdf):
    """Kolmogorov and Smirnov: how far the sample's distribution is from cdf, times
    sqrt(n); beyond 2 once in a thousand."""
    x = np.sort(np.asarray(x, float).ravel())
    steps = np.arange(x.size + 1) / x.size
    at = cdf(x)
    return max(np.abs(at - steps[1:]).max(), np.abs(at - steps[:-1]).max()) * math.sqrt(
        x.size
    )


def distance_between(x, y):
    """The same for two samples."""
    x, y = np.sort(np.ravel(x)), np.sort(np.ravel(y))
    both = np.concatenate([x, y])
    gap = np.abs(
        np.searchsorted(x, both, side="right") / x.size
        - np.searchsorted(y, both, side="right") / y.size
    ).max()
    return gap * math.sqrt(x.size * y.size / (x.size + y.size))


def normal_cdf(x):
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


# --- names


@pytest.mark.parametrize("name", sorted(set(random.__all__) - {"SeedGenerator"}))
def test_random_signatures_are_those_of_keras(name):
    ours = inspect.signature(getattr(random, name)).parameters.values()
    theirs = inspect.signature(getattr(keras().random, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


def test_random_has_every_name_of_keras_random():
    assert set(random.__all__) == {n for n in dir(keras().random) if n[0] != "_"}


# --- the same bits


@pytest.mark.parametrize("name", sorted(DRAWS))
def test_an_int_draws_the_same_and_a_generator_goes_on(name):
    draw = DRAWS[name]
    np.testing.assert_array_equal(draw(5), draw(5))
    assert not np.array_equal(draw(5), draw(6))
    generator = random.SeedGenerator(5)
    first, second = draw(generator), draw(generator)
    np.testing.assert_array_equal(first, draw(5))
    assert not np.array_equal(first, second)
    set_global_seed(5)
    np.testing.assert_array_equal(draw(None), first)
    np.testing.assert_array_equal(draw(None), second)


@pytest.mark.parametrize("name", sorted(DRAWS))
def test_a_plan_draws_the_bits_that_eager_draws(name):
    draw = DRAWS[name]
    planned, eager = random.SeedGenerator(5), random.SeedGenerator(5)
    run = Function(lambda x: (draw(planned), x, draw(planned)))
    for _ in range(3):
        first, _, second = run(np.zeros(1, "float32"))
        np.testing.assert_array_equal(first, draw(eager))
        np.testing.assert_array_equal(second, draw(eager))
    np.testing.assert_array_equal(planned.state.numpy(), [5, 6])


@pytest.mark.parametrize("name", sorted(DRAWS))
def test_recording_draws_the_bits_that_eager_draws(name):
    with dn.recording():
        recorded = [np.asarray(DRAWS[name](g)) for g in [random.SeedGenerator(5)] * 2]
    eager = [DRAWS[name](g) for g in [random.SeedGenerator(5)] * 2]
    np.testing.assert_array_equal(recorded, eager)


def test_threads_in_any_order_draw_the_same():
    keys = [np.array([1, i], "uint32") for i in range(40)]
    x = np.ones((100, 100), "float32")

    def draw(key):
        return dropout_mask(key, x, rate=0.5)

    expected = [draw(key) for key in keys]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(draw, reversed(keys)))
    for a, b in zip(reversed(found), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_bits_are_those_of_philox_for_ever():
    # Written down once: a change here breaks everyone's seeds.
    np.testing.assert_array_equal(
        random.randint((4,), 0, 1000, seed=1), np.array([887, 255, 738, 666], "int32")
    )
    np.testing.assert_array_equal(
        random.uniform((3,), seed=1),
        np.array([0.45853436, 0.303568, 0.7294625], "float32"),
    )
    np.testing.assert_array_equal(
        random.dropout(np.ones(12, "float32"), 0.5, seed=1) > 0,
        np.array([0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0], bool),
    )


def test_neighbouring_seeds_and_counters_are_unrelated():
    draws = [
        random.normal((N,), seed=1),
        random.normal((N,), seed=2),
        dn.ops.random_normal(np.array([1, 1], "uint32"), shape=(N,)),
    ]
    correlation = np.corrcoef(draws) - np.eye(3)
    assert np.abs(correlation).max() < 5 / math.sqrt(N)


# --- distributions


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_is_uniform(dtype):
    y = random.uniform((N,), dtype=dtype, seed=3)
    assert y.dtype == dtype
    assert y.min() >= 0
    assert y.max() < 1
    if dtype != "float16":
        assert distance(y, lambda x: x) < 2


@given(
    low=st.floats(-1e3, 1e3, width=32),
    width=st.floats(2**-10, 1e3, width=32),
    seed=st.integers(0, 2**32 - 1),
)
def test_uniform_stays_within_its_bounds(low, width, seed):
    high = low + width
    y = random.uniform((500,), low, high, seed=seed)
    assert y.min() >= np.float32(low)
    assert y.max() < np.float32(high)


def test_uniform_never_rounds_up_to_its_end():
    # Between 2^23 and 2^23 + 1 a float32 has no other value.
    y = random.uniform((1000,), 2.0**23, 2.0**23 + 1, seed=1)
    assert set(y) == {2.0**23}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_is_normal_up_to_its_tails(dtype):
    z = random.normal((N,), dtype=dtype, seed=3)
    assert distance(z, normal_cdf) < 2
    moments = [np.mean(z.astype(float) ** k) for k in range(1, 7)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3, 0, 15], atol=0.75)
    np.testing.assert_allclose(moments[:4], [0, 1, 0, 3], atol=0.05)
    z = random.normal((20 * N,), dtype=dtype, seed=4)
    for limit in (3.0, 4.0, 4.5):
        expected = math.erfc(limit / math.sqrt(2)) * z.size
        assert abs((np.abs(z) > limit).sum() - expected) < 4 * math.sqrt(expected)


def test_normal_has_no_relation_between_neighbours():
    z = random.normal((4096 * 8,), seed=1)
    for lag in (1, 2, 2048, 4096):
        assert abs(np.mean(z[:-lag] * z[lag:])) < 4 / math.sqrt(z.size)
        assert abs(np.mean(z[:-lag] ** 2 * z[lag:] ** 2) - 1) < 0.1


def test_normal_takes_its_place_and_width():
    z = random.normal((N,), mean=5.0, stddev=2.0, seed=3)
    np.testing.assert_allclose(z, random.normal((N,), seed=3) * 2 + 5, atol=1e-6)
    rows = random.normal((3, N), mean=np.array([[0.0], [1.0], [2.0]]), seed=3)
    np.testing.assert_allclose(rows.mean(1), [0, 1, 2], atol=0.02)


def test_truncated_normal_is_the_middle_of_a_normal():
    z = random.truncated_normal((N,), seed=3)
    assert np.abs(z).max() <= 2
    low, high = normal_cdf([-2.0, 2.0])
    assert distance(z, lambda x: (normal_cdf(x) - low) / (high - low)) < 2
    assert abs(z.std() - 0.8796) < 0.005


def test_randint_is_fair():
    y = random.randint((N,), -3, 9, seed=3)
    numbers, counts = np.unique(y, return_counts=True)
    np.testing.assert_array_equal(numbers, range(-3, 9))
    expected = N / 12
    assert ((counts - expected) ** 2 / expected).sum() < 35  # chi^2 of 11: p < 0.0003


def test_categorical_is_softmax():
    logits = np.array([[0.0, 1.0, 2.0], [3.0, -np.inf, 3.0]])
    y = random.categorical(logits, N, seed=3)
    assert y.shape == (2, N)
    assert y.dtype == "int32"
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    shares = [[(row == k).mean() for k in range(3)] for row in y]
    np.testing.assert_allclose(shares, p, atol=0.005)
    assert not (y[1] == 1).any()


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0, 3.0, 100.0])
def test_gamma_is_distributed_as_in_numpy(alpha):
    y = random.gamma((N,), alpha, dtype="float64", seed=3)
    theirs = np.random.default_rng(0).gamma(alpha, size=N)
    assert distance_between(y, theirs) < 2


@pytest.mark.parametrize(
    ("a", "b"), [(0.01, 0.02), (1.0, 1.0), (0.5, 3.0), (50.0, 20.0)]
)
def test_beta_is_distributed_as_in_numpy(a, b):
    y = random.beta((N,), a, b, dtype="float64", seed=3)
    theirs = np.random.default_rng(0).beta(a, b, size=N)
    assert distance_between(y, theirs) < 2


@pytest.mark.parametrize(
    ("counts", "p"),
    [(1, 0.3), (16, 0.5), (17, 0.1), (1000, 0.7), (10**6, 1e-3), (40, 1.0)],
)
def test_binomial_is_distributed_as_in_numpy(counts, p):
    y = random.binomial((N // 4,), counts, p, dtype="float64", seed=3)
    theirs = np.random.default_rng(0).binomial(counts, p, size=N // 4)
    assert distance_between(y, theirs) < 2


def test_parameters_are_broadcast():
    y = random.binomial((N // 4, 2), [10.0, 20.0], 0.5, seed=1)
    np.testing.assert_allclose(y.mean(0), [5, 10], atol=0.05)
    y = random.gamma((N, 2), np.array([1.0, 2.0]), seed=1)
    np.testing.assert_allclose(y.mean(0), [1, 2], atol=0.02)


@pytest.mark.parametrize(
    "name",
    ["normal", "uniform", "truncated_normal", "randint", "gamma", "beta", "binomial"],
)
def test_keras_draws_the_same_distribution(name):
    arguments = {
        "normal": (1.0, 2.0),
        "uniform": (-1.0, 2.0),
        "truncated_normal": (1.0, 2.0),
        "randint": (-2, 7),
        "gamma": (0.7,),
        "beta": (0.5, 2.0),
        "binomial": (30.0, 0.2),
    }[name]
    ours = getattr(random, name)((N // 4,), *arguments, seed=1)
    theirs = np.asarray(getattr(keras().random, name)((N // 4,), *arguments, seed=1))
    assert ours.dtype == theirs.dtype
    assert distance_between(ours, theirs) < 2


# --- dropout and shuffle


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.99, 1.0])
def test_dropout_drops_that_part_and_keeps_the_mean(rate):
    y = random.dropout(np.ones((N,), "float32"), rate, seed=2)
    assert abs((y == 0).mean() - rate) < 5 * math.sqrt(rate * (1 - rate) / N) + 1e-12
    if rate < 1:
        np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


def test_dropout_hands_the_gradient_through_its_mask():
    x = np.random.default_rng(0).normal(size=(40, 50)).astype("float32")
    y = random.dropout(x, 0.3, seed=9)
    _, dx = value_and_grad(lambda x: ops.sum(random.dropout(x, 0.3, seed=9)), x)
    np.testing.assert_allclose(dx * x, y, rtol=1e-6)


def test_noise_shape_spreads_the_mask():
    x = np.ones((30, 7, 20), "float32")
    y = random.dropout(x, 0.5, noise_shape=(None, 1, None), seed=1)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert 0 < (y[:, 0] == 0).mean() < 1
    y = random.dropout(x, 0.5, noise_shape=(7, 1), seed=1)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:1, :, :1], y.shape))
    with pytest.raises(ShapeError, match="more axes"):
        random.dropout(x, 0.5, noise_shape=(1, 1, 1, 1))


def test_dropout_of_an_unknown_batch_has_the_shape_of_x():
    x = dn.Input((7,))
    assert dropout_mask(np.array([1, 0], "uint32"), x, rate=0.5).shape == (None, 7)


@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    data=st.data(),
    seed=st.integers(0, 2**32 - 1),
)
def test_shuffle_keeps_every_slice_whole_and_can_be_undone(shape, data, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.arange(math.prod(shape)).reshape(shape)
    y = random.shuffle(x, axis=axis, seed=seed)

    def slices(a):
        return sorted(map(tuple, np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1)))

    assert slices(x) == slices(y)
    key = np.array([seed, 0], "uint32")
    np.testing.assert_array_equal(random_shuffle(key, y, axis=axis, back=True), x)


def test_every_order_is_equally_likely():
    generator = random.SeedGenerator(1)
    seen = [tuple(random.shuffle(np.arange(3), seed=generator)) for _ in range(3000)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert min(counts) > 400


# --- the seed generator


def test_seed_generator_has_the_state_of_keras():
    ours, theirs = random.SeedGenerator(42), keras().random.SeedGenerator(42)
    for _ in range(3):
        assert ours.state.dtype == theirs.state.dtype
        np.testing.assert_array_equal(ours.state.numpy(), np.asarray(theirs.state))
        np.testing.assert_array_equal(ours.next(), np.asarray(theirs.next()))
    assert ours.state.path.split("/")[1] == theirs.state.path.split("/")[1]
    assert not ours.state.trainable


def test_seed_generator_is_configured_as_in_keras():
    ours, theirs = (r.SeedGenerator(3, name="g") for r in (random, keras().random))
    assert ours.get_config() == theirs.get_config()
    twin = random.SeedGenerator.from_config(ours.get_config())
    np.testing.assert_array_equal(twin.next(), [3, 0])
    data = dn.saving.serialize_keras_object(ours)
    assert data == keras().saving.serialize_keras_object(theirs)
    assert dn.saving.deserialize_keras_object(data).get_config() == ours.get_config()


def test_a_seed_of_none_comes_from_python():
    python_random.seed(5)
    first = random.SeedGenerator().state.numpy()
    python_random.seed(5)
    np.testing.assert_array_equal(random.SeedGenerator().state.numpy(), first)


def test_a_stored_state_goes_on_with_the_same_numbers():
    generator = random.SeedGenerator(3)
    random.normal((2,), seed=generator)
    state = generator.state.numpy()
    expected = random.normal((2,), seed=generator)
    other = random.SeedGenerator(99)
    other.state.assign(state)
    np.testing.assert_array_equal(random.normal((2,), seed=other), expected)


# --- errors


@pytest.mark.parametrize("seed", [1.5, "one", True, [1, 2]])
def test_errors_say_what_a_seed_is(seed):
    with pytest.raises(ArgumentError, match="whole number or a SeedGenerator"):
        random.normal((2,), seed=seed)


def test_errors_of_draws_teach():
    with pytest.raises(DTypeError, match="normal draws float numbers"):
        random.normal((2,), dtype="int32")
    with pytest.raises(ArgumentError, match="minval must be the smaller"):
        random.randint((2,), 3, 3)
    with pytest.raises(ShapeError, match="batch, classes"):
        random.categorical(np.zeros(3), 2)
