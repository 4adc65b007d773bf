"""Layers on inputs of which some sizes are unknown while the model is built."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers
from deepneuron.errors import ShapeError


@pytest.mark.parametrize("shape", [(17, 2), (28, 28, 1), (64, 64, 3), (4, 19, 8, 5)])
def test_dense_reads_inputs_with_any_sizes_in_between(shape):
    x = dn.Input(shape)
    model = dn.Model(x, layers.Dense(4)(x))
    assert model.output_shape == (None, *shape[:-1], 4)
    values = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    kernel, _ = model.get_weights()
    np.testing.assert_allclose(
        model.predict(values, verbose=0), values @ kernel, rtol=1e-4, atol=1e-5
    )


def test_a_convolutional_network_takes_pictures_of_any_size():
    x = dn.Input((None, None, 2))
    y = layers.Conv2D(4, 3, padding="same", activation="swish")(x)
    y = layers.Conv2D(3, 3, strides=2)(y)
    y = layers.Dense(5, activation="elu")(y)
    model = dn.Model(x, y)
    assert model.output_shape == (None, None, None, 5)
    assert model.predict(np.ones((1, 9, 7, 2)), verbose=0).shape == (1, 4, 3, 5)
    assert model.predict(np.ones((2, 5, 5, 2)), verbose=0).shape == (2, 2, 2, 5)


def test_layers_join_a_known_size_to_an_unknown_one():
    a, b = dn.Input((None, None, 2)), dn.Input((3, 2, 2))
    model = dn.Model([a, b], layers.Add()([a, b]))
    ones = np.ones((1, 3, 2, 2), "float32")
    np.testing.assert_array_equal(model.predict([ones, ones], verbose=0), 2 * ones)


def test_prelu_refuses_to_share_an_axis_that_is_not_there():
    with pytest.raises(ShapeError, match="shared_axes"):
        layers.PReLU(shared_axes=[1, 2])(dn.Input((5,)))


def test_pictures_of_any_size_with_many_channels_are_cut():
    x = dn.Input((None, None, 64))
    cut = layers.Cropping2D(((1, 0), (0, 2)))(x)
    halves = layers.Lambda(lambda y: y[:, 0, ..., None, ::2])(cut)
    model = dn.Model(x, [cut, halves])
    assert model.output_shape == [(None, None, None, 64), (None, None, 1, 32)]
    y, half = model.predict(np.ones((2, 4, 5, 64), "float32"), verbose=0)
    assert (y.shape, half.shape) == ((2, 3, 3, 64), (2, 3, 1, 32))
