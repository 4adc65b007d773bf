"""What the table of tests/conformance does not reach: masks, functions, aliases."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops
from tests.peers import keras

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "average", "maximum", "minimum"]
)
def test_the_function_does_what_the_layer_does(name):
    layer = getattr(layers, name.capitalize())()
    y = getattr(layers, name)([X, Y])
    np.testing.assert_array_equal(y, layer([X, Y]))
    np.testing.assert_allclose(y, getattr(keras().layers, name)([X, Y]), rtol=1e-6)
    symbolic = getattr(layers, name)([dn.Input((4,)), dn.Input((4,))], name="here")
    assert symbolic.shape == (None, 4)


def test_concatenate_and_dot_are_functions_too():
    assert layers.concatenate([X, Y], axis=0).shape == (6, 4)
    np.testing.assert_allclose(
        layers.dot([X, Y], axes=-1), (X * Y).sum(-1, keepdims=True), rtol=1e-5
    )
    assert layers.dot([dn.Input((2, 4)), dn.Input((4, 5))], (2, 1)).shape == (
        None,
        2,
        5,
    )


@pytest.mark.parametrize("kind", ["bool", "float32"])
def test_softmax_leaves_masked_positions_out(kind):
    mask = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]).astype(kind)
    y = layers.Softmax()(X, mask=mask)
    np.testing.assert_allclose(y, keras().layers.Softmax()(X, mask=mask), atol=1e-6)
    np.testing.assert_allclose(y.sum(-1), [1, 0, 1], atol=1e-6)


def test_softmax_says_that_a_mask_does_not_fit():
    with pytest.raises(ValueError, match="mask of shape"):
        layers.Softmax()(X, mask=np.ones((3, 5), bool))


def test_embedding_knows_where_nothing_is():
    x = np.array([[1, 0, 2]])
    assert layers.Embedding(3, 2).compute_mask(x) is None
    mask = layers.Embedding(3, 2, mask_zero=True).compute_mask(x)
    np.testing.assert_array_equal(mask, [[True, False, True]])


def test_embedding_takes_its_weights():
    table = np.arange(6.0, dtype="float32").reshape(3, 2)
    np.testing.assert_array_equal(
        layers.Embedding(3, 2, weights=table)(np.array([[2.0, 0.0]])), table[[[2, 0]]]
    )


def test_lambda_gets_what_its_function_asks_for():
    def scaled(x, factor, training=None):
        return x * factor * (2.0 if training else 1.0)

    layer = layers.Lambda(scaled, arguments={"factor": 3.0})
    np.testing.assert_allclose(layer(X), 3 * X)
    np.testing.assert_allclose(layer(X, training=True), 6 * X)
    assert layers.Lambda(lambda x: ops.sum(x, axis=1))(dn.Input((4,))).shape == (None,)
    given = layers.Lambda(scaled, output_shape=(7,))
    assert given.compute_output_shape((None, 4)) == (None, 7)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("MaxPool2D", "MaxPooling2D"),
        ("AvgPool2D", "AveragePooling2D"),
        ("GlobalAvgPool2D", "GlobalAveragePooling2D"),
        ("GlobalMaxPool2D", "GlobalMaxPooling2D"),
        ("Convolution1D", "Conv1D"),
        ("Convolution2D", "Conv2D"),
        ("SeparableConvolution1D", "SeparableConv1D"),
        ("SeparableConvolution2D", "SeparableConv2D"),
    ],
)
def test_the_aliases_are_those_of_keras(alias, name):
    assert getattr(layers, alias) is getattr(layers, name)
    assert getattr(keras().layers, alias) is getattr(keras().layers, name)


def test_a_file_of_an_older_keras_is_understood():
    assert layers.LeakyReLU(alpha=0.2).negative_slope == pytest.approx(0.2)
    assert layers.Embedding(3, 2, input_length=7).input_dim == 3


def test_float64_stays_float64():
    layer = layers.Dense(3, dtype="float64")
    assert layer(X.astype("float64")).dtype == "float64"
    assert layer(X).dtype == "float64"
    assert {w.dtype for w in layer.weights} == {"float64"}


def test_reuse_shares_the_weights():
    layer = layers.Dense(3)
    a, b = layer(dn.Input((4,))), layer(dn.Input((4,)))
    assert len(layer.weights) == 2
    assert a is not b
