"""Pictures: against real Keras on JAX, and gradients against finite differences."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function
from deepneuron.engine.gradients import value_and_grad
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.ops import image
from tests.peers import keras

RNG = np.random.default_rng(0)
PICTURES = RNG.uniform(size=(3, 6, 7, 3)).astype("float32")
TRANSFORMS = RNG.normal(size=(3, 8)).astype("float32")
TRANSFORMS[:, 6:] = 0
TRANSFORMS[:, [2, 5]] *= 5
FILL_MODES = ["constant", "nearest", "wrap", "mirror", "reflect"]
SIZES = [(6, 7), (12, 14), (3, 4), (9, 2), (1, 1)]


@pytest.mark.parametrize("name", image.__all__)
def test_image_signatures_are_those_of_keras(name):
    ours = inspect.signature(getattr(image, name)).parameters.values()
    theirs = inspect.signature(getattr(keras().ops.image, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


# --- affine_transform


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    ("dtype", "data_format"),
    [("float32", "channels_last"), ("uint8", "channels_first")],
)
def test_affine_transform_is_that_of_keras(
    fill_mode, interpolation, data_format, dtype
):
    x = PICTURES if dtype == "float32" else (PICTURES * 255).astype(dtype)
    arguments = {
        "interpolation": interpolation,
        "fill_mode": fill_mode,
        "fill_value": 2,
        "data_format": data_format,
    }
    ours = image.affine_transform(x, TRANSFORMS, **arguments)
    theirs = np.asarray(keras().ops.image.affine_transform(x, TRANSFORMS, **arguments))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, atol=1e-4 if dtype == "float32" else 1)


def test_affine_transform_of_one_picture():
    ours = image.affine_transform(PICTURES[0], TRANSFORMS[0])
    theirs = keras().ops.image.affine_transform(PICTURES[0], TRANSFORMS[0])
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_one_transform_serves_all_pictures():
    ours = image.affine_transform(PICTURES, TRANSFORMS[0])
    each = image.affine_transform(PICTURES, np.tile(TRANSFORMS[0], (3, 1)))
    np.testing.assert_array_equal(ours, each)


def test_many_pictures_are_transformed_as_each_alone():
    x = RNG.uniform(size=(20, 40, 50, 1))
    transforms = RNG.normal(size=(20, 8))
    together = image.affine_transform(x, transforms, fill_mode="reflect")
    for one, transform, y in zip(x, transforms, together, strict=True):
        alone = image.affine_transform(one, transform, fill_mode="reflect")
        np.testing.assert_array_equal(alone, y)


@given(
    rows=st.integers(-4, 4),
    columns=st.integers(-4, 4),
    mode=st.sampled_from(FILL_MODES),
)
def test_whole_shifts_are_those_of_numpy_pad(rows, columns, mode):
    x = np.arange(30.0).reshape(5, 6, 1)
    y = image.affine_transform(x, [1.0, 0, columns, 0, 1.0, rows, 0, 0], fill_mode=mode)
    pads = {"nearest": "edge", "mirror": "reflect", "reflect": "symmetric"}
    padded = np.pad(x, ((4, 4), (4, 4), (0, 0)), mode=pads.get(mode, mode))
    np.testing.assert_allclose(
        y, padded[4 + rows : 9 + rows, 4 + columns : 10 + columns]
    )


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_gradient_of_affine_transform_is_its_transpose(fill_mode, interpolation):
    x, dy = RNG.normal(size=(2, 3, 6, 7, 3))
    attrs = {"interpolation": interpolation, "fill_mode": fill_mode}

    def loss(x):
        return ops.sum(image.affine_transform(x, TRANSFORMS, **attrs) * dy)

    _, dx = value_and_grad(loss, x)
    step = RNG.normal(size=x.shape)  # it is linear in x, so the difference is exact
    np.testing.assert_allclose((dx * step).sum(), loss(x + step) - loss(x), rtol=1e-9)


def test_affine_transform_is_planned_and_symbolic():
    run = Function(image.affine_transform)
    for _ in range(2):
        np.testing.assert_array_equal(
            run(PICTURES, TRANSFORMS), image.affine_transform(PICTURES, TRANSFORMS)
        )
    assert image.affine_transform(dn.Input((6, 7, 3)), TRANSFORMS[0]).shape == (
        None,
        6,
        7,
        3,
    )


# --- resize


@pytest.mark.parametrize(
    "interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", SIZES[1:4])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_resize_is_that_of_keras(interpolation, antialias, size, dtype):
    x = PICTURES if dtype == "float32" else (PICTURES * 255).astype(dtype)
    arguments = {"interpolation": interpolation, "antialias": antialias}
    ours = image.resize(x, size, **arguments)
    theirs = np.asarray(keras().ops.image.resize(x, size, **arguments))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(
        ours, theirs, rtol=1e-4, atol=2e-5 if dtype == "float32" else 1
    )


@pytest.mark.parametrize("keep", ["crop_to_aspect_ratio", "pad_to_aspect_ratio"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("size", "alone"), list(zip(SIZES, [0, 1, 0, 1, 0], strict=True))
)
def test_resize_keeps_proportions_as_in_keras(keep, data_format, size, alone):
    x = PICTURES[0] if alone else PICTURES
    arguments = {keep: True, "data_format": data_format, "fill_value": 0.5}
    ours = image.resize(x, size, **arguments)
    theirs = keras().ops.image.resize(x, size, **arguments)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_gradient_of_resize_is_its_transpose(interpolation):
    x, dy = RNG.normal(size=(2, 4, 5, 2)), RNG.normal(size=(2, 7, 3, 2))

    def loss(x):
        return ops.sum(image.resize(x, (7, 3), interpolation) * dy)

    _, dx = value_and_grad(loss, x)
    step = RNG.normal(size=x.shape)
    np.testing.assert_allclose((dx * step).sum(), loss(x + step) - loss(x), rtol=1e-9)


def test_resize_is_planned_and_symbolic():
    run = Function(lambda x: image.resize(x, (4, 9)))
    np.testing.assert_allclose(run(PICTURES), image.resize(PICTURES, (4, 9)))
    for interpolation in ("nearest", "bilinear"):
        y = image.resize(dn.Input((6, 7, 3)), (4, 9), interpolation)
        assert y.shape == (None, 4, 9, 3)


# --- rgb_to_grayscale


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_grey_is_that_of_keras(data_format, dtype):
    x = RNG.uniform(size=(2, 3, 4, 3) if data_format[9] == "l" else (2, 3, 4, 5))
    x = x.astype(dtype)
    ours = image.rgb_to_grayscale(x, data_format)
    theirs = np.asarray(keras().ops.image.rgb_to_grayscale(x, data_format))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6 if dtype == "float32" else 2e-3)
    np.testing.assert_array_equal(image.rgb_to_grayscale(ours, data_format), ours)


# --- errors


def test_image_errors_say_what_may_be():
    with pytest.raises(ArgumentError, match="interpolation is one of bilinear"):
        image.affine_transform(PICTURES, TRANSFORMS, interpolation="cubic")
    with pytest.raises(ArgumentError, match="fill_mode is one of"):
        image.affine_transform(PICTURES, TRANSFORMS, fill_mode="black")
    with pytest.raises(ShapeError, match="transform has shape"):
        image.affine_transform(PICTURES, TRANSFORMS[:, :6])
    with pytest.raises(ShapeError, match="3 pictures and 2 transforms"):
        image.affine_transform(PICTURES, TRANSFORMS[:2])
    with pytest.raises(ShapeError, match="4 axes"):
        image.resize(PICTURES[0, 0], (2, 2))
    with pytest.raises(ArgumentError, match=r"\(height, width\)"):
        image.resize(PICTURES, 5)
    with pytest.raises(ArgumentError, match="only one of"):
        image.resize(
            PICTURES, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
        )
    with pytest.raises(ShapeError, match="3 channels"):
        image.rgb_to_grayscale(np.ones((2, 2, 2)))
    with pytest.raises(ArgumentError, match="data_format"):
        image.resize(PICTURES, (2, 2), data_format="first")
