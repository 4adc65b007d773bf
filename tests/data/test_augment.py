import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.data import augment
from deepneuron.data.augment import Augmentation, automatic, change_contrast, warp
from deepneuron.errors import ArgumentError, DataError, UnknownNameError

SHAPES = [(5, 12, 9, 1), (4, 9, 12, 3)]
EVERYTHING = "flip,flip_vertical,rotate,shift,zoom,contrast,erase"


def generator(seed=0):
    return np.random.Generator(np.random.Philox(key=seed))


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def on_black(shape, margin, seed=0):
    """Noise in the middle of black: nothing that leaves the picture, or enters it."""
    x = noise(shape, seed)
    inner = np.zeros_like(x)
    middle = (slice(None), slice(margin, -margin), slice(margin, -margin))
    inner[middle] = x[middle]
    return inner


def same_for_all(count, linear, offset):
    one = np.concatenate([np.array(linear, float), np.array(offset, float)[:, None]], 1)
    return np.repeat(one[None], count, 0)


def bilinear(x, maps):
    """y[p] = x[map(p)] in float64, where the border goes on outside."""
    _, height, width, _ = x.shape
    y = np.empty(x.shape)
    for i, (linear, offset) in enumerate(
        zip(maps[:, :, :2], maps[:, :, 2], strict=True)
    ):
        for row in range(height):
            for column in range(width):
                at_x, at_y = linear @ (column + 0.5, row + 0.5) + offset - 0.5
                left, top = math.floor(at_x), math.floor(at_y)
                value = 0.0
                for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
                    share_x = at_x - left if dx else 1 - (at_x - left)
                    share_y = at_y - top if dy else 1 - (at_y - top)
                    from_x = min(max(left + dx, 0), width - 1)
                    from_y = min(max(top + dy, 0), height - 1)
                    value = value + share_x * share_y * x[i, from_y, from_x]
                y[i, row, column] = value
    return y


# --- what it does to pictures


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_asked_for_changes_nothing(shape):
    x = noise(shape)
    y = Augmentation()(x, generator())
    np.testing.assert_array_equal(y, x)
    assert y is not x
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", [*EVERYTHING.split(","), EVERYTHING])
def test_the_same_generator_gives_the_same_pictures_and_leaves_the_old_ones(
    shape, text
):
    x = noise(shape)
    before = x.copy()
    augmentation = Augmentation.parse(text)
    one, other = augmentation(x, generator(3)), augmentation(x, generator(3))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(x, before)
    assert one.shape == x.shape
    assert one.dtype == np.uint8
    assert any((augmentation(x, generator(s)) != one).any() for s in (4, 5, 6))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("asked", "mirror"),
    [
        ("flip", lambda x: x[:, ::-1]),
        ("flip_vertical", lambda x: x[::-1]),
        # in the affine map, beside a rotation that cannot be seen
        ("flip,rotate=1e-9", np.fliplr),
        ("flip_vertical,rotate=1e-9", np.flipud),
    ],
)
def test_a_picture_is_mirrored_or_it_is_not(shape, asked, mirror):
    x = noise((60, *shape[1:]))
    y = Augmentation.parse(asked)(x, generator())
    mirrored = np.array([mirror(picture) for picture in x])
    was_mirrored = (np.abs(y.astype(int) - mirrored) <= 1).all((1, 2, 3))
    stayed = (np.abs(y.astype(int) - x) <= 1).all((1, 2, 3))
    assert (was_mirrored ^ stayed).all()
    assert 15 < was_mirrored.sum() < 45


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("move", [(0, 0), (2, 0), (0, -1), (-2, 2)])
def test_a_shift_by_whole_pixels_is_a_roll(shape, move):
    x = on_black(shape, 2)
    maps = same_for_all(len(x), [[1, 0], [0, 1]], [-move[0], -move[1]])
    np.testing.assert_array_equal(warp(x, maps), np.roll(x, move, (2, 1)))


