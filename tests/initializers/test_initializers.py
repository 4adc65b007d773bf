"""Every initializer is Keras's, up to the stream of random numbers."""

from __future__ import annotations

import inspect
import random as python_random

import numpy as np
import pytest

from deepneuron import initializers
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, ShapeError, UnknownNameError
from deepneuron.initializers.variance_scaling import compute_fans
from deepneuron.ops.random import SeedGenerator
from tests.peers import keras

PRESETS = {  # (scale, mode, distribution)
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "truncated_normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "truncated_normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "truncated_normal"),
}
RANDOM = [*PRESETS, "VarianceScaling", "RandomNormal", "RandomUniform"]
RANDOM += ["TruncatedNormal", "Orthogonal"]
CLASSES = [*RANDOM, "Zeros", "Ones", "Constant", "Identity"]
LEFT_OUT = {"STFT", "stft", "STFTInitializer"}  # there are no spectrograms here
# What Keras knows by name only.
ALIASES = ["normal", "uniform", "zero", "one"]
ALIASES += ["IdentityInitializer", "OrthogonalInitializer"]


def test_the_names_are_those_of_keras():
    theirs = {n for n in dir(keras().initializers) if not n.startswith("_")}
    assert set(initializers.__all__) == theirs - LEFT_OUT


@pytest.mark.parametrize("name", [*CLASSES, "Initializer"])
def test_signature(name):
    ours = inspect.signature(getattr(initializers, name)).parameters
    theirs = inspect.signature(getattr(keras().initializers, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("seed", [None, 7])
def test_configuration_goes_both_ways(name, seed):
    kwargs = {"seed": seed} if name in RANDOM else {}
    ours = getattr(initializers, name)(**kwargs)
    theirs = getattr(keras().initializers, name)(**kwargs)
    expected = theirs.get_config()
    if name == "Identity":  # Keras forgets it
        expected = {"gain": 1.0}
    assert ours.get_config() == expected
    assert initializers.serialize(ours)["class_name"] == name
    again = initializers.deserialize(initializers.serialize(ours))
    assert again.get_config() == expected
    back = keras().initializers.deserialize(initializers.serialize(ours))
    assert back.get_config() == theirs.get_config()
    read = initializers.deserialize(keras().initializers.serialize(theirs))
    assert type(read) is type(ours)


@pytest.mark.parametrize("dtype", ["float32", "float64", None])
@pytest.mark.parametrize("name", CLASSES)
def test_shape_and_type(name, dtype):
    w = getattr(initializers, name)()((3, 4), dtype=dtype)
    assert isinstance(w, np.ndarray)
    assert (w.shape, w.dtype) == ((3, 4), dtype or "float32")


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("Zeros", {}),
        ("Ones", {}),
        ("Constant", {"value": 1.5}),
        ("Constant", {"value": [1.0, 2.0]}),
        ("Identity", {}),
        ("Identity", {"gain": 2.0}),
    ],
)
def test_known_values(name, kwargs):
    ours = getattr(initializers, name)(**kwargs)((3, 2))
    theirs = np.asarray(getattr(keras().initializers, name)(**kwargs)((3, 2)))
    np.testing.assert_array_equal(ours, theirs)


SHAPES = [(), (5,), (784, 10), (3, 3, 16, 32), (3, 4, 5, 6, 7)]


@pytest.mark.parametrize("shape", SHAPES)
def test_fans(shape):
    from keras.src.initializers.random_initializers import compute_fans as theirs

    assert compute_fans(shape) == theirs(shape)
    if len(shape) == 4:
        axes = (0, 1, 3), (2,)
        assert compute_fans(shape, *axes) == theirs(shape, *axes) == (288, 16)


def moments_match(w, mean, stddev):
    """Mean and spread are within five of their standard errors."""
    n = w.size
    assert abs(w.mean(dtype="float64") - mean) < 5 * stddev / np.sqrt(n)
    assert abs(w.std(dtype="float64") - stddev) < 5 * stddev / np.sqrt(n)


@pytest.mark.parametrize("shape", [(200, 300), (3, 3, 60, 110)])
@pytest.mark.parametrize("name", PRESETS)
def test_moments_and_bounds_of_the_presets(name, shape):
    scale, mode, distribution = PRESETS[name]
    fan_in, fan_out = compute_fans(shape)
    fan = {"fan_in": fan_in, "fan_avg": (fan_in + fan_out) / 2}[mode]
    stddev = np.sqrt(scale / fan)
    w = getattr(initializers, name)(seed=1)(shape)
    moments_match(w, 0.0, stddev)
    bound = np.sqrt(3) * stddev if distribution == "uniform" else 2 * stddev / 0.8796256
    assert 0.99 * bound < np.abs(w).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize(
    "distribution", ["normal", "truncated_normal", "untruncated_normal", "uniform"]
)
def test_moments_of_variance_scaling(mode, distribution):
    w = initializers.VarianceScaling(3.0, mode, distribution, seed=2)((200, 300))
    fan = {"fan_in": 200, "fan_out": 300, "fan_avg": 250}[mode]
    moments_match(w, 0.0, np.sqrt(3.0 / fan))


