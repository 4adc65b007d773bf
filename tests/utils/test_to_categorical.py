import numpy as np
import pytest

from deepneuron.errors import DataError
from deepneuron.utils import normalize, to_categorical
from tests.peers import keras


@pytest.mark.parametrize(
    ("x", "num_classes"),
    [
        ([0, 2, 1], None),
        ([0, 2, 1], 5),
        ([[0, 1], [2, 0]], None),
        ([[0], [2]], 3),
        (np.array([[[1]], [[0]]]), None),
        (np.array([0.0, 1.0]), 2),
        ([True, False], None),
        (2, 4),
        ([], 3),
        (["1", "0"], None),
    ],
)
def test_to_categorical_as_in_keras(x, num_classes):
    ours = to_categorical(x, num_classes)
    theirs = keras().utils.to_categorical(x, num_classes)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("x", "num_classes", "match"),
    [
        ([0, 1, 10], 10, r"Label 10 at index 2 is outside of 0 ... 9"),
        ([0, -1], None, r"Label -1 at index 1"),
        ([[0, 1], [7, 1]], 3, r"Label 7 at index \(1, 0\)"),
        (["0", "cat"], None, r"Label cat is text"),
        ([0, None], None, r"Label None is not a whole number"),
        ([0.0, 1.5], None, r"Label 1.5 is not a whole number"),
        ([0.0, np.nan], None, r"Label nan is not a whole number"),
        ([], None, "no labels"),
    ],
)
def test_to_categorical_names_the_offending_label(x, num_classes, match):
    with pytest.raises(DataError, match=match):
        to_categorical(x, num_classes)


@pytest.mark.parametrize("order", [1, 2, np.inf])
@pytest.mark.parametrize("axis", [-1, 1])
def test_normalize_as_in_keras(axis, order):
    x = np.random.default_rng(0).normal(size=(4, 3))
    x[1] = 0
    theirs = keras().utils.normalize(x, axis, order)
    np.testing.assert_allclose(normalize(x, axis, order), theirs, rtol=1e-12)


def test_normalize_along_the_first_axis():
    # Keras divides NumPy arrays along the wrong axis here; its tensors are right.
    x = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    theirs = keras().utils.normalize(keras().ops.convert_to_tensor(x), axis=0)
    np.testing.assert_allclose(normalize(x, axis=0), np.asarray(theirs), rtol=1e-5)
