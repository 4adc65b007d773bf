"""Networks that the user brings, in a file or by a function."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers
from deepneuron.errors import ArgumentError, SavingError
from deepneuron.vision.networks import (
    choose_network,
    given_shape,
    load_given,
    make_by_function,
    make_linear,
    make_mlp,
    make_resnet,
)
from tests.peers import keras

SHAPE = (8, 8, 1)
X = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), dtype=np.uint8)


@pytest.fixture
def saved(tmp_path):
    """Save a model, and return the file's path."""

    def save(model):
        model.save(tmp_path / "given.keras")
        return str(tmp_path / "given.keras")

    return save


# --- model.keras


def test_a_model_with_the_same_classes_stays_as_it_is(saved):
    model = make_mlp(SHAPE, 3)
    given = load_given(saved(model), SHAPE, 3)
    np.testing.assert_array_equal(given.model.predict(X), model.predict(X))
    assert given.notes == ()


@pytest.mark.parametrize("make", [make_mlp, make_resnet])
def test_other_classes_get_a_new_end_on_the_same_body(saved, make):
    model = make(SHAPE, 3)
    given = load_given(saved(model), SHAPE, 5)
    assert given.model.output_shape == (None, 5)
    np.testing.assert_allclose(given.model.predict(X).sum(-1), 1, atol=1e-5)
    for ours, before in zip(
        given.model.get_weights()[:2], model.get_weights()[:2], strict=True
    ):
        np.testing.assert_array_equal(ours, before)
    assert given.notes == ("Its last layer (3 outputs) was replaced by a new one (5).",)


def test_logits_become_probabilities(saved):
    model = dn.Sequential(
        [dn.Input(SHAPE), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3)]
    )
    given = load_given(saved(model), SHAPE, 3)
    logits = model.predict(X)
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(given.model.predict(X), expected, rtol=1e-5)
    assert "softmax was put behind" in given.notes[0]


def test_an_end_with_an_activation_layer_of_its_own_can_be_replaced(saved):
    model = dn.Sequential(
        [
            dn.Input(SHAPE),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(1),
            layers.Activation("sigmoid"),
        ]
    )
    given = load_given(saved(model), SHAPE, 2)
    assert given.model.output_shape == (None, 2)
    np.testing.assert_allclose(given.model.predict(X).sum(-1), 1, atol=1e-5)


def test_a_model_that_scales_no_pixels_is_noted(saved):
    model = dn.Sequential(
        [dn.Input(SHAPE), layers.Flatten(), layers.Dense(3, activation="softmax")]
    )
    (note,) = load_given(saved(model), SHAPE, 3).notes
    assert "given pixels from 0 to 255 as they are" in note


def test_frozen_layers_learn_again(saved):
    model = make_mlp(SHAPE, 3)
    model.layers[2].trainable = False
    given = load_given(saved(model), SHAPE, 3)
    assert len(given.model.trainable_variables) == len(model.weights)


def test_pictures_of_another_shape_are_refused_with_both_shapes(saved):
    path = saved(make_mlp(SHAPE, 3))
    with pytest.raises(ArgumentError, match=r"pictures of 8x8x1 .* are of 9x8x3"):
        load_given(path, (9, 8, 3), 3)


