"""Every metric is Keras's: names, arguments, configurations, numbers."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from deepneuron import metrics
from deepneuron.naming import to_snake_case
from tests.metrics.metric_cases import CASES
from tests.peers import keras

CLASSES = sorted({case.name for case in CASES})
BASES = {"Metric", "MeanMetricWrapper"}
FUNCTIONS = sorted({n for n in metrics.__all__ if n[0].islower()})
# Image segmentation and correlations: not part of the library.
LEFT_OUT = {"IoU", "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"}
LEFT_OUT |= {"PearsonCorrelation", "ConcordanceCorrelation"}
LEFT_OUT |= {"pearson_correlation", "concordance_correlation"}
LEFT_OUT |= {"PrecisionAtRecall", "RecallAtPrecision"}
LEFT_OUT |= {"SensitivityAtSpecificity", "SpecificityAtSensitivity"}


def both(case):
    ours = getattr(metrics, case.name)(**case.kwargs)
    return ours, getattr(keras().metrics, case.name)(**case.kwargs)


def test_the_names_are_those_of_keras():
    theirs = {n for n in dir(keras().metrics) if not n.startswith("_")}
    assert set(metrics.__all__) == theirs - LEFT_OUT


def test_every_name_is_there_and_every_case_is_a_name():
    assert all(hasattr(metrics, name) for name in metrics.__all__)
    classes = {n for n in metrics.__all__ if n[0].isupper()}
    assert set(CLASSES) == classes - BASES


@pytest.mark.parametrize("name", [*CLASSES, *sorted(BASES), *FUNCTIONS])
def test_signature(name):
    ours = inspect.signature(getattr(metrics, name)).parameters
    theirs = inspect.signature(getattr(keras().metrics, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_configuration_goes_both_ways(case):
    ours = getattr(metrics, case.name)(**case.kwargs, name="mine")
    theirs = getattr(keras().metrics, case.name)(**case.kwargs, name="mine")
    expected = theirs.get_config()
    if "label_weights" in case.kwargs:  # an array of JAX's
        expected["label_weights"] = case.kwargs["label_weights"]
    assert ours.get_config() == expected
    again = metrics.deserialize(metrics.serialize(ours))
    assert type(again) is type(ours)
    assert again.get_config() == expected
    back = keras().metrics.deserialize(metrics.serialize(ours))
    assert type(back) is type(theirs)
    if "label_weights" not in case.kwargs:
        assert back.get_config() == theirs.get_config()
        read = metrics.deserialize(keras().metrics.serialize(theirs))
        assert read.get_config() == expected


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_numbers_over_several_batches(case, weighted):
    ours, theirs = both(case)
    for seed in range(3):
        arrays = case.arrays(seed)
        weight = np.random.default_rng(seed).uniform(0, 2, 6).astype("float32")
        told = (weight,) if weighted else ()
        ours.update_state(*arrays, *told)
        theirs.update_state(*arrays, *told)
        expected = np.asarray(theirs.result())
        assert ours.result().dtype == "float32"
        assert ours.result().shape == expected.shape
        np.testing.assert_allclose(ours.result(), expected, rtol=2e-6, atol=3e-7)
    assert [v.shape for v in ours.variables] == [v.shape for v in theirs.variables]
    ours.reset_state()
    assert all((v.numpy() == 0).all() for v in ours.variables)


@pytest.mark.parametrize(
    ("shape", "weights"),
    [
        ((5, 3), (5, 3)),
        *((s, w) for s in ((5, 3), (5,), (5, 1)) for w in (None, (5,), (5, 1), ())),
    ],
)
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_values_and_weights_of_other_shapes(name, shape, weights):
    rng = np.random.default_rng(0)
    values = rng.normal(size=shape).astype("float32")
    weight = None
    if weights is not None:
        weight = np.asarray(rng.uniform(size=weights), "float32")
    ours, theirs = getattr(metrics, name)(), getattr(keras().metrics, name)()
    expected = np.asarray(theirs(values, weight))
    np.testing.assert_allclose(ours(values, weight), expected, rtol=1e-6)


def test_nothing_seen_is_zero():
    for name in ("Mean", "Sum", "Precision", "Recall", "AUC", "BinaryAccuracy"):
        assert getattr(metrics, name)().result() == 0.0


def test_top_k_with_ties_and_nan():
    y_pred = np.array([[0.5, 0.5, 0.5], [np.nan, 0.2, 0.3]], "float32")
    labels = np.array([2, 0])
    for k in (1, 2):
        ours, theirs = (
            package.sparse_top_k_categorical_accuracy(labels, y_pred, k=k)
            for package in (metrics, keras().metrics)
        )
        np.testing.assert_array_equal(ours, np.asarray(theirs))


def test_accuracy_of_sequences():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (4, 5))
    y_pred = rng.uniform(size=(4, 5, 3)).astype("float32")
    weight = rng.uniform(size=(4, 5)).astype("float32")
    one_hot = np.eye(3, dtype="float32")[labels]
    for name, y_true in (
        ("SparseCategoricalAccuracy", labels),
        ("SparseTopKCategoricalAccuracy", labels),
        ("CategoricalAccuracy", one_hot),
        ("TopKCategoricalAccuracy", one_hot),
    ):
        kwargs = {"k": 2} if "Top" in name else {}
        for w in (None, weight):
            ours = getattr(metrics, name)(**kwargs)(y_true, y_pred, w)
            theirs = getattr(keras().metrics, name)(**kwargs)(y_true, y_pred, w)
            np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-6)


SHORT = ["bce", "BCE", "mae", "MAE", "mape", "MAPE", "mse", "MSE", "msle", "MSLE"]


@pytest.mark.parametrize(
    "name", [*SHORT, *CLASSES, *(to_snake_case(name) for name in CLASSES)]
)
def test_get(name):
    ours, theirs = metrics.get(name), keras().metrics.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    assert ours.get_config()["dtype"] == "float32"


def test_functions_are_saved_as_keras_saves_them():
    for name in ("binary_accuracy", "mean_squared_error"):
        data = metrics.serialize(getattr(metrics, name))
        assert data == keras().metrics.serialize(getattr(keras().metrics, name))
        assert metrics.deserialize(data) is getattr(metrics, name)


def test_a_wrapped_function_goes_both_ways():
    ours = metrics.MeanMetricWrapper(metrics.binary_accuracy, name="b", threshold=0.3)
    theirs = keras().metrics.MeanMetricWrapper(
        keras().metrics.binary_accuracy, name="b", threshold=0.3
    )
    assert ours.get_config() == theirs.get_config()
    again = metrics.deserialize(metrics.serialize(ours))
    assert again(np.ones(2), np.array([0.4, 0.2])) == 0.5
    assert again.get_config() == ours.get_config()
