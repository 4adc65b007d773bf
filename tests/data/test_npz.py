import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deepneuron.data import open_collection
from deepneuron.data.findings import Findings
from deepneuron.data.npz import open_npz
from deepneuron.data.pixels import to_pixels
from deepneuron.errors import DataError, DataNotFoundError

GREY = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3) * 4
Y = np.array([0, 1, 1, 0])


def saved(folder, **entries):
    path = folder / "set.npz"
    np.savez(path, **entries)
    return path


def pixels(x):
    return to_pixels({"x": np.asarray(x)}, Findings("set.npz", strict=False))["x"]


def told(collection) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in collection.skipped}


def test_keras_arrays_are_two_parts(tmp_path, split):
    (x_train, y_train), (x_test, _) = split
    path = saved(
        tmp_path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_train[:2]
    )
    collection = open_collection(path)
    assert collection.kind == "npz"
    np.testing.assert_array_equal(collection.parts["train"].pictures, x_train)
    np.testing.assert_array_equal(collection.parts["test"].pictures, x_test)
    names = np.array(collection.class_names)[collection.parts["train"].labels]
    assert names.tolist() == [str(label) for label in y_train]
    assert collection.parts["test"].names == ("test 0", "test 1")


@pytest.mark.parametrize(
    ("x", "y"),
    [
        *(("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target")),
        *(
            ("x_train", "y_train"),
            ("X_train", "Y_train"),
            ("train_images", "train_labels"),
        ),
    ],
)
def test_arrays_are_found_by_common_names(tmp_path, x, y):
    collection = open_npz(saved(tmp_path, **{x: GREY, y: Y}), strict=True)
    assert list(collection.parts) == ["train"]
    np.testing.assert_array_equal(collection.parts["train"].pictures, GREY)
    assert collection.parts["train"].labels.tolist() == Y.tolist()


def test_a_validation_part_is_read(tmp_path):
    path = saved(
        tmp_path,
        **{f"{part}_images": GREY for part in ("train", "val", "test")},
        **{f"{part}_labels": Y[:, None] for part in ("train", "val", "test")},
    )
    assert list(open_npz(path).parts) == ["train", "validation", "test"]


def test_names_of_classes_are_read(tmp_path):
    path = saved(tmp_path, x=GREY, y=Y, class_names=["no", "yes"], extra=Y)
    collection = open_npz(path, strict=True)
    assert collection.class_names == ("no", "yes")
    assert told(collection) == {"array extra": "it is not read"}


def test_two_spellings_of_a_label_are_one_class(tmp_path):
    y = ["caf\xe9", "cafe\u0301", "bar", "bar"]  # é as one character, and as two
    collection = open_npz(saved(tmp_path, x=GREY, y=y))
    assert collection.class_names == ("bar", "caf\xe9")
    assert collection.parts["train"].labels.tolist() == [1, 1, 0, 0]


def test_an_empty_text_is_no_label(tmp_path):
    with pytest.raises(DataError, match=r"y in .* holds 2 empty texts"):
        open_npz(saved(tmp_path, x=GREY, y=["cat", "", "dog", " "]))


def test_a_name_without_pictures_is_an_empty_class(tmp_path):
    path = saved(tmp_path, x=GREY, y=Y * 2, class_names=["a", "b", "c"])
    collection = open_npz(path)
    assert collection.class_names == ("a", "c")
    assert collection.parts["train"].labels.tolist() == Y.tolist()
    assert list(told(collection)) == ["class b"]
    with pytest.raises(DataError, match="class b"):
        open_npz(path, strict=True)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a"], "names 1 classes, labels 0 to 0, and train has a label 1"),
        (["a", "a"], "two classes alike: a"),
        ([1, 2], "should be the texts"),
    ],
)
def test_names_that_do_not_fit_are_an_error(tmp_path, names, sentence):
    with pytest.raises(DataError, match=sentence):
        open_npz(saved(tmp_path, x=GREY, y=Y, class_names=names))


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (["b", "a", "a", "b"], ("a", "b")),
        (np.array([b"b", b"a", b"a", b"b"]), ("a", "b")),
        (np.eye(2)[Y], ("0", "1")),
        (Y.astype(bool), ("0", "1")),
        (Y.astype(np.float32), ("0", "1")),
        (Y.astype(np.uint64) * 10 + 5, ("5", "15")),
        (Y * 11 - 1, ("-1", "10")),
    ],
)
def test_labels_come_in_many_forms(tmp_path, y, names):
    assert open_npz(saved(tmp_path, x=GREY, y=y)).class_names == names


