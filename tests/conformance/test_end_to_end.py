"""The same network, weights and batches: the same losses as real Keras, step for step.

Two of Keras's own backends agree to 5e-7 (SGD) and 2e-5 (Adam) here. Weights under
Adam differ more, because it divides by gradients that are nearly zero; losses and
predictions do not, so they are what is compared.
"""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from tests.peers import keras

STEPS, BATCH = 50, 16


def mlp(k):
    return k.Sequential(
        [
            k.layers.Input((20,)),
            k.layers.Dense(32, activation="relu"),
            k.layers.Dense(16, activation="tanh"),
            k.layers.Dense(5, activation="softmax"),
        ]
    )


def cnn(k):
    return k.Sequential(
        [
            k.layers.Input((12, 12, 2)),
            k.layers.Conv2D(8, 3, activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.Conv2D(12, 3, padding="same", activation="relu"),
            k.layers.AveragePooling2D(2),
            k.layers.Flatten(),
            k.layers.Dense(5),
        ]
    )


def batch_norm_cnn(k):
    x = k.layers.Input((12, 12, 2))
    y = k.layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    y = k.layers.Activation("relu")(k.layers.BatchNormalization()(y))
    z = k.layers.Conv2D(8, 3, padding="same", use_bias=False)(y)
    z = k.layers.BatchNormalization(momentum=0.9)(z)
    y = k.layers.ReLU()(k.layers.Add()([y, z]))
    return k.Model(x, k.layers.Dense(5)(k.layers.GlobalAveragePooling2D()(y)))


OPTIMIZERS = {
    "sgd-nesterov": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda k: k.optimizers.Adam(0.002),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.001),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("make", [mlp, cnn, batch_norm_cnn], ids=lambda f: f.__name__)
def test_fifty_steps_as_in_keras(make, optimizer):
    # The same weights in every run: from some, rounding alone grows past the bar.
    keras().utils.set_random_seed(7)
    ours, theirs = make(dn), make(keras())
    ours.set_weights(theirs.get_weights())
    for k, model in ((dn, ours), (keras(), theirs)):
        model.compile(
            OPTIMIZERS[optimizer](k),
            k.losses.SparseCategoricalCrossentropy(from_logits=make is not mlp),
            metrics=["accuracy"],
        )
    rng = np.random.default_rng(7)
    x = rng.normal(size=(STEPS * BATCH, *theirs.input_shape[1:])).astype("float32")
    y = rng.integers(0, 5, STEPS * BATCH)

    for i in range(STEPS):
        batch = slice(i * BATCH, (i + 1) * BATCH)
        mine = ours.train_on_batch(x[batch], y[batch], return_dict=True)
        real = theirs.train_on_batch(x[batch], y[batch], return_dict=True)
        assert mine["loss"] == pytest.approx(float(real["loss"]), rel=1e-5), i
        assert mine["accuracy"] == pytest.approx(float(real["accuracy"]), abs=1e-6), i
    mine, real = ours.predict(x[:64], verbose=0), theirs.predict(x[:64], verbose=0)
    np.testing.assert_allclose(mine, real, rtol=1e-4, atol=1e-4 * np.abs(real).max())
