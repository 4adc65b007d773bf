import time

import numpy as np
import pytest

from deepneuron.data import load_digits
from deepneuron.errors import DataError
from deepneuron.vision.symmetry import symmetry
from tests.vision.stores import random_pictures


def blobs(rows, seed=0):
    """Bright in the middle, or bright around it: (rows, 20, 20, 3) and labels."""
    x = random_pictures(rows, 20, 20, 3, seed) // 2
    y = np.arange(rows) // 2 % 2
    inner = np.zeros((20, 20), bool)
    inner[6:14, 6:14] = True
    bright = np.where(y[:, None, None] == 1, inner, ~inner)
    return (x + 100 * bright[..., None]).astype(np.uint8), y


def leaning(rows, axis, seed=0):
    """Bright on one side for one class, on the other side for the other."""
    x = random_pictures(rows, 20, 20, 1, seed) // 2
    y = np.arange(rows) // 2 % 2
    side = np.arange(20) < 10
    side = side[None, :, None] if axis == 1 else side[None, None, :]
    bright = (y[:, None, None] == 1) == side
    return (x + 60 * bright[..., None]).astype(np.uint8), y


def test_digits_are_not_flipped():
    (x, y), _ = load_digits()
    result = symmetry(x[..., None] * 15, y, np.arange(len(x)))
    assert result.upright > 0.9
    assert max(result.mirrored, result.upside_down) < result.upright - 0.05
    flips = result.allowed()
    assert (flips.horizontal, flips.vertical) == (False, False)
    assert "linear classifier is right on" in flips.why


def test_names_tell_where_too_few_digits_do_not():
    (x, y), _ = load_digits()
    rows = np.arange(60)
    result = symmetry(x[:60, ..., None] * 15, y[:60], rows)
    flips = result.allowed(list("0123456789"))
    assert (flips.horizontal, flips.vertical) == (False, False)
    assert "digits or letters" in flips.why


@pytest.mark.parametrize("rows", [100, 1000])
def test_what_looks_the_same_from_all_sides_is_flipped(rows):
    x, y = blobs(rows)
    flips = symmetry(x, y, np.arange(len(x))).allowed()
    assert flips.horizontal
    assert flips.vertical


@pytest.mark.parametrize("seed", range(5))
def test_what_has_an_up_is_mirrored_only(seed):
    x, y = leaning(600, axis=1, seed=seed)
    flips = symmetry(x, y, np.arange(len(x))).allowed()
    assert flips.horizontal
    assert not flips.vertical


def test_what_has_a_left_is_not_mirrored():
    x, y = leaning(600, axis=2)
    flips = symmetry(x, y, np.arange(len(x))).allowed()
    assert not flips.horizontal


def test_without_a_pattern_left_and_right_may_be_exchanged():
    x = random_pictures(400, 20, 20, 3)
    y = np.random.Generator(np.random.Philox(key=4)).integers(0, 2, 400)
    result = symmetry(x, y, np.arange(len(x)))
    assert not result.above_chance
    flips = result.allowed(["cats", "dogs"])
    assert (flips.horizontal, flips.vertical) == (True, False)


@pytest.mark.parametrize(
    "names", [["0", "1"], ["Seven", "eight"], ["A", "b", "cat"], ["10", "20"]]
)
def test_without_a_pattern_letters_and_digits_are_left_alone(names):
    x = random_pictures(100, 8, 8)
    y = np.random.Generator(np.random.Philox(key=5)).integers(0, 2, 100)
    flips = symmetry(x, y, np.arange(len(x))).allowed(names)
    assert not flips.horizontal
    assert "digits or letters" in flips.why


def test_a_class_of_one_picture_is_never_right():
    x, y = blobs(100)
    y = np.where(np.arange(100) == 99, 7, y)
    assert symmetry(x, y, np.arange(100)).upright <= 0.99


def test_thousands_of_large_pictures_take_a_second():
    x, y = np.repeat(np.repeat(blobs(3000)[0], 3, 1), 3, 2), blobs(3000)[1]
    begin = time.perf_counter()
    symmetry(x, y, np.arange(len(x)))
    assert time.perf_counter() - begin < 5  # 0.3 on a quiet machine


def test_a_few_rows_are_needed():
    x, y = blobs(4)
    with pytest.raises(DataError, match="received 3"):
        symmetry(x, y, np.arange(3))
    assert symmetry(x, y, np.arange(4)).rows == 4
