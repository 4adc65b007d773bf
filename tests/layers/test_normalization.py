"""Normalization.adapt, as Keras measures."""

from __future__ import annotations

import numpy as np
import pytest

from deepneuron import layers
from deepneuron.engine.capture import Function
from tests.peers import keras

# Keras's own variables under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

X = np.random.default_rng(0).normal(3.0, 2.0, size=(40, 3, 5)).astype("float32")


@pytest.mark.parametrize("axis", [-1, None, (1, 2), 1])
@pytest.mark.parametrize("batches", [False, True])
def test_adapt_is_that_of_keras(axis, batches):
    ours, theirs = layers.Normalization(axis), keras().layers.Normalization(axis)
    ours.adapt([X[:16], X[16:]] if batches else X)
    theirs.adapt(X)  # on batches it would ask for TensorFlow
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-5)
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-5)
    np.testing.assert_allclose(ours.variance, theirs.variance, rtol=1e-5)


def test_a_constant_feature_does_not_divide_by_zero():
    layer = layers.Normalization()
    layer.adapt(np.ones((5, 2), "float32"))
    assert np.isfinite(layer(np.ones((5, 2), "float32"))).all()


def test_a_plan_sees_what_is_adapted_later():
    layer = layers.Normalization()
    layer.adapt(X)
    run = Function(layer)
    run(X)
    layer.adapt(2 * X)
    np.testing.assert_allclose(run(X), layer(X), rtol=1e-6)


def test_invert_undoes():
    there = layers.Normalization(mean=2.0, variance=9.0)
    back = layers.Normalization(mean=2.0, variance=9.0, invert=True)
    np.testing.assert_allclose(back(there(X)), X, rtol=1e-5, atol=1e-5)


def test_adapt_says_what_does_not_fit():
    layer = layers.Normalization(name="norm")
    layer.adapt(X)
    with pytest.raises(ValueError, match=r"'norm'.*built for"):
        layer.adapt(np.zeros((4, 3, 6)))
    with pytest.raises(TypeError, match="array"):
        layers.Normalization().adapt([1.0, 2.0])
