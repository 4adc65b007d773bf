"""FineTune: the body is frozen by the number of the epoch alone."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron.callbacks import LambdaCallback
from deepneuron.errors import ArgumentError
from deepneuron.vision.networks import FineTune, body_layers, make_cnn, make_resnet
from deepneuron.vision.recipe import make_optimizer

SHAPE = (8, 8, 1)


def data():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (48, *SHAPE), dtype=np.uint8)
    return x, np.arange(48) % 3


def compiled(make=make_cnn, steps=12):
    dn.utils.set_random_seed(0)
    model = make(SHAPE, 3)
    model.compile(
        make_optimizer("adam", 0.01, steps), loss="sparse_categorical_crossentropy"
    )
    return model


def fit(model, epochs, frozen, initial_epoch=0):
    """The weights of the body after each epoch."""
    seen = []

    def note(epoch, logs):
        weights = [w for layer in body_layers(model) for w in layer.get_weights()]
        seen.append(np.concatenate([w.ravel() for w in weights]))

    model.fit(
        *data(),
        epochs=epochs,
        initial_epoch=initial_epoch,
        batch_size=16,
        shuffle=False,
        verbose=0,
        callbacks=[FineTune(frozen), LambdaCallback(on_epoch_end=note)],
    )
    return seen


def test_the_body_is_all_but_the_last_layer_with_weights():
    model = make_cnn(SHAPE, 3)
    names = [type(layer).__name__ for layer in body_layers(model)]
    assert names == ["Conv2D", "Conv2D", "Dense"]
    assert model.layers[-1] not in body_layers(model)


def test_models_within_a_model_are_part_of_the_body():
    inner = make_cnn(SHAPE, 5)
    outer = dn.Sequential([inner, dn.layers.Dense(2, activation="softmax")])
    assert body_layers(outer) == [layer for layer in inner.layers if layer.weights]


@pytest.mark.parametrize("make", [make_cnn, make_resnet])
def test_the_body_rests_until_its_epoch_and_learns_from_then_on(make):
    model = compiled(make)
    start = np.concatenate(
        [w.ravel() for layer in body_layers(model) for w in layer.get_weights()]
    )
    head = model.layers[-1].kernel.numpy()
    first, second, third, fourth = fit(model, 4, frozen=2)
    np.testing.assert_array_equal(first, start)  # the statistics of norms as well
    np.testing.assert_array_equal(second, start)
    assert not np.array_equal(third, start)
    assert not np.array_equal(fourth, third)
    assert not np.array_equal(model.layers[-1].kernel.numpy(), head)


def test_nothing_is_frozen_afterwards():
    model = compiled()
    fit(model, 1, frozen=5)
    assert all(layer.trainable for layer in model.layers)


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_going_on_from_any_epoch_ends_in_the_same_weights(stop):
    whole = compiled()
    fit(whole, 4, frozen=2)

    half = compiled()
    fit(half, stop, frozen=2)
    resumed = compiled()
    resumed.optimizer.build(resumed.trainable_variables)
    for mine, saved in zip(
        [*resumed.variables, *resumed.optimizer.variables],
        [*half.variables, *half.optimizer.variables],
        strict=True,
    ):
        mine.assign(saved.numpy())
    fit(resumed, 4, frozen=2, initial_epoch=stop)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_frozen_epochs_layers_stay_as_their_maker_left_them():
    model = make_cnn(SHAPE, 3)
    frozen = body_layers(model)[0]
    frozen.trainable = False
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    fit(model, 1, frozen=0)
    assert [layer.trainable for layer in body_layers(model)] == [False, True, True]


def test_epochs_cannot_be_negative():
    with pytest.raises(ArgumentError, match="0 or more; received -1"):
        FineTune(-1)
