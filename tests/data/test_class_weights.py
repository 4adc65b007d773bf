import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from deepneuron.data.class_weights import automatic_weights, balanced_weights
from deepneuron.errors import DataError

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=80).map(np.array)


@given(LABELS)
def test_balanced_weights_are_those_of_scikit_learn(y):
    weights = balanced_weights(y, 5)
    present = np.unique(y)
    theirs = compute_class_weight("balanced", classes=present, y=y)
    np.testing.assert_allclose(weights[present], theirs, rtol=1e-6)
    assert weights[np.setdiff1d(np.arange(5), present)].sum() == 0
    assert weights.dtype == np.float32


@given(LABELS, st.floats(0, 1))
def test_a_sample_weighs_one_on_average(y, power):
    assert balanced_weights(y, 5, power)[y].mean() == pytest.approx(1, rel=1e-5)


def test_between_none_and_all_lies_the_square_root():
    y = np.repeat([0, 1], [100, 1])
    for power, ratio in ((0, 1), (0.5, 10), (1, 100)):
        weights = balanced_weights(y, 2, power)
        assert weights[1] / weights[0] == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize(("counts", "on"), [((30, 10), False), ((31, 10), True)])
def test_weights_are_on_over_three_times_the_rows(counts, on):
    weights, why = automatic_weights(np.repeat([0, 1], counts), 2)
    assert (weights is not None) is on
    assert f"the largest {'' if on else 'class '}has {counts[0]} rows" in why
    assert "the smallest 10" in why
    assert ("counts 1.8 times as much" in why) is on


def test_a_class_without_rows_has_no_say():
    weights, why = automatic_weights(np.repeat([0, 2], [40, 10]), 3)
    assert weights[1] == 0
    assert weights[2] / weights[0] == pytest.approx(2)
    assert "the smallest 10" in why


@pytest.mark.parametrize("y", [[-1, 0], [0, 3]])
def test_labels_of_no_class(y):
    with pytest.raises(DataError, match="between 0 and 2; received"):
        balanced_weights(np.array(y), 3)


def test_no_labels():
    with pytest.raises(DataError, match="no labels"):
        automatic_weights(np.zeros(0, int), 3)