@pytest.mark.parametrize(
    ("quarters", "linear"), [(1, [[0, -1], [1, 0]]), (2, -np.eye(2))]
)
def test_quarter_turns_are_those_of_numpy(quarters, linear):
    x = noise((3, 10, 10, 3))
    offset = np.array([5, 5]) - np.array(linear) @ [5, 5]
    y = warp(x, same_for_all(3, linear, offset))
    np.testing.assert_array_equal(y, np.rot90(x, quarters, (1, 2)))


def test_a_zoom_by_two_repeats_what_lies_in_the_middle():
    x = np.zeros((1, 8, 8, 1), np.uint8)
    x[0, 3:5, 3:5] = 200
    y = warp(x, same_for_all(1, np.eye(2) / 2, [2, 2]))[0, :, :, 0]
    assert (y[3:5, 3:5] == 200).all()
    assert y[2:6, 2:6].min() > 100
    assert (y[:1] == 0).all()


@pytest.mark.parametrize("shape", SHAPES)
@given(seed=st.integers(0, 2**32))
def test_a_warp_is_bilinear_and_goes_on_beyond_the_border(shape, seed):
    x = noise((2, *shape[1:]), seed)
    maps = Augmentation.parse("flip,rotate=30,shift=0.2,zoom=0.3")._maps(
        x.shape, generator(seed)
    )
    difference = warp(x, maps) - bilinear(x, maps)
    assert np.abs(difference).max() <= 1.01  # Pillow rounds down


def test_a_plain_background_goes_on_in_its_own_colour():
    x = np.full((2, 8, 8, 3), (250, 240, 10), np.uint8)
    x[:, 0, 2:6] = 99  # something touches the border
    y = warp(x, same_for_all(2, np.eye(2), [0, -3]))  # 3 pixels down
    np.testing.assert_array_equal(y[:, :3], np.broadcast_to(x[0, 7, 7], (2, 3, 8, 3)))
    np.testing.assert_array_equal(y[:, 3:], x[:, :5])


def places(augmentation, shape=(400, 20, 40, 1), seed=0):
    """Where the pictures' middles come from, how much they are enlarged and turned."""
    maps = augmentation._maps(shape, generator(seed))
    size = np.array([shape[2], shape[1]])
    moved = maps[:, :, :2] @ (size / 2) + maps[:, :, 2] - size / 2
    enlarged = 1 / np.sqrt(np.abs(np.linalg.det(maps[:, :, :2])))
    turned = np.degrees(np.arctan2(maps[:, 1, 0], maps[:, 0, 0]))
    return moved / size, enlarged, turned


@pytest.mark.parametrize(
    ("text", "moved", "enlarged", "turned"),
    [
        ("shift=0.2", 0.2, 0, 0),
        ("zoom=0.3", 0, 0.3, 0),
        ("rotate=25", 0, 0, 25),
    ],
)
def test_changes_fill_their_range_and_stay_in_it(text, moved, enlarged, turned):
    was_moved, was_enlarged, was_turned = places(Augmentation.parse(text))
    changes = [
        (was_moved[:, 0], moved),
        (was_moved[:, 1], moved),
        (was_enlarged - 1, enlarged),
        (was_turned, turned),
    ]
    for values, most in changes:
        assert np.abs(values).max() <= most + 1e-9
        assert values.max() >= 0.95 * most - 1e-9
        assert values.min() <= -0.95 * most + 1e-9
        assert abs(values.mean()) <= 0.1 * most + 1e-9


def test_contrast_keeps_the_mean_and_scales_the_distance_from_it():
    x = (100 + noise((20, 9, 9, 3)) % 60).astype(np.uint8)
    y = x.copy()
    factors = np.linspace(0.5, 1.5, 20)
    change_contrast(y, factors)
    mean = x.mean((1, 2, 3), keepdims=True)
    expected = mean + factors[:, None, None, None] * (x - mean)
    assert np.abs(y - expected).max() <= 0.5 + 1e-6


def test_contrast_stops_at_black_and_white():
    x = np.array([0, 0, 255, 255], np.uint8).reshape(1, 2, 2, 1)
    y = x.copy()
    change_contrast(y, np.array([1.9]))
    np.testing.assert_array_equal(y, x)


