"""Layers that users write: weights are found, named, frozen and trained."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops
from deepneuron.engine.gradients import value_and_grad
from deepneuron.layers.layer import training_scope
from tests.peers import keras


class Linear(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.seen = self.add_weight((), "zeros", trainable=False, name="seen")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, x):
        return ops.matmul(x, self.kernel) + self.bias


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = [Linear(3, name="a"), Linear(3, name="b")]
        self.heads = {"left": Linear(2, name="left"), "right": Linear(2, name="right")}
        self.drop = layers.Dropout(0.5)

    def call(self, x, training=False):
        for layer in self.first:
            x = layer(x)
        x = self.drop(x, training=training)
        return self.heads["left"](x) + self.heads["right"](x)


X = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


def test_a_custom_layer_has_its_weights_in_the_order_of_keras():
    layer = Linear(3)
    y = layer(X)
    assert [w.name for w in layer.weights] == ["kernel", "bias", "seen"]
    assert [w.name for w in layer.trainable_weights] == ["kernel", "bias"]
    assert [w.name for w in layer.non_trainable_weights] == ["seen"]
    np.testing.assert_allclose(y, X @ layer.kernel.numpy(), rtol=1e-5, atol=1e-6)


def test_the_gradient_of_a_custom_layer_is_derived():
    layer = Linear(3)
    layer(X)
    _, (dkernel, dbias) = value_and_grad(
        lambda: ops.sum(layer(X)), layer.trainable_weights
    )
    np.testing.assert_allclose(dbias, np.full(3, 4.0), rtol=1e-6)
    np.testing.assert_allclose(
        dkernel, np.repeat(X.sum(0)[:, None], 3, 1), rtol=1e-5, atol=1e-6
    )


def test_layers_in_lists_and_dictionaries_are_found():
    block = Block(name="block")
    block(X)
    assert len(block.weights) == 12
    assert len(block.trainable_weights) == 8
    assert {layer.name for layer in block._flatten_layers()} >= {
        "block",
        "a",
        "b",
        "left",
        "right",
    }
    assert [w.path for w in block.weights][:3] == [
        "block/a/kernel",
        "block/a/bias",
        "block/a/seen",
    ]


def test_freezing_goes_down_and_comes_back():
    block = Block()
    block(X)
    block.trainable = False
    assert block.trainable_weights == []
    assert len(block.non_trainable_weights) == 12
    assert all(not layer.trainable for layer in block._flatten_layers())
    block.trainable = True
    assert len(block.trainable_weights) == 8
    block.first[0].trainable = False
    assert len(block.trainable_weights) == 6
    # The order of the weights stays, so files stay readable.
    assert [w.name for w in block.weights[:3]] == ["kernel", "bias", "seen"]


def test_training_reaches_the_layers_within():
    block = Block()
    block(X)
    np.testing.assert_array_equal(block(X), block(X))
    with training_scope(True):
        assert not np.array_equal(block(X), block(X))
    assert not np.array_equal(block(X, training=True), block(X, training=True))
    assert not np.array_equal(block(X, True), block(X, True))
    with training_scope(True):  # what a call says itself wins
        np.testing.assert_array_equal(
            block(X, training=False), block(X, training=False)
        )


def test_a_composite_layer_is_symbolic_too():
    assert Block()(dn.Input((5,))).shape == (None, 2)


def test_set_weights_says_which_weight_does_not_fit():
    layer = Linear(3, name="lin")
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ValueError, match="'lin' has 3 weights"):
        layer.set_weights(before[:2])
    with pytest.raises(ValueError, match=r"kernel.*shape"):
        layer.set_weights([np.zeros((2, 2)), *before[1:]])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_a_forgotten_super_init_is_said():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.units = 3

        def call(self, x):
            return x

    with pytest.raises(ValueError, match=r"super\(\)"):
        Forgetful()(X)


def test_an_argument_that_no_layer_has_is_said():
    with pytest.raises(ValueError, match="unitz"):
        layers.Dense(3, unitz=4)


def test_a_layer_with_several_inputs_builds_with_their_shapes():
    class Pair(layers.Layer):
        def build(self, a_shape, b_shape):
            self.shapes = (a_shape, b_shape)

        def call(self, a, b):
            return a + b

    layer = Pair()
    layer(X, X)
    assert layer.shapes == ((4, 5), (4, 5))


def test_regularizers_of_weights_and_activity_become_losses():
    def peer(module):
        return module.layers.Dense(
            2,
            kernel_initializer="ones",
            kernel_regularizer=module.regularizers.L2(0.1),
            activity_regularizer=module.regularizers.L1(0.01),
        )

    ours, theirs = peer(dn), peer(keras())
    ours(X)
    theirs(X)
    np.testing.assert_allclose(
        [float(v) for v in ours.losses], [float(v) for v in theirs.losses], rtol=1e-5
    )


def test_get_config_of_a_custom_layer_is_made_of_its_arguments():
    layer = Linear(3, name="lin")
    config = layer.get_config()
    assert config["units"] == 3
    assert config["name"] == "lin"
    again = Linear.from_config(config)
    assert again.units == 3
    assert again.name == "lin"
