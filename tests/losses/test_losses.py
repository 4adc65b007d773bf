"""What losses refuse, and what one can make of them."""

from __future__ import annotations

import numpy as np
import pytest

from deepneuron import losses, ops
from deepneuron.engine.capture import Function
from deepneuron.errors import ArgumentError, DataError, ShapeError, UnknownNameError
from tests.losses.loss_cases import OURS


def test_sum_of_squared_errors():
    y_true, y_pred = OURS.arrays()
    half = 0.5 * (y_true - y_pred) ** 2
    values = losses.sum_of_squared_errors(y_true, y_pred)
    np.testing.assert_allclose(values, half.sum(-1), rtol=1e-6)
    np.testing.assert_allclose(
        losses.SumOfSquaredErrors()(y_true, y_pred), half.sum(), rtol=1e-6
    )
    weights = np.arange(6, dtype="float32")
    np.testing.assert_allclose(
        losses.SumOfSquaredErrors()(y_true, y_pred, weights),
        (half.sum(-1) * weights).sum(),
        rtol=1e-6,
    )


@pytest.mark.parametrize("name", ["sse", "SSE", "sum_of_squared_errors"])
def test_sum_of_squared_errors_by_name(name):
    assert losses.get(name).reduction == "sum"


def test_sum_of_squared_errors_comes_back():
    loss = losses.SumOfSquaredErrors(reduction="mean")
    again = losses.deserialize(losses.serialize(loss))
    assert isinstance(again, losses.SumOfSquaredErrors)
    assert again.get_config() == loss.get_config()


def test_a_loss_of_ones_own():
    class Quartic(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.square(ops.square(y_true - y_pred)), axis=-1)

    loss = Quartic(name="quartic", reduction="sum")
    assert loss(np.zeros((2, 2)), np.ones((2, 2))) == 2.0
    assert losses.get(Quartic).name == "quartic"


def test_targets_in_a_dictionary():
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return sum(ops.mean(ops.abs(y_true[k] - y_pred[k]), -1) for k in y_true)

    y_true = {"a": np.zeros((2, 3)), "b": np.zeros((2, 1))}
    y_pred = {"a": np.ones((2, 3)), "b": np.full((2, 1), 2.0)}
    assert Both()(y_true, y_pred) == 3.0


def test_no_samples_give_zero():
    empty = np.zeros((0, 3), "float32")
    assert losses.MeanSquaredError()(empty, empty).sum() == 0.0


def test_unknown_names_offer_near_ones():
    with pytest.raises(UnknownNameError, match="mean_squared_error"):
        losses.get("mean_squard_error")
    with pytest.raises(ValueError, match="Unknown loss: 3"):
        losses.get(3)


def test_unknown_reduction():
    with pytest.raises(ArgumentError, match="received 'average'"):
        losses.MeanSquaredError(reduction="average")


@pytest.mark.parametrize("name", ["MeanSquaredError", "MeanAbsoluteError", "Huber"])
def test_targets_and_predictions_of_other_shapes(name):
    loss = getattr(losses, name)()
    with pytest.raises(ShapeError, match=r"\(4, 1\) and y_pred has shape \(4, 3\)"):
        loss(np.zeros((4, 1)), np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="one unit"):
        loss(np.zeros(4), np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="different numbers of samples"):
        loss(np.zeros((5, 3)), np.zeros((4, 3)))


def test_class_numbers_for_one_hot():
    for shape in ((4,), (4, 1)):
        with pytest.raises(ShapeError, match="use sparse_categorical_crossentropy"):
            losses.CategoricalCrossentropy()(np.zeros(shape), np.full((4, 3), 1 / 3))
    with pytest.raises(ShapeError, match="sparse_categorical_crossentropy"):
        losses.BinaryCrossentropy()(np.zeros(4), np.full((4, 3), 1 / 3))


def test_one_hot_for_class_numbers():
    with pytest.raises(ShapeError, match="Use categorical_crossentropy"):
        losses.SparseCategoricalCrossentropy()(np.eye(3), np.full((3, 3), 1 / 3))


def test_other_numbers_of_classes():
    with pytest.raises(ShapeError, match="5 classes in y_true and 3 units"):
        losses.CategoricalCrossentropy()(np.zeros((4, 5)), np.full((4, 3), 1 / 3))


@pytest.mark.parametrize(
    "name", ["CategoricalCrossentropy", "SparseCategoricalCrossentropy"]
)
def test_one_unit_cannot_choose(name):
    with pytest.raises(ShapeError, match="binary_crossentropy"):
        getattr(losses, name)()(np.zeros((4, 1)), np.ones((4, 1)))


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("label", [-1, 4, 7])
def test_labels_out_of_range(label, from_logits, planned):
    loss = losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    loss = Function(loss) if planned else loss
    with pytest.raises(DataError, match=f"{label}.*0 to 3"):
        loss(np.array([0, label, 1]), np.full((3, 4), 0.25, "float32"))


def test_sample_weight_that_does_not_fit():
    with pytest.raises(ShapeError, match=r"sample_weight has shape \(5,\)"):
        losses.MeanSquaredError()(np.zeros((4, 2)), np.ones((4, 2)), np.ones(5))


def test_a_loss_without_call():
    with pytest.raises(NotImplementedError, match="def call"):
        losses.Loss()(np.zeros(2), np.zeros(2))
