import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.data import load_fashion
from deepneuron.data.stratify import stratified_split
from deepneuron.errors import ArgumentError, DataError

labels = st.lists(st.integers(0, 4), max_size=60).map(lambda y: np.array(y, np.int64))


@given(labels, st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_every_row_is_on_one_side_and_every_class_on_both(y, share, seed):
    kept, aside = stratified_split(y, share, seed)
    assert sorted([*kept, *aside]) == list(range(len(y)))
    for label in np.unique(y):
        rows, chosen = (y == label).sum(), (y[aside] == label).sum()
        assert chosen < rows
        assert chosen >= min(1, rows - 1)
        assert abs(chosen - share * rows) <= 1


@given(labels, st.integers(0, 99))
def test_the_same_seed_chooses_the_same_rows(y, seed):
    first, second = stratified_split(y, 0.3, seed), stratified_split(y, 0.3, seed)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_another_seed_chooses_other_rows():
    (_, y), _ = load_fashion()
    one, two = stratified_split(y, 0.1, 0)[1], stratified_split(y, 0.1, 1)[1]
    assert len(one) == len(two) == 200
    assert (np.bincount(y[one]) == 20).all()
    assert set(one) != set(two)


def test_no_global_generator_is_touched():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    stratified_split(np.arange(10) % 2, 0.5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_that_is_none(share):
    with pytest.raises(ArgumentError, match="share must lie between 0 and 1"):
        stratified_split(np.zeros(4), share)


def test_one_label_for_each_row():
    with pytest.raises(DataError, match=r"y has shape \(4, 2\)"):
        stratified_split(np.zeros((4, 2)), 0.5)
