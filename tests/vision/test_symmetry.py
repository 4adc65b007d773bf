import time

import numpy as np
import pytest

from deepneuron.data import load_digits
from deepneuron.errors import DataError
from deepneuron.vision.symmetry import symmetry
from tests.vision.stores import random_pictures


def halves(x):
    return np.arange(0, len(x), 2), np.arange(1, len(x), 2)


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
    result = symmetry(x[..., None] * 15, y, *halves(x))
    assert result.upright > 0.85
    assert max(result.mirrored, result.upside_down, result.turned) < 0.5
    flips = result.allowed([str(i) for i in range(10)])
    assert (flips.horizontal, flips.vertical, flips.quarter_turns) == (False,) * 3
    assert "linear classifier is right on" in flips.why


@pytest.mark.parametrize("rows", [100, 1000])
def test_what_looks_the_same_from_all_sides_is_flipped(rows):
    x, y = blobs(rows)
    flips = symmetry(x, y, *halves(x)).allowed()
    assert flips.horizontal
    assert flips.vertical
    assert flips.quarter_turns


@pytest.mark.parametrize("seed", range(5))
def test_what_has_an_up_is_mirrored_only(seed):
    x, y = leaning(600, axis=1, seed=seed)
    flips = symmetry(x, y, *halves(x)).allowed()
    assert flips.horizontal
    assert not flips.vertical
    assert not flips.quarter_turns


def test_what_has_a_left_is_not_mirrored():
    x, y = leaning(600, axis=2)
    flips = symmetry(x, y, *halves(x)).allowed()
    assert not flips.horizontal
    assert flips.vertical


def test_without_a_pattern_left_and_right_may_be_exchanged():
    x = random_pictures(400, 20, 20, 3)
    y = np.random.Generator(np.random.Philox(key=4)).integers(0, 2, 400)
    result = symmetry(x, y, *halves(x))
    assert not result.above_chance
    flips = result.allowed(["cats", "dogs"])
    assert (flips.horizontal, flips.vertical, flips.quarter_turns) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    "names", [["0", "1"], ["Seven", "eight"], ["A", "b", "cat"], ["10", "20"]]
)
def test_without_a_pattern_letters_and_digits_are_left_alone(names):
    x = random_pictures(100, 8, 8)
    y = np.random.Generator(np.random.Philox(key=5)).integers(0, 2, 100)
    flips = symmetry(x, y, *halves(x)).allowed(names)
    assert not flips.horizontal
    assert "digits or letters" in flips.why


def test_a_class_that_was_not_learned_is_never_right():
    x, y = blobs(100)
    y = np.where(np.arange(100) == 99, 7, y)
    result = symmetry(x, y, np.arange(50), np.arange(99, 100))
    assert result.upright == result.chance == 0


def test_thousands_of_large_pictures_take_a_second():
    x, y = np.repeat(np.repeat(blobs(3000)[0], 3, 1), 3, 2), blobs(3000)[1]
    begin = time.perf_counter()
    symmetry(x, y, *halves(x))
    assert time.perf_counter() - begin < 5  # 0.3 on a quiet machine


def test_rows_are_needed_on_both_sides():
    x, y = blobs(4)
    with pytest.raises(DataError, match="received 4 and 0"):
        symmetry(x, y, np.arange(4), np.arange(0))