def test_moments_of_plain_distributions():
    shape = (300, 200)
    moments_match(initializers.RandomNormal(1.0, 0.5, seed=3)(shape), 1.0, 0.5)
    w = initializers.RandomUniform(-1.0, 3.0, seed=3)(shape)
    moments_match(w, 1.0, 4 / np.sqrt(12))
    assert w.min() >= -1.0
    assert w.max() < 3.0
    w = initializers.TruncatedNormal(1.0, 0.5, seed=3)(shape)
    moments_match(w, 1.0, 0.5 * 0.8796256)
    assert np.abs(w - 1.0).max() <= 1.0 + 1e-6


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4)])
def test_orthogonal(shape):
    w = initializers.Orthogonal(gain=2.0, seed=4)(shape).reshape(-1, shape[-1])
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_gives_the_same_values_at_every_call(name):
    cls = getattr(initializers, name)
    w = cls(seed=5)((4, 4))
    np.testing.assert_array_equal(cls(seed=5)((4, 4)), w)
    initializer = cls(seed=5)
    np.testing.assert_array_equal(initializer((4, 4)), w)
    np.testing.assert_array_equal(initializer((4, 4)), w)
    assert (cls(seed=6)((4, 4)) != w).any()


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_generator_gives_new_values_at_every_call(name):
    initializer = getattr(initializers, name)(seed=SeedGenerator(5))
    w = initializer((4, 4))
    assert (initializer((4, 4)) != w).any()
    again = getattr(initializers, name)(seed=SeedGenerator(5))
    np.testing.assert_array_equal(again((4, 4)), w)


def test_without_a_seed_pythons_random_decides():
    python_random.seed(0)
    w = initializers.GlorotUniform()((4, 4))
    other = initializers.GlorotUniform()((4, 4))
    python_random.seed(0)
    np.testing.assert_array_equal(initializers.GlorotUniform()((4, 4)), w)
    assert (other != w).any()


def test_a_seed_generator_goes_both_ways():
    ours = initializers.GlorotUniform(seed=SeedGenerator(3))
    again = initializers.deserialize(initializers.serialize(ours))
    np.testing.assert_array_equal(again((2, 2)), ours((2, 2)))
    theirs = keras().initializers.GlorotUniform(seed=keras().random.SeedGenerator(3))
    read = initializers.deserialize(keras().initializers.serialize(theirs))
    assert isinstance(read.seed, SeedGenerator)


def test_clone_of_a_seeded_initializer_is_equal():
    initializer = initializers.HeNormal(seed=1)
    np.testing.assert_array_equal(initializer.clone()((3, 3)), initializer((3, 3)))


@pytest.mark.parametrize("name", CLASSES)
def test_get_by_name(name):
    snake = {"Zeros": "zeros", "Ones": "ones"}.get(name)
    snake = snake or "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]
    assert type(initializers.get(name)).__name__ == name
    assert type(initializers.get(snake)).__name__ == name
    assert getattr(initializers, snake) is getattr(initializers, name)


@pytest.mark.parametrize("name", ALIASES)
def test_get_by_short_name(name):
    theirs = type(keras().initializers.get(name)).__name__
    assert type(initializers.get(name)).__name__ == theirs


def test_get_takes_functions_and_arrays():
    def halves(shape, dtype=None):
        return np.full(shape, 0.5, dtype)

    assert initializers.get(halves) is halves
    assert initializers.get(None) is None
    values = np.array([[1.0, 2.0]])
    assert (Variable(initializers.get(values), shape=(1, 2)).numpy() == values).all()
    with pytest.raises(ShapeError, match=r"\(1, 2\).*\(2, 1\)"):
        initializers.get(values)((2, 1))


def test_an_initializer_of_ones_own():
    class Ramp(initializers.Initializer):
        def __init__(self, slope=1.0):
            self.slope = slope

        def __call__(self, shape, dtype=None):
            return self.slope * np.arange(np.prod(shape), dtype=dtype).reshape(shape)

        def get_config(self):
            return {"slope": self.slope}

    data = initializers.serialize(Ramp(2.0))
    again = initializers.deserialize(data, custom_objects={"Ramp": Ramp})
    np.testing.assert_array_equal(again((3,), "float32"), [0, 2, 4])


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: initializers.get("glorot_unifrom"), UnknownNameError, "glorot_unif"),
        (lambda: initializers.get(3), UnknownNameError, "3"),
        (lambda: initializers.VarianceScaling(0.0), ArgumentError, "positive"),
        (lambda: initializers.VarianceScaling(mode="fan"), ArgumentError, "'fan'"),
        (
            lambda: initializers.VarianceScaling(distribution="beta"),
            ArgumentError,
            "'beta'",
        ),
        (lambda: initializers.HeNormal(seed="1"), ArgumentError, "seed"),
        (lambda: initializers.Identity()((2,)), ShapeError, r"\(2,\)"),
        (lambda: initializers.Orthogonal()((2,)), ShapeError, r"\(2,\)"),
        (lambda: initializers.Initializer()((2,)), NotImplementedError, "__call__"),
    ],
)
def test_what_is_refused(make, error, word):
    with pytest.raises(error, match=word):
        make()
