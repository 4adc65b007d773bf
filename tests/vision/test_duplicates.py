import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deepneuron.data import load_digits, load_fashion
from deepneuron.data.fingerprint import averages
from deepneuron.vision.duplicates import exact_groups, find_duplicates, pool
from tests.vision.stores import make_store, random_pictures


def as_lists(groups):
    return [group.tolist() for group in groups]


def saved_again(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(io.BytesIO(file.getvalue())))


def soft(rows, seed=0):
    """Coloured pictures without sharp edges, (rows, 48, 48, 3)."""
    small = random_pictures(rows, 6, 6, 3, seed)
    scaled = [
        Image.fromarray(p).resize((48, 48), Image.Resampling.BICUBIC) for p in small
    ]
    return np.stack([np.asarray(p) for p in scaled])


def test_copies_of_a_file_are_one_group():
    x = random_pictures(6)
    x[4], x[5], x[3] = x[1], x[1], x[0]
    found = find_duplicates(make_store(x, np.zeros(6)))
    assert as_lists(found.exact) == [[0, 3], [1, 4, 5]]
    assert found.near == ()


@given(st.lists(st.integers(0, 5), max_size=30))
def test_exact_groups_name_the_first_row_of_each_digest(values):
    digest = np.repeat(np.array(values, np.uint8).reshape(-1, 1), 16, axis=1)
    expected = [values.index(value) for value in values]
    assert exact_groups(digest).tolist() == expected


@pytest.mark.parametrize("quality", [95, 85, 75])
def test_a_picture_saved_again_as_jpeg_is_nearly_the_same(quality):
    x = soft(40)
    again = np.stack([saved_again(p, quality) for p in x[:10]])
    found = find_duplicates(make_store(np.concatenate([x, again]), np.zeros(50)))
    assert found.exact == ()
    assert as_lists(found.near) == [[i, 40 + i] for i in range(10)]


def test_a_picture_in_other_light_is_nearly_the_same():
    x = soft(20)
    brighter = np.clip(x[:5] * 0.8 + 20, 0, 255).astype(np.uint8)
    found = find_duplicates(make_store(np.concatenate([x, brighter]), np.zeros(25)))
    assert as_lists(found.near) == [[i, 20 + i] for i in range(5)]


def test_a_group_of_near_copies_includes_the_exact_ones():
    x = soft(10)
    again = saved_again(x[2], 80)
    x = np.concatenate([x, x[2:3], again[None]])
    found = find_duplicates(make_store(x, np.zeros(12)))
    assert as_lists(found.exact) == [[2, 10]]
    assert as_lists(found.near) == [[2, 10, 11]]


def test_another_colour_is_another_picture():
    shape = np.full((32, 32, 3), 255)
    red, blue = shape.copy(), shape.copy()
    red[8:24, 8:24] = 230, 20, 20
    blue[8:24, 8:24] = 20, 20, 230
    found = find_duplicates(make_store(np.stack([red, blue]), [0, 1]))
    assert found.near == ()


def test_nearly_uniform_pictures_are_like_none():
    generator = np.random.Generator(np.random.Philox(key=3))
    x = 120 + generator.integers(0, 2, (50, 32, 32, 3))
    x += np.arange(50)[:, None, None, None]
    assert find_duplicates(make_store(x, np.zeros(50))).near == ()


def test_different_digits_and_clothes_are_told_apart():
    for load, peak, most in ((load_digits, 15, 1), (load_fashion, 1, 5)):
        (x, y), (x_test, y_test) = load()
        store = make_store(
            np.concatenate([x, x_test]) * peak, np.concatenate([y, y_test])
        )
        near = find_duplicates(store).near
        assert len(near) <= most
        for group in near:
            assert len(set(store.y[group])) == 1


def test_chains_join_whatever_their_length():
    first, last = soft(2).astype(np.float32)
    share = np.linspace(0, 1, 200)[:, None, None, None]
    x = (first * (1 - share) + last * share).astype(np.uint8)
    found = find_duplicates(make_store(x, np.zeros(200)))
    assert as_lists(found.near) == [list(range(200))]


@pytest.mark.parametrize("alike", [False, True])
def test_many_equal_hashes_take_no_quadratic_time(alike):
    rows = 20_000
    generator = np.random.Generator(np.random.Philox(key=1))
    if alike:
        x = generator.integers(0, 256, (1, 12, 12)) // 2
        x = (x + generator.integers(0, 3, (rows, 12, 12))).astype(np.uint8)
    else:
        x = generator.integers(0, 256, (rows, 12, 12), np.uint8)
    store = make_store(
        x,
        np.zeros(rows),
        names=["x"] * rows,
        dhash=np.zeros(rows, np.uint64),
        digest=generator.integers(0, 256, (rows, 16), np.uint8),
    )
    begin = time.perf_counter()
    found = find_duplicates(store)
    assert time.perf_counter() - begin < 20  # all with all would be 200 million pairs
    assert [len(group) for group in found.near] == ([rows] if alike else [])


def test_nothing_is_no_duplicate():
    store = make_store(np.zeros((0, 4, 4)), np.zeros(0))
    assert find_duplicates(store).exact == find_duplicates(store).near == ()


@given(st.integers(1, 40), st.integers(1, 40))
def test_averages_keep_the_mean(length, size):
    size = min(length, size)
    matrix = averages(length, size)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(matrix.sum(axis=0), size / length, rtol=1e-5)


def test_pooling_divides_pictures_evenly():
    x = random_pictures(3, 12, 8, 3)
    expected = x.reshape(3, 4, 3, 4, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(pool(x, 4), expected, rtol=1e-5)


def test_progress_is_told():
    seen = []
    find_duplicates(
        make_store(random_pictures(5), np.zeros(5)), lambda *at: seen.append(at)
    )
    assert seen[-1][0] == seen[-1][1] == len(seen)
