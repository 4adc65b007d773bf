"""The networks for pictures: what they take and give, that Keras opens and agrees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron.errors import ArgumentError, UnknownNameError
from deepneuron.vision import recipe as recipes
from deepneuron.vision.networks import NETWORKS, choose_network
from deepneuron.vision.recipe import RATES, make_optimizer, recipe
from tests.peers import keras

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (96, 64, 3)]


def pictures(shape, count=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_turns_uint8_pictures_into_probabilities(name, shape):
    model = NETWORKS[name](shape, 5)
    p = model.predict(pictures(shape), verbose=0)
    assert p.shape == (4, 5)
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-5)
    names = [type(layer).__name__ for layer in model.layers]
    assert "Rescaling" in names[:2]
    assert model.name == name


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(6, 40),
    width=st.integers(6, 40),
    channels=st.sampled_from([1, 3]),
    classes=st.integers(2, 7),
    name=st.sampled_from(list(NETWORKS)),
)
def test_a_network_can_be_made_for_pictures_of_any_size(
    height, width, channels, classes, name
):
    model = NETWORKS[name]((height, width, channels), classes)
    assert model.output_shape == (None, classes)


@pytest.mark.parametrize(
    "name", ["linear", "mlp", "cnn", pytest.param("resnet", marks=pytest.mark.slow)]
)
def test_keras_opens_a_network_and_computes_the_same(name, tmp_path):
    shape = (28, 28, 3)
    model = NETWORKS[name](shape, 4)
    model.save(tmp_path / "model.keras")
    theirs = keras().models.load_model(tmp_path / "model.keras")
    x = pictures(shape)
    expected = np.asarray(theirs(x.astype("float32")))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=2e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_which_half_is_bright(name):
    dn.utils.set_random_seed(0)
    y = np.arange(64) % 2
    x = pictures((12, 12, 1), 64) // 4
    for label, picture in zip(y, x, strict=True):
        picture[6 * label : 6 * label + 6] += 150
    model = NETWORKS[name]((12, 12, 1), 2)
    model.compile(
        make_optimizer("adam", 0.003, 80), loss="sparse_categorical_crossentropy"
    )
    model.fit(x, y, epochs=20, batch_size=16, verbose=0)
    assert (model.predict(x, verbose=0).argmax(-1) == y).all()


@pytest.mark.parametrize(
    ("shape", "rows", "name", "reason"),
    [
        ((8, 8, 1), 1292, "cnn", "larger ones"),
        ((28, 28, 1), 54_000, "cnn", "larger ones"),
        ((64, 64, 1), 54_000, "cnn", "colours"),
        ((64, 64, 3), 800, "cnn", "20,000 or more"),
        ((32, 32, 3), 45_000, "resnet", "enough"),
        ((4, 12, 3), 45_000, "mlp", "too small"),
    ],
    ids=str,
)
def test_auto_goes_by_size_and_count_and_says_why(shape, rows, name, reason):
    choice = choose_network("auto", shape, 3, rows)
    assert choice.name == name
    assert choice.why.startswith(f"{name}: {rows:,} ")
    assert reason in choice.why
    assert choice.why.endswith(".")
    assert choice.build().output_shape == (None, 3)
    assert not choice.trained


def test_a_network_is_had_by_its_name():
    choice = choose_network("linear", (4, 4, 1), 3, 10)
    assert choice.name == choice.build().name == "linear"


def test_an_unknown_network_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'resnet'"):
        choose_network("resnett", (32, 32, 3), 3, 10)


def test_equal_seeds_build_equal_networks():
    def weights():
        dn.utils.set_random_seed(3)
        return choose_network("resnet", (32, 32, 3), 3, 10).build().get_weights()

    for a, b in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@given(rows=st.integers(1, 10**6), name=st.sampled_from(list(RATES)))
def test_a_recipe_is_sane_for_any_number_of_pictures(rows, name):
    chosen = recipe(rows, optimizer=name)
    assert recipes.EPOCHS_OF_MANY <= chosen.epochs <= recipes.MOST_EPOCHS
    assert chosen.batch_size in {32, 64}
    assert chosen.frozen_epochs == 0
    tuned = recipe(rows, optimizer=name, trained=True)
    assert tuned.learning_rate < chosen.learning_rate
    assert 0 < tuned.frozen_epochs < tuned.epochs


def test_a_network_that_sums_over_all_pixels_takes_smaller_steps():
    rates = [recipe(500, network=n).learning_rate for n in ("linear", "mlp", "cnn")]
    assert rates == sorted(rates)
    assert rates[0] < rates[1] < rates[2]


def test_a_recipe_keeps_what_the_user_chose():
    chosen = recipe(100, trained=True, epochs=1, batch_size=7)
    assert (chosen.epochs, chosen.batch_size, chosen.frozen_epochs) == (1, 7, 0)


@pytest.mark.parametrize("name", RATES)
def test_an_optimizer_ends_with_a_rate_of_0(name):
    optimizer = make_optimizer(name, RATES[name], steps=10)
    assert float(optimizer.learning_rate) == pytest.approx(RATES[name])
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_an_optimizer_must_be_known_and_have_steps():
    with pytest.raises(UnknownNameError, match="adam"):
        make_optimizer("adamm", 0.1, 10)
    with pytest.raises(ArgumentError, match="steps must be 1 or more; received 0"):
        make_optimizer("adam", 0.1, 0)
    with pytest.raises(UnknownNameError, match="sgd"):
        recipe(10, optimizer="sdg")
