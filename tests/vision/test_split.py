import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.data import load_digits
from deepneuron.data.collection import Skipped
from deepneuron.data.stratify import stratified_split
from deepneuron.errors import ArgumentError, DataError
from deepneuron.vision.split import split_rows
from tests.vision.stores import make_store, random_pictures


def store_of(y, which=None, part=None, **more):
    """Rows with these labels; rows with an equal `which` are copies."""
    y = np.asarray(y)
    which = np.arange(len(y)) if which is None else np.asarray(which)
    x = which.astype("<i4").view(np.uint8).reshape(-1, 2, 2)
    return make_store(x, y, part, **more)


@st.composite
def stores(draw):
    """Two to four classes, some copies, with or without parts of their own."""
    classes = draw(st.integers(2, 4))
    y = [*range(classes)] * 2  # two different pictures of each, in the training part
    part, which = [0] * len(y), list(range(len(y)))
    source_has = draw(st.sampled_from([(0,), (0, 1), (0, 2), (0, 1, 2)]))
    for i in range(draw(st.integers(0, 80))):
        y.append(draw(st.integers(0, classes - 1)))
        part.append(draw(st.sampled_from(source_has)))
        copy = draw(st.booleans())
        which.append(draw(st.integers(0, len(y) - 2)) if copy else 1000 + i)
    order = np.argsort(part, kind="stable")
    y, part, which = (np.array(z)[order] for z in (y, part, which))
    # A copy of a copy is a copy; labels of copies may differ.
    return store_of(y, which, part)


@given(stores(), st.integers(0, 2**32 - 1))
def test_a_split_promises_much(store, seed):
    try:
        rows = split_rows(store, seed=seed)
    except DataError as error:
        assert "set aside" in str(error)  # noqa: PT017 - all others are failures
        return
    parts = (rows.train, rows.validation, rows.test)
    # every row is in one part
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(store.y)))
    for i, part in enumerate(parts):
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()
        assert len(part)
        own = store.part == i
        if i > 0 and own.any():  # what the source has is kept
            assert part.tolist() == np.flatnonzero(own).tolist()
    # every class is learned
    assert set(store.y[rows.train]) == set(store.y)
    # what was taken away is no copy of what is learned, or of what else was taken
    digest = [bytes(d) for d in store.facts.digest]
    sets = [{digest[row] for row in part if store.part[row] == 0} for part in parts]
    assert not sets[0] & sets[1]
    assert not sets[0] & sets[2]
    assert not sets[1] & sets[2]


@given(stores(), st.integers(0, 99))
def test_the_same_seed_splits_alike(store, seed):
    try:
        one, two = split_rows(store, seed=seed), split_rows(store, seed=seed)
    except DataError:
        return
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_shares_are_of_what_there_is_to_learn_from():
    store = store_of(np.arange(1000) % 4)
    rows = split_rows(store, validation=0.1, test=0.2, seed=0)
    assert [len(rows.train), len(rows.validation), len(rows.test)] == [700, 100, 200]
    for part, each in ((rows.validation, 25), (rows.test, 50)):
        assert np.bincount(store.y[part]).tolist() == [each] * 4


def test_the_same_rows_on_every_machine():
    rows = split_rows(store_of(np.arange(20) % 2), seed=5)
    assert rows.validation.tolist() == [10, 13]
    assert rows.test.tolist() == [6, 9, 12, 15]


def test_the_embedded_digits_are_split_as_before():
    (x, y), (x_test, y_test) = load_digits()
    part = [0] * len(y) + [2] * len(y_test)
    store = make_store(np.concatenate([x, x_test]), np.concatenate([y, y_test]), part)
    rows = split_rows(store, seed=0)
    kept, aside = stratified_split(y, 0.1, 0)
    np.testing.assert_array_equal(rows.train, kept)
    np.testing.assert_array_equal(rows.validation, aside)
    assert len(rows.test) == 360


def test_a_class_of_three_has_one_in_each_part():
    store = store_of([0] * 30 + [1] * 3)
    rows = split_rows(store, seed=1)
    for part in (rows.train, rows.validation, rows.test):
        assert (store.y[part] == 1).sum() == 1


def test_copies_of_one_picture_are_learned_together():
    store = store_of([0] * 20 + [1] * 20, [*range(20), *[50] * 20])
    rows = split_rows(store, seed=0)
    assert (store.y[rows.train] == 1).sum() == 20


def test_contradicting_copies_judge_nothing():
    y = np.arange(40) % 2
    which = np.arange(40) // 2 * 2  # each picture once as 0 and once as 1
    which[8:] = np.arange(8, 40)
    rows = split_rows(store_of(y, which), test=0.4, validation=0.4, seed=0)
    assert set(range(8)) <= set(rows.train.tolist())


def test_equal_pixels_stay_together_in_whatever_files():
    y, which = np.repeat([0, 1], 30), np.arange(60) // 2
    files = np.arange(60, dtype=np.uint8).repeat(16).reshape(60, 16)
    rows = split_rows(store_of(y, which, digest=files), seed=0)
    assert len(rows.test) == 12
    parts = [set(which[part]) for part in (rows.train, rows.validation, rows.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 30


def test_the_seed_decides():
    store = store_of(np.arange(200) % 2)
    one, two = split_rows(store, seed=0), split_rows(store, seed=1)
    assert one.test.tolist() != two.test.tolist()


def test_one_class_is_no_task():
    store = store_of(
        [0] * 5,
        class_names=["cats", "dogs"],
        skipped=[Skipped("dogs/1.png", "it is empty (0 bytes)")],
    )
    with pytest.raises(
        DataError, match=r'one only, "cats".*"dogs/1.png" \(it is empty'
    ):
        split_rows(store, seed=0)


def test_no_picture_is_no_task():
    store = make_store(np.zeros((0, 2, 2)), [], class_names=["a", "b"])
    with pytest.raises(DataError, match="there are pictures of none"):
        split_rows(store, seed=0)


def test_a_class_that_is_only_tested_cannot_be_learned():
    store = store_of([0, 0, 1, 1, 2], part=[0, 0, 0, 0, 2])
    with pytest.raises(DataError, match='"class 2" has no picture to learn from'):
        split_rows(store, seed=0)


def test_single_pictures_cannot_be_divided():
    with pytest.raises(DataError, match="No picture can be set aside for test"):
        split_rows(store_of([0, 1]), seed=0)
    with pytest.raises(DataError, match="No picture can be set aside for validation"):
        split_rows(store_of([0, 0, 1, 1]), seed=0)


@pytest.mark.parametrize("shares", [(0, 0.2), (0.5, 0.5), (0.1, 1.2), (-0.1, 0.2)])
def test_shares_must_leave_something(shares):
    validation, test = shares
    with pytest.raises(ArgumentError, match="together less than 1; received"):
        split_rows(
            make_store(random_pictures(4), [0, 1, 0, 1]),
            validation=validation,
            test=test,
            seed=0,
        )
