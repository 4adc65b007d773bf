"""Once its plan is made, a step allocates nothing that grows with the batch."""

import tracemalloc

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers


def mlp():
    x = dn.Input((64,))
    y = layers.Dense(128, activation="relu")(x)
    y = layers.Dropout(0.3, seed=1)(layers.LayerNormalization()(y))
    y = layers.Dense(64, activation="gelu", kernel_regularizer="l2")(y)
    return dn.Model(x, layers.Dense(4, activation="softmax")(y))


def cnn():
    x = dn.Input((12, 12, 4))
    y = layers.Conv2D(16, 3, padding="same")(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Add()([y, layers.Conv2D(16, 1)(x)])
    y = layers.MaxPooling2D()(y)
    y = layers.AveragePooling2D(2)(layers.Conv2D(16, 3, padding="same")(y))
    return dn.Model(x, layers.Dense(4, activation="softmax")(layers.Flatten()(y)))


def peak_of_a_step(make, batch):
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, *model.input_shape[1:])).astype("float32")
    y = rng.integers(0, 4, batch).astype("int32")
    for _ in range(3):  # make the plan, and let the scratch memory grow
        model.train_on_batch(x, y)
    step = model._function("train", model.train_step)
    tracemalloc.start()
    try:
        step((x, y, None))
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        step((x, y, None))
        return tracemalloc.get_traced_memory()[1] - before, x.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make", [mlp, cnn], ids=lambda f: f.__name__)
def test_a_step_allocates_nothing_that_grows_with_the_batch(make):
    small, _ = peak_of_a_step(make, 512)  # pieces of a fixed size are full from here on
    large, bytes_of_x = peak_of_a_step(make, 4096)
    assert large - small < 0.02 * bytes_of_x