@pytest.mark.parametrize(
    "y",
    [
        np.array([0.5, 1, 2, 3]),
        np.array([np.nan, 1, 2, 3]),
        np.array([1e300, 0, 1, 2]),
        np.zeros((4, 3)),
        np.zeros((2, 2, 1)),
        np.array(0),
        Y.astype(complex),
        Y[:3],
    ],
)
def test_labels_that_are_none_are_an_error(tmp_path, y):
    with pytest.raises(DataError, match=r"y |class to train on"):
        open_npz(saved(tmp_path, x=GREY, y=y))


def test_a_label_only_in_test_is_an_error(tmp_path):
    path = saved(tmp_path, x_train=GREY, y_train=Y, x_test=GREY, y_test=Y + 1)
    with pytest.raises(DataError, match=r"class in test .* in train: 2\."):
        open_npz(path)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"a": Y}, "holds the arrays a"),
        ({"x_train": GREY}, "x_train, and no labels"),
        ({"y_train": Y}, "y_train, and no pictures"),
        ({"x": GREY, "y": Y, "x_test": GREY}, "x_test, and no labels"),
        ({"x": GREY[:0], "y": Y[:0]}, "no pictures to train on"),
        ({"x": GREY, "y": Y * 0}, "a single class to train on, 0"),
    ],
)
def test_missing_arrays_are_an_error(tmp_path, entries, sentence):
    with pytest.raises(DataError, match=sentence):
        open_npz(saved(tmp_path, **entries))


def test_an_empty_test_part_is_named(tmp_path):
    path = saved(tmp_path, x_train=GREY, y_train=Y, x_test=GREY[:0], y_test=Y[:0])
    collection = open_npz(path)
    assert list(collection.parts) == ["train"]
    assert told(collection) == {"test": "it has no rows"}


def test_objects_are_refused(tmp_path):
    path = saved(tmp_path, x=GREY, y=np.array([print, 1, 2, 3], dtype=object))
    with pytest.raises(DataError, match=r"no \.npz file of plain arrays"):
        open_npz(path)


def test_a_foreign_or_absent_npz_is_an_error(tmp_path):
    path = tmp_path / "no.npz"
    with pytest.raises(DataNotFoundError):
        open_npz(path)
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(DataError, match="damaged"):
        open_npz(path)


@given(st.binary(max_size=60), st.integers(0, 900))
def test_a_spoilt_npz_is_an_error_or_read(tmp_path_factory, noise, place):
    path = saved(tmp_path_factory.mktemp("npz"), x=GREY, y=Y)
    content = path.read_bytes()
    path.write_bytes(content[:place] + noise + content[place + len(noise) :])
    try:
        collection = open_npz(path)
    except DataError:
        return
    assert len(collection.parts["train"]) == 4


@pytest.mark.parametrize(
    ("x", "wanted"),
    [
        (np.array([[[0, 255]]], np.uint8), [0, 255]),
        (np.array([[[0, 200]]], np.int64), [0, 200]),
        (np.array([[[0, 1]]], np.uint8), [0, 255]),
        (np.array([[[False, True]]]), [0, 255]),
        (np.array([[[0, 257, 65535]]], np.uint16), [0, 1, 255]),
        (np.array([[[0, 0.5, 1]]], np.float16), [0, 128, 255]),
        (np.array([[[0, 0.4, 1.0000001]]], np.float32), [0, 102, 255]),
        (np.array([[[0, 0.4, 254.6]]]), [0, 0, 255]),
        (np.zeros((1, 1, 2)), [0, 0]),
    ],
)
def test_numbers_become_pixels(x, wanted):
    made = pixels(x)
    assert made.dtype == np.uint8
    assert made.ravel().tolist() == wanted


