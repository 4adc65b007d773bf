"""Functional, sequential and nested models: Keras's order, names and numbers."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops
from deepneuron.engine.nest import flatten, map_structure
from deepneuron.errors import ArgumentError, NotBuiltError, ShapeError, UnknownNameError
from tests.peers import keras

rng = np.random.default_rng(1)


def two_towers(k):
    a, b = k.layers.Input((4,), name="a"), k.layers.Input((4,), name="b")
    shared = k.layers.Dense(3, activation="tanh")
    left, right = shared(a), shared(b)
    joined = k.layers.Concatenate()([left, right, k.layers.Add()([left, right])])
    return k.Model(
        [a, b], [k.layers.Dense(2)(joined), k.layers.Average()([left, right])]
    )


def residual(k):
    x = k.layers.Input((8, 8, 3))
    y = k.layers.Conv2D(4, 3, padding="same")(x)
    z = k.layers.BatchNormalization()(y)
    z = k.layers.Conv2D(4, 1)(z)
    y = k.layers.Add()([z, y])
    return k.Model(x, k.layers.Dense(2)(k.layers.GlobalMaxPooling2D()(y)))


def nested(k):
    inner = k.Sequential([k.layers.Input((4,)), k.layers.Dense(3), k.layers.Dense(5)])
    x = k.layers.Input((4,))
    encoder = k.Model(x, k.layers.Dense(4, activation="relu")(inner(x)))
    y = k.layers.Input((4,))
    return k.Model(y, k.layers.Dense(2)(encoder(encoder(y))))


def dictionaries(k):
    x = {
        "left": k.layers.Input((4,), name="left"),
        "right": k.layers.Input((2,), name="right"),
    }
    y = k.layers.Concatenate()([x["left"], x["right"]])
    return k.Model(x, {"sum": k.layers.Dense(1, name="sum")(y), "raw": y})


MODELS = [two_towers, residual, nested, dictionaries]


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_as_in_keras(make):
    ours, theirs = make(dn), make(keras())
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert [type(v).__name__ for v in ours.layers] == [
        type(v).__name__ for v in theirs.layers
    ]
    ours.set_weights(theirs.get_weights())
    x = map_structure(
        lambda t: rng.normal(size=(5, *t.shape[1:])).astype("float32"), ours.input
    )
    for mine, real in zip(
        flatten(ours.predict(x, verbose=0))[0],
        flatten(theirs.predict(x, verbose=0))[0],
        strict=True,
    ):
        np.testing.assert_allclose(mine, real, rtol=1e-5, atol=1e-5)
    for mine, real in zip(
        flatten(ours(x))[0], flatten(ours.predict(x, verbose=0))[0], strict=True
    ):
        np.testing.assert_allclose(mine, real, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_a_model_comes_back_from_its_configuration(make):
    model = make(dn)
    twin = dn.models.model_from_json(model.to_json())
    assert [w.shape for w in twin.weights] == [w.shape for w in model.weights]
    assert twin.get_config() == model.get_config()


def test_a_part_of_a_model_is_a_model():
    model = residual(dn)
    features = dn.Model(model.input, model.layers[1].output)
    assert features.output_shape == (None, 8, 8, 4)
    x = rng.normal(size=(2, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(features(x), model.layers[1](x), rtol=1e-6)


def test_an_operation_between_layers():
    x = layers.Input((4,))
    model = dn.Model(x, layers.Dense(2)(ops.exp(x) * 0.5 + 1.0))
    value = rng.normal(size=(3, 4)).astype("float32")
    expected = model.layers[-1](np.exp(value) * 0.5 + 1.0)
    np.testing.assert_allclose(
        model.predict(value, verbose=0), expected, rtol=1e-5, atol=1e-6
    )


def test_a_sequential_is_built_by_its_first_data():
    model = dn.Sequential([layers.Dense(3, activation="relu"), layers.Dense(1)])
    with pytest.raises(NotBuiltError):
        model.count_params()
    assert model(np.ones((2, 5), "float32")).shape == (2, 1)
    assert model.count_params() == 22
    assert model.input_shape == (None, 5)
    model.add(layers.Dense(7))
    assert model.output_shape == (None, 7)
    model.pop()
    assert model.output_shape == (None, 1)


def test_training_reaches_the_layers_within():
    model = dn.Sequential([dn.Sequential([layers.Dropout(0.9)]), layers.Dropout(0.9)])
    x = np.ones((50, 20), "float32")
    assert (model(x, training=True) == 0).mean() > 0.8
    np.testing.assert_array_equal(model(x), x)


def test_freezing_a_model_freezes_its_layers():
    model = nested(dn)
    inner = model.layers[1]
    inner.trainable = False
    assert [w.shape for w in model.trainable_weights] == [(4, 2), (2,)]
    assert len(model.non_trainable_weights) == 6


def test_errors_say_where():
    x, other = layers.Input((4,)), layers.Input((4,))
    with pytest.raises(ArgumentError, match="graph disconnected"):
        dn.Model(x, layers.Add()([layers.Dense(2)(x), layers.Dense(2)(other)]))
    with pytest.raises(ArgumentError, match="names must differ"):
        dn.Sequential([layers.Dense(2, name="d"), layers.Dense(2, name="d")])
    model = two_towers(dn)
    with pytest.raises(UnknownNameError, match="dense"):
        model.get_layer("dens")
    with pytest.raises(ArgumentError, match="expects 2 inputs"):
        model.predict(np.ones((2, 4)), verbose=0)
    with pytest.raises(ShapeError, match=r"\(3, 5\)"):
        model([np.ones((3, 5), "float32"), np.ones((3, 4), "float32")])
    with pytest.raises(ShapeError, match=r"6 weights|4 weights"):
        model.set_weights([np.zeros(1)])
