"""Every loss is Keras's: names, arguments, configurations, numbers."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from deepneuron import losses
from deepneuron.naming import to_snake_case
from tests.losses.loss_cases import CASES, LossCase
from tests.peers import keras

CLASSES = sorted({case.name for case in CASES})
FUNCTIONS = {
    "KLDivergence": "kl_divergence",
    **{c: to_snake_case(c) for c in CLASSES if c != "KLDivergence"},
}
EXTRAS = {"LossFunctionWrapper", "SumOfSquaredErrors"}
EXTRAS |= {"sum_of_squared_errors"}
# Image segmentation, embeddings, sequences: not part of the library.
LEFT_OUT = {"CTC", "Circle", "Dice", "Tversky", "CategoricalGeneralizedCrossEntropy"}
LEFT_OUT |= {
    "ctc",
    "circle",
    "dice",
    "tversky",
    "categorical_generalized_cross_entropy",
}


def test_the_names_are_those_of_keras():
    theirs = {n for n in dir(keras().losses) if not n.startswith("_")}
    assert set(losses.__all__) - EXTRAS == theirs - LEFT_OUT


def test_every_name_is_there_and_every_case_is_a_name():
    assert all(hasattr(losses, name) for name in losses.__all__)
    classes = {n for n in losses.__all__ if n[0].isupper()}
    assert set(CLASSES) == classes - EXTRAS - {"Loss"}


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS.values(), "Loss", "get"])
def test_signature(name):
    ours = inspect.signature(getattr(losses, name)).parameters
    theirs = inspect.signature(getattr(keras().losses, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_configuration_goes_both_ways(case):
    ours = getattr(losses, case.name)(**case.kwargs, reduction="sum", name="mine")
    theirs = getattr(keras().losses, case.name)(
        **case.kwargs, reduction="sum", name="mine"
    )
    lossless = {**theirs.get_config(), **case.kwargs}  # Keras forgets a few arguments
    assert ours.get_config() == lossless
    assert losses.deserialize(losses.serialize(ours)).get_config() == lossless
    back = keras().losses.deserialize(losses.serialize(ours))
    assert type(back).__name__ == case.name
    assert back.get_config() == theirs.get_config()
    read = losses.deserialize(keras().losses.serialize(theirs))
    assert type(read) is type(ours)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_numbers(case, seed):
    y_true, y_pred = case.arrays(seed)
    rng = np.random.default_rng(seed)
    values = (4,) if case.kwargs.get("axis") == 0 else (6,)
    weights = [None, rng.uniform(0, 2, values).astype("float32")]
    for reduction in ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight"):
        for weight in weights:
            ours, theirs = (
                getattr(package, case.name)(**case.kwargs, reduction=reduction)
                for package in (losses, keras().losses)
            )
            y = ours(y_true, y_pred, weight)
            expected = np.asarray(theirs(y_true, y_pred, weight))
            assert y.dtype == "float32"
            np.testing.assert_allclose(y, expected, rtol=1e-6, atol=2e-7)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_functions(case):
    y_true, y_pred = case.arrays()
    ours, theirs = (
        getattr(package, FUNCTIONS[case.name]) for package in (losses, keras().losses)
    )
    np.testing.assert_allclose(
        ours(y_true, y_pred, **case.kwargs),
        np.asarray(theirs(y_true, y_pred, **case.kwargs)),
        rtol=1e-6,
        atol=2e-7,
    )


@pytest.mark.parametrize(
    "shapes", [((6,), (6, 1)), ((6, 1), (6,)), ((6, 3), (6, 3, 1))]
)
@pytest.mark.parametrize("name", ["MeanSquaredError", "Huber", "BinaryCrossentropy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_last_axis_of_one_may_be_missing(shapes, name, weighted):
    rng = np.random.default_rng(0)
    y_true, y_pred = (rng.uniform(size=s).astype("float32") for s in shapes)
    weight = rng.uniform(size=6).astype("float32") if weighted else None
    ours = getattr(losses, name)()(y_true, y_pred, weight)
    theirs = getattr(keras().losses, name)()(y_true, y_pred, weight)
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-6)


@pytest.mark.parametrize("logits", [False, True])
def test_extreme_predictions(logits):
    y_pred = np.array([[0.0, 1.0], [1.0, 0.0]], "float32") * (200 if logits else 1)
    y_true = np.array([[0.0, 1.0], [0.0, 1.0]], "float32")
    for name in ("BinaryCrossentropy", "CategoricalCrossentropy"):
        ours = getattr(losses, name)(from_logits=logits, reduction=None)
        theirs = getattr(keras().losses, name)(from_logits=logits, reduction=None)
        expected = np.asarray(theirs(y_true, y_pred))
        # 1 - (1 - 1e-7) is all rounding in float32: the last digits are anybody's.
        np.testing.assert_allclose(ours(y_true, y_pred), expected, rtol=1e-5, atol=2e-7)


def test_sequences_with_a_class_at_every_step():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 3, (4, 5)).astype("int32")
    logits = rng.normal(size=(4, 5, 3)).astype("float32")
    weight = rng.uniform(size=(4, 5)).astype("float32")
    for w in (None, weight):
        ours, theirs = (
            package.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
            for package in (losses, keras().losses)
        )
        expected = np.asarray(theirs(labels, logits, w))
        np.testing.assert_allclose(ours(labels, logits, w), expected, rtol=1e-6)


SHORT = ["bce", "kld", "mae", "mape", "mse", "msle"]


@pytest.mark.parametrize(
    "name", [*SHORT, *(name.upper() for name in SHORT), *FUNCTIONS.values()]
)
def test_get_finds_functions(name):
    assert losses.get(name).__name__ == keras().losses.get(name).__name__


@pytest.mark.parametrize("name", CLASSES)
def test_get_finds_classes(name):
    assert type(losses.get(name)).__name__ == name
    assert (
        losses.get(getattr(losses, name)).get_config() == losses.get(name).get_config()
    )


def test_get_leaves_what_is_a_loss_already():
    loss = losses.Huber()
    assert losses.get(loss) is loss
    assert losses.get(None) is None
    assert losses.get(losses.huber) is losses.huber


def test_functions_are_saved_as_keras_saves_them():
    data = losses.serialize(losses.mean_squared_error)
    assert data == keras().losses.serialize(keras().losses.mean_squared_error)
    assert losses.deserialize(data) is losses.mean_squared_error


def test_a_wrapped_function_goes_both_ways():
    ours = losses.LossFunctionWrapper(losses.huber, name="h", delta=0.5)
    read = losses.deserialize(losses.serialize(ours))
    assert read.fn is losses.huber
    assert read.get_config() == ours.get_config()
    case = LossCase("Huber", {"delta": 0.5}, "real")
    assert read(*case.arrays()) == losses.Huber(0.5)(*case.arrays())


def test_a_dictionary_without_module_means_a_loss_and_not_a_metric():
    import deepneuron.metrics  # noqa: F401 - has classes of the same name

    assert isinstance(losses.get({"class_name": "Hinge", "config": {}}), losses.Hinge)