def test_any_size_fits_a_model_that_takes_any(saved):
    model = dn.Sequential(
        [
            dn.Input((None, None, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    path = saved(model)
    assert given_shape(path) == (None, None, 1)
    assert load_given(path, SHAPE, 5).model.output_shape == (None, 5)


def test_a_model_that_takes_no_pictures_is_refused(saved):
    model = dn.Sequential([dn.Input((4,)), layers.Dense(3, activation="softmax")])
    with pytest.raises(ArgumentError, match=r"takes no pictures.*it has \(4,\)"):
        load_given(saved(model), SHAPE, 3)


def test_an_end_that_is_no_dense_layer_is_refused(saved):
    model = dn.Sequential(
        [dn.Input(SHAPE), layers.Conv2D(3, 3), layers.GlobalAveragePooling2D()]
    )
    with pytest.raises(ArgumentError, match="Only a Dense layer at its end"):
        load_given(saved(model), SHAPE, 5)


def test_what_is_no_model_file_is_refused(tmp_path):
    (tmp_path / "x.keras").write_text("no", encoding="utf-8")
    with pytest.raises(SavingError):
        load_given(tmp_path / "x.keras", SHAPE, 3)
    with pytest.raises(SavingError):
        choose_network(str(tmp_path / "none.keras"), SHAPE, 3, 10)


def test_a_model_of_keras_is_taken_and_opens_in_keras_again(tmp_path):
    k = keras()
    theirs = k.Sequential(
        [
            k.Input(SHAPE),
            k.layers.Rescaling(1 / 255),
            k.layers.Conv2D(4, 3, activation="relu"),
            k.layers.Flatten(),
            k.layers.Dense(3, activation="softmax"),
        ]
    )
    theirs.save(tmp_path / "theirs.keras")
    choice = choose_network(str(tmp_path / "theirs.keras"), SHAPE, 5, 100)
    assert choice.trained
    assert "to be fine-tuned. Its last layer (3 outputs)" in choice.why
    ours = choice.build()
    ours.save(tmp_path / "ours.keras")
    back = k.models.load_model(tmp_path / "ours.keras")
    expected = np.asarray(back(X.astype("float32")))
    np.testing.assert_allclose(ours.predict(X), expected, atol=1e-6)


# --- module:function


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """Write a module into the current folder, and return its name."""
    name = f"networks_of_{request.node.name.partition('[')[0]}"

    def write(text):
        head = "import deepneuron as dn\nfrom deepneuron import layers\n"
        path = tmp_path / f"{name}.py"
        path.write_text(head + textwrap.dedent(text), encoding="utf-8")
        return name

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    yield write
    import sys

    sys.modules.pop(name, None)


GOOD = """
    end = layers.Dense({classes}, activation="softmax")
    return dn.Sequential([dn.Input({shape}), layers.Flatten(), end])
"""


@pytest.mark.parametrize(
    "arguments",
    ["input_shape, classes", "classes, input_shape", "input_shape, classes, width=3"],
)
def test_a_function_is_given_the_arguments_it_names(module, arguments):
    body = GOOD.format(shape="input_shape", classes="classes")
    name = module(f"def make({arguments}):{body}")
    model = make_by_function(f"{name}:make", SHAPE, 3)
    assert (model.input_shape, model.output_shape) == ((None, *SHAPE), (None, 3))


def test_a_function_with_other_names_is_given_both_by_place(module):
    name = module(f"def make(s, n):{GOOD.format(shape='s', classes='n')}")
    choice = choose_network(f"{name}:make", SHAPE, 4, 10)
    assert choice.build().output_shape == (None, 4)
    assert choice.why == f"{name}:make: made by your function."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "def other(input_shape, classes): pass",
            "has no function 'make'; it has other",
        ),
        ("def make(input_shape, classes): pass", "must return a model.*returned None"),
        ("def make(): pass", "must take input_shape and classes; it takes"),
        ("def make(a, b, c): pass", "must take input_shape and classes; it takes"),
        ("def make(input_shape, classes): 1 / 0", "failed .* ZeroDivisionError"),
        ("1 / 0", "could not be imported: ZeroDivisionError"),
        ("import no_such_thing", "could not be imported: No module named"),
        (
            f"def make(s, n):{GOOD.format(shape='(9, 9, 1)', classes='n')}",
            r"pictures of 9x9x1; Input\(\(8, 8, 1\)\) is needed",
        ),
        (
            f"def make(s, n):{GOOD.format(shape='s', classes='n + 1')}",
            r"outputs of shape \(None, 4\); it must end with Dense\(3",
        ),
        (
            "def make(s, n): return dn.Sequential([dn.Input(s), layers.Flatten()])",
            r"outputs of shape \(None, 64\)",
        ),
    ],
)
def test_what_is_wrong_with_a_function_is_said_in_one_sentence(module, text, message):
    name = module(text)
    with pytest.raises(ArgumentError, match=message):
        make_by_function(f"{name}:make", SHAPE, 3)


def test_outputs_that_are_no_probabilities_are_refused(module):
    text = GOOD.format(shape="s", classes="n").replace("softmax", "relu")
    name = module(f"def make(s, n):{text}")
    with pytest.raises(ArgumentError, match="outputs are no probabilities"):
        make_by_function(f"{name}:make", SHAPE, 3)


def test_a_missing_module_is_named_with_the_folder():
    with pytest.raises(ArgumentError, match="no module 'no_such_module', neither in"):
        make_by_function("no_such_module:make", SHAPE, 3)


@pytest.mark.parametrize("name", [":make", "module:"])
def test_half_a_name_is_not_enough(name):
    with pytest.raises(ArgumentError, match="a module and a function are needed"):
        make_by_function(name, SHAPE, 3)


def test_trying_a_file_draws_no_random_number(saved):
    path = saved(make_linear(SHAPE, 3))
    dn.utils.set_random_seed(1)
    expected = np.random.rand()
    dn.utils.set_random_seed(1)
    load_given(path, SHAPE, 3)
    assert np.random.rand() == expected