@given(
    arrays(
        np.float32,
        array_shapes(min_dims=3, max_dims=3),
        elements=st.floats(0, 1, width=32),
    ),
)
def test_floats_up_to_one_come_within_half_a_step(x):
    x[0, 0, 0] = 1
    assert np.abs(pixels(x).astype(float) - x * 255.0).max() <= 0.5 + 1e-4


@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3)))
def test_bytes_stay_as_they_are(x):
    x[0, 0, 0] = 255
    assert pixels(x) is x
    np.testing.assert_array_equal(pixels(x.astype(np.int32)), x)
    np.testing.assert_array_equal(pixels(x.astype(np.uint16) * 257), x)
    np.testing.assert_array_equal(pixels(x.astype(np.float64)), x)
    np.testing.assert_array_equal(pixels(x / 255), x)


def test_a_conversion_is_told(tmp_path):
    path = saved(tmp_path, x_train=GREY / 255, y_train=Y, x_test=GREY / 510, y_test=Y)
    collection = open_npz(path)
    (how,) = told(collection).values()
    assert how.endswith("were multiplied by 255 and rounded")
    np.testing.assert_array_equal(collection.parts["train"].pictures, GREY)
    # One rule for all parts: the darker test part stays darker.
    test = collection.parts["test"].pictures
    np.testing.assert_array_equal(test, np.floor(GREY / 2 + 0.5))


def test_large_arrays_are_converted_in_chunks(monkeypatch):
    monkeypatch.setattr("deepneuron.data.pixels._CHUNK", 10)
    x = np.arange(7 * 4, dtype=np.float32).reshape(7, 2, 2)
    np.testing.assert_array_equal(pixels(x), x)


def test_transparent_arrays_lie_over_white():
    x = np.array([[[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 51]]]], np.uint8)
    wanted = [[10, 20, 30], [255, 255, 255], [204, 204, 204]]
    assert pixels(x)[0, 0].tolist() == wanted


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.full((1, 2, 2), np.nan), "NaN"),
        (np.full((1, 2, 2), np.inf), "infinity"),
        (np.full((1, 2, 2), -1), "values from -1 to -1"),
        (np.full((1, 2, 2), -0.5), "Shift and scale"),
        (np.full((1, 2, 2), 300.0), "values up to 300"),
        (np.full((1, 2, 2), 70_000), "values up to 70000"),
        (np.zeros((3, 784)), r"Perhaps x\.reshape\(-1, 28, 28\)\?"),
        (np.zeros((3, 10)), "flat rows"),
        (np.zeros((2, 3, 8, 8)), r"np\.moveaxis"),
        (np.zeros((2, 8, 8, 2)), "with 1 or 3 channels"),
        (np.zeros((2, 8, 8, 3, 1)), "with 1 or 3 channels"),
        (np.zeros(3), r"shape \(3,\)"),
        (np.zeros((3, 0, 2)), "no pixels"),
        (np.zeros((1, 2, 2), complex), "holds complex128"),
        (np.full((1, 2, 2), "x"), "pictures are numbers"),
    ],
)
def test_arrays_that_are_no_pictures_are_an_error(x, sentence):
    with pytest.raises(DataError, match=sentence):
        pixels(x)


def test_parts_of_two_kinds_of_numbers_are_an_error(tmp_path):
    path = saved(tmp_path, x_train=GREY, y_train=Y, x_test=GREY / 255, y_test=Y)
    with pytest.raises(DataError, match="mixes whole numbers and floats"):
        open_npz(path)
