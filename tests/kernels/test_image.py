"""Pictures that native code turns are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import layers
from deepneuron.engine.registry import registry
from deepneuron.kernels.native import plan
from tests.kernels.judge import ISAS, assert_native_equals_numpy

FILL_MODES = ["constant", "nearest", "wrap", "mirror", "reflect"]


def _moved(name, **attrs):
    return lambda x, transform: registry[name](x, transform, **attrs)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*(st.integers(1, n) for n in (5, 9, 9, 5))),
    fill_mode=st.sampled_from(FILL_MODES),
    interpolation=st.sampled_from(["bilinear", "nearest"]),
    one_for_all=st.booleans(),
    isa=st.sampled_from(ISAS),
    seed=st.integers(0, 9),
)
def test_pictures_are_moved_as_numpy_moves_them(
    shape, fill_mode, interpolation, one_for_all, isa, seed
):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype("f")
    transform = rng.normal(size=(shape[0], 8)).astype("f") * [1, 1, 5, 1, 1, 5, 0, 0]
    transform = transform.astype("f")
    attrs = {"fill_mode": fill_mode, "interpolation": interpolation}

    def both(x, transform):
        t = transform[:1] if one_for_all else transform
        y = registry["affine"](x, t, fill_value=0.5, **attrs)
        return y, registry["affine_grad"](x, t, **attrs)

    assert_native_equals_numpy(both, x, transform, kernel="affine", isa=isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_places_between_two_pixels_go_to_the_same_one(fill_mode, isa):
    x = np.arange(2 * 6 * 6, dtype="f").reshape(2, 6, 6, 1)
    halves = np.array([[0.5, 0, -3, 0, 1.5, -4.5, 0, 0], [-1, 0, 5.5, 0.1, 1, 0, 0, 0]])
    function = _moved("affine", fill_mode=fill_mode, interpolation="nearest")
    transform = halves.astype("f")
    assert_native_equals_numpy(function, x, transform, kernel="affine", isa=isa)


def test_pictures_far_away_and_nowhere_are_what_they_are_in_numpy():
    x = np.ones((3, 4, 4, 3), "f")
    transform = np.zeros((3, 8), "f")
    transform[:, 2] = [1e6, -1e30, np.nan]
    function = _moved("affine", fill_value=0.25, interpolation="nearest")
    assert_native_equals_numpy(function, x, transform, kernel="affine")


@pytest.mark.parametrize(
    "layer",
    [
        layers.RandomFlip,
        lambda: layers.RandomFlip("horizontal"),
        lambda: layers.RandomRotation(0.2),
        lambda: layers.RandomRotation(0.2, fill_mode="constant"),
        lambda: layers.GaussianNoise(0.3),
    ],
)
def test_a_training_step_with_augmentation_is_native_as_a_whole(layer, monkeypatch):
    plans, init = [], plan.NativePlan.__init__

    def watched(self, *args):
        init(self, *args)
        plans.append(self)

    monkeypatch.setattr(plan.NativePlan, "__init__", watched)
    x = np.random.default_rng(0).normal(size=(16, 8, 8, 3)).astype("f")
    dn.config.set_kernels("native")
    try:
        model = dn.Sequential([layer(), layers.Flatten(), layers.Dense(2)])
        model.compile("sgd", "mse")
        model.fit(x, np.zeros((16, 2), "f"), batch_size=8, verbose=0)
    finally:
        dn.config.set_kernels(None)
    assert plans
    assert all(p.whole for p in plans)
