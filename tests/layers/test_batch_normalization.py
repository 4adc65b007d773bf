"""Moving statistics, freezing, masks: where BatchNormalization differs from others."""

from __future__ import annotations

import numpy as np
import pytest

from deepneuron import layers
from deepneuron.engine.capture import Function
from deepneuron.layers.layer import training_scope
from tests.peers import keras

# Keras's own variables under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

X = np.random.default_rng(0).normal(2.0, 3.0, size=(8, 5, 4)).astype("float32")


def pair(**arguments):
    ours = layers.BatchNormalization(**arguments)
    theirs = keras().layers.BatchNormalization(**arguments)
    ours(X)
    theirs(X)
    return ours, theirs


def assert_same(ours, theirs):
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-5, atol=1e-6)


def test_the_statistics_move_as_in_keras():
    ours, theirs = pair(momentum=0.8)
    for step in range(5):
        np.testing.assert_allclose(
            ours(X + step, training=True),
            theirs(X + step, training=True),
            rtol=1e-4,
            atol=1e-5,
        )
    assert_same(ours, theirs)


def test_the_variance_is_divided_by_n():
    ours, _ = pair(momentum=0.0)
    ours(X, training=True)
    np.testing.assert_allclose(
        ours.moving_variance.numpy(), X.reshape(-1, 4).var(0), rtol=1e-5
    )


def test_inference_moves_nothing():
    ours, theirs = pair()
    before = ours.get_weights()
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-5, atol=1e-5)
    for w, v in zip(ours.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)


def test_frozen_it_runs_in_inference_even_while_training():
    ours, theirs = pair()
    ours.trainable = theirs.trainable = False
    before = ours.get_weights()
    np.testing.assert_allclose(
        ours(X, training=True), theirs(X, training=True), rtol=1e-5, atol=1e-5
    )
    for w, v in zip(ours.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)


def test_a_planned_step_moves_the_statistics_once_per_run():
    ours, theirs = pair()
    with training_scope(True):
        step = Function(ours)
        for _ in range(3):
            planned = step(X)
            theirs_y = theirs(X, training=True)
    np.testing.assert_allclose(planned, theirs_y, rtol=1e-4, atol=1e-5)
    assert_same(ours, theirs)


def test_the_mask_leaves_positions_out_of_the_statistics():
    ours, theirs = pair()
    mask = np.random.default_rng(1).uniform(size=(8, 5)) > 0.4
    np.testing.assert_allclose(
        ours(X, training=True, mask=mask),
        theirs(X, training=True, mask=mask),
        rtol=1e-4,
        atol=1e-5,
    )
    assert_same(ours, theirs)


def test_what_it_cannot_do_is_refused():
    for argument in ("renorm", "synchronized"):
        with pytest.raises(ValueError, match=argument):
            layers.BatchNormalization(**{argument: True})


def test_large_means_do_not_spoil_the_variance():
    x = (1000.0 + np.random.default_rng(2).normal(size=(64, 3))).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0, epsilon=1e-6)
    y = layer(x, training=True)
    np.testing.assert_allclose(y.std(0), 1.0, atol=1e-2)
    np.testing.assert_allclose(
        layer.moving_variance.numpy(), x.astype("float64").var(0), rtol=1e-3
    )
