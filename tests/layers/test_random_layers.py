"""Dropout, GaussianNoise, RandomFlip, RandomRotation: their distributions, and the
exact result for a given choice."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops
from deepneuron.engine.capture import Function
from deepneuron.engine.gradients import value_and_grad
from deepneuron.layers.layer import training_scope
from tests.peers import keras

IMAGES = np.random.default_rng(0).uniform(size=(4, 5, 6, 3)).astype("float32")
ONES = np.ones((200, 300), "float32")


# --- Dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_rate_and_keeps_the_mean(rate):
    y = layers.Dropout(rate, seed=1)(ONES, training=True)
    assert abs((y == 0).mean() - rate) < 0.01
    assert abs(y.mean() - 1) < 0.03
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


def test_dropout_rests_outside_of_training():
    layer = layers.Dropout(0.5)
    np.testing.assert_array_equal(layer(ONES), ONES)
    np.testing.assert_array_equal(layer(ONES, training=False), ONES)


def test_dropout_of_everything_is_zero():
    assert not layers.Dropout(1.0)(ONES, training=True).any()


def test_dropout_drops_anew_every_time_and_the_same_by_seed():
    layer, twin = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
    first, second = layer(ONES, training=True), layer(ONES, training=True)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(twin(ONES, training=True), first)
    np.testing.assert_array_equal(twin(ONES, training=True), second)


def test_dropout_has_the_same_mask_in_the_gradient():
    layer = layers.Dropout(0.5, seed=3)
    twin = layers.Dropout(0.5, seed=3)
    y = twin(ONES, training=True)
    _, dx = value_and_grad(lambda x: ops.sum(layer(x, training=True)), ONES)
    np.testing.assert_array_equal(dx, y)  # x is 1, so y is the mask, and so is dx


def test_planned_dropout_draws_anew_in_every_run_as_eager_does():
    layer, twin = layers.Dropout(0.5, seed=3), layers.Dropout(0.5, seed=3)
    with training_scope(True):
        run = Function(layer)
        for _ in range(3):
            np.testing.assert_array_equal(run(ONES), twin(ONES))


def test_planned_dropout_has_the_same_mask_in_the_gradient():
    layer = layers.Dropout(0.5, seed=3)
    w = dn.Variable(np.ones((200, 300), "float32"))

    def step(x):
        with training_scope(True):
            y = layer(x * w)
        return y, dn.gradients(ops.sum(y), w)

    run = Function(step)
    for _ in range(2):
        y, dw = run(ONES)
        np.testing.assert_array_equal(y, dw)


def test_noise_shape_drops_whole_columns():
    y = layers.Dropout(0.5, noise_shape=(1, None))(ONES, training=True)
    assert set(np.unique((y == 0).mean(0))) == {0.0, 1.0}


def test_dropout_says_what_rate_may_be():
    with pytest.raises(ValueError, match=r"rate is from 0 to 1; received 1\.5"):
        layers.Dropout(1.5)
    with pytest.raises(ValueError, match="noise_shape"):
        layers.Dropout(0.5, noise_shape=(0, 2))


def test_the_seed_is_a_variable_but_no_weight():
    layer = layers.Dropout(0.5)
    layer(ONES)
    assert layer.weights == []
    assert len(layer.variables) == 1


# --- GaussianNoise


def test_gaussian_noise_has_its_deviation():
    layer = layers.GaussianNoise(0.3, seed=1)
    noise = layer(ONES, training=True) - ONES
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 0.3) < 0.01
    np.testing.assert_array_equal(layer(ONES), ONES)


# --- RandomFlip


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_flips_are_those_of_keras_for_the_same_choice(mode, data_format):
    flips = np.array([True, False, True, False]).reshape(4, 1, 1, 1)
    choice = {"flips": flips, "input_shape": IMAGES.shape}
    ours = layers.RandomFlip(mode, data_format=data_format)
    theirs = keras().layers.RandomFlip(mode, data_format=data_format)
    np.testing.assert_array_equal(
        ours.transform_images(IMAGES, choice), theirs.transform_images(IMAGES, choice)
    )


def test_half_of_the_pictures_are_flipped():
    x = np.tile(np.arange(3.0, dtype="float32").reshape(1, 1, 3, 1), (2000, 1, 1, 1))
    y = layers.RandomFlip("horizontal", seed=1)(x, training=True)
    flipped = (y[:, 0, 0, 0] == 2).mean()
    assert abs(flipped - 0.5) < 0.05
    assert set(y[:, 0, 0, 0]) == {0.0, 2.0}


def test_a_single_picture_is_flipped_or_not():
    layer = layers.RandomFlip("horizontal", seed=1)
    seen = {bool((layer(IMAGES[0]) == IMAGES[0]).all()) for _ in range(20)}
    assert seen == {True, False}


def test_flip_rests_outside_of_training_and_makes_floats():
    pixels = np.arange(24, dtype="uint8").reshape(1, 4, 6, 1)
    y = layers.RandomFlip()(pixels, training=False)
    assert y.dtype == "float32"
    np.testing.assert_array_equal(y, pixels)


# --- RandomRotation


@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_rotations_are_those_of_keras_for_the_same_angle(
    fill_mode, interpolation, data_format
):
    arguments = {
        "factor": 0.3,
        "fill_mode": fill_mode,
        "interpolation": interpolation,
        "fill_value": 0.25,
        "data_format": data_format,
    }
    ours = layers.RandomRotation(**arguments, seed=2)
    theirs = keras().layers.RandomRotation(**arguments)
    choice = ours.get_random_transformation(IMAGES)
    height, width = (5, 6) if data_format == "channels_last" else (6, 3)
    expected = theirs._compute_affine_matrix(
        0.5,
        0.5,
        choice["angle"],
        *[np.zeros(4)] * 2,
        np.ones(4),
        *[np.zeros(4)] * 2,
        height,
        width,
    )
    np.testing.assert_allclose(choice["rotation_matrix"], expected, atol=1e-5)
    np.testing.assert_allclose(
        ours.transform_images(IMAGES, choice),
        theirs.transform_images(IMAGES, choice),
        atol=1e-4,
    )


def test_angles_are_uniform_between_the_bounds():
    layer = layers.RandomRotation((-0.1, 0.3), seed=1)
    angle = layer.get_random_transformation(np.zeros((4000, 2, 2, 1)))["angle"]
    assert -36 <= angle.min() < -35
    assert 107 < angle.max() <= 108
    assert abs(angle.mean() - 36) < 2


def test_a_quarter_turn_is_exact():
    layer = layers.RandomRotation((0.25, 0.25), fill_mode="constant")
    x = np.arange(9, dtype="float32").reshape(1, 3, 3, 1)
    y = layer(x, training=True)[0, :, :, 0]
    np.testing.assert_allclose(y, np.rot90(x[0, :, :, 0]), atol=1e-4)


def test_rotation_works_on_one_picture_and_rests_outside_of_training():
    layer = layers.RandomRotation(0.2)
    assert layer(IMAGES[0], training=True).shape == IMAGES[0].shape
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)


def test_rotation_says_what_factor_may_be():
    for factor in (1.5, "much", (0.1, 0.2, 0.3)):
        with pytest.raises(ValueError, match="factor"):
            layers.RandomRotation(factor)


@pytest.mark.parametrize(
    "make", [layers.RandomFlip, lambda: layers.RandomRotation(0.2)]
)
def test_augmentation_is_planned_and_symbolic(make):
    layer = make()
    assert layer(dn.Input((5, 6, 3)), training=True).shape == (None, 5, 6, 3)
    with training_scope(True):
        run = Function(layer)
        first, second = run(IMAGES), run(IMAGES)
    assert first.shape == IMAGES.shape
    assert not np.array_equal(first, second) or isinstance(layer, layers.RandomFlip)