def test_a_rectangle_of_the_mean_colour_is_erased_as_often_as_asked():
    x = noise((400, 20, 30, 3))
    y = Augmentation(erase=0.25)(x, generator())
    covered = (y != x).any(-1)  # (400, 20, 30)
    chosen = covered.any((1, 2))
    assert 70 < chosen.sum() < 130
    areas = []
    for picture, mask, result in zip(
        x[chosen], covered[chosen], y[chosen], strict=True
    ):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        inside = result[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colour = np.rint(picture.mean((0, 1))).astype(int)
        assert (inside == colour).all()
        areas.append(inside.shape[0] * inside.shape[1] / mask.size)
    low, high = augment._ERASED_AREA
    assert low - 0.01 < min(areas) < 2 * low
    assert 0.8 * high < max(areas) < high + 0.02


@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 1, 7, 3), (0, 5, 5, 1)])
def test_odd_sizes_survive_everything(shape):
    y = Augmentation.parse(f"{EVERYTHING},".strip(","))(noise(shape), generator())
    assert y.shape == shape


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 4, 4, 4), np.uint8),
        np.zeros((4, 4, 1), np.uint8),
        np.ones((1, 4, 4, 1)),
    ],
)
def test_what_is_no_batch_of_pictures(x):
    with pytest.raises(DataError, match="takes pictures of shape"):
        Augmentation(flip=True)(x, generator())


# --- what is written about it

ANY = st.builds(
    Augmentation,
    st.booleans(),
    st.booleans(),
    *(st.sampled_from([0.0, 0.05, 0.25, 0.5]) for _ in range(5)),
)


@given(ANY)
def test_an_augmentation_reads_back_what_it_writes(augmentation):
    assert Augmentation.parse(str(augmentation)) == augmentation


def test_words_without_a_number_have_their_usual_one():
    assert Augmentation.parse(EVERYTHING) == Augmentation(
        True, True, 10.0, 0.1, 0.1, 0.2, 0.25
    )
    assert Augmentation.parse(" flip-vertical , zoom = 0.3 ") == Augmentation(
        flip_vertical=True, zoom=0.3
    )
    assert Augmentation.parse("none") == Augmentation()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("rotat=10", UnknownNameError, "Unknown word .*'rotat'. Did you mean 'rotate'"),
        ("", UnknownNameError, "Known are: contrast, erase, flip"),
        ("flip,,zoom", UnknownNameError, "Known are"),
        ("rotate=far", ArgumentError, "number from 0 to 180, such as rotate=10; rec"),
        ("rotate=", ArgumentError, "received rotate="),
        ("rotate=200", ArgumentError, "from 0 to 180; received 200"),
        ("shift=-0.1", ArgumentError, "received -0.1"),
        ("zoom=nan", ArgumentError, "received nan"),
        ("flip=0.5", ArgumentError, "'flip' takes no number; received flip=0.5"),
        ("flip,zoom,flip", ArgumentError, "'flip' stands twice"),
        ("none,flip", UnknownNameError, "none"),
    ],
)
def test_a_text_that_is_no_augmentation(text, error, message):
    with pytest.raises(error, match=message):
        Augmentation.parse(text)


def test_it_is_described_in_words():
    assert Augmentation().describe() == "left as they are"
    assert Augmentation.parse(EVERYTHING).describe() == (
        "mirrored left to right and top to bottom, turned by up to 10°, shifted by up "
        "to 10% of their width and height, enlarged or shrunk by up to 10%, with up to "
        "20% more or less contrast, a rectangle covered in 25% of them"
    )


@pytest.mark.parametrize("flips", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (40, 32, 3)])
def test_what_is_chosen_by_itself_is_mirroring_where_it_is_allowed(shape, flips):
    augmentation, why = automatic(shape, 2000, flips)
    assert augmentation == Augmentation(*flips)
    kind = "grey" if shape[2] == 1 else "colour"
    assert why.startswith(f"2,000 {kind} pictures of {shape[1]}x{shape[0]} are at most")
    assert not why.endswith(".")
