import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.data import DIGITS, FASHION, load_digits, load_fashion, open_collection
from deepneuron.data.idx import IDX_NAMES
from deepneuron.errors import (
    ArgumentError,
    DataError,
    DataNotFoundError,
    DeepneuronError,
    UnknownNameError,
)
from tests.data.test_idx import idx_bytes


def told(collection) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in collection.skipped}


def test_digits_are_as_bright_as_other_pictures(home):
    collection = open_collection("digits")
    assert (collection.source, collection.kind) == ("digits", "embedded")
    assert (collection.class_names, collection.skipped) == (DIGITS.class_names, ())
    for part, (x, y) in zip(("train", "test"), load_digits(), strict=True):
        pictures = collection.parts[part].pictures
        assert (pictures.dtype, pictures.max()) == (np.uint8, 255)
        # 16 levels: 0, 16, 32, 48, 64, 80, 96, 112, 128 (127.5), 143, ... 255
        assert np.abs(pictures - x * 255.0 / 16).max() <= 0.5
        np.testing.assert_array_equal(collection.parts[part].labels, y)


def test_fashion_is_as_it_is(home):
    collection = open_collection("fashion", strict=True)
    assert collection.class_names == FASHION.class_names
    for part, (x, y) in zip(("train", "test"), load_fashion(), strict=True):
        np.testing.assert_array_equal(collection.parts[part].pictures, x)
        np.testing.assert_array_equal(collection.parts[part].labels, y)


@pytest.mark.parametrize(
    "name", ["digit", "Digits", "fashon", "fashion-mnist", "fasion"]
)
def test_a_misspelt_name_is_corrected(home, name):
    with pytest.raises(UnknownNameError, match=r"Did you mean '(digits|fashion)'"):
        open_collection(name)


@pytest.mark.parametrize(
    "name", ["pictures", "no/such/folder", "absent.csv", "a\0b", "/x/y"]
)
def test_a_path_that_is_not_there_is_an_error(home, name):
    with pytest.raises(DataNotFoundError, match="There is no file or folder"):
        open_collection(name)


@pytest.mark.parametrize("data", ["", "  ", None, 3, ["digits"]])
def test_what_is_no_path_is_an_error(data):
    with pytest.raises(ArgumentError, match="data"):
        open_collection(data)


def test_the_name_of_an_embedded_set_wins_and_says_so(home):
    for name in ("digits/a/1.png", "digits/b/1.png"):
        path = home / name
        path.parent.mkdir(parents=True)
        path.touch()
    collection = open_collection("digits")
    assert collection.kind == "embedded"
    assert told(collection) == {
        "./digits": "digits means the embedded set; ./digits would be read"
    }
    for data in ("./digits", Path("digits"), home / "digits", "digits" + os.sep):
        assert open_collection(data).kind == "folder"


def test_the_home_folder_may_be_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in "ab":
        (tmp_path / "pets" / name).mkdir(parents=True)
        (tmp_path / "pets" / name / "1.png").touch()
    assert open_collection("~/pets").class_names == ("a", "b")
    with pytest.raises(DataNotFoundError):
        open_collection("~nobody-of-this-name/pets")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a.pkl", "is a pickle, which can run any program"),
        ("a.pickle", "numpy.savez"),
        ("a.PNG", "is one picture"),
        ("a.zip", "is an archive. Unpack it"),
        ("a.tar.gz", "is an archive"),
        ("a.txt", "no data set that can be read"),
        ("a", "no data set that can be read"),
    ],
)
def test_a_file_of_another_kind_is_an_error(tmp_path, name, sentence):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError, match=sentence):
        open_collection(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="neither a folder nor a file"):
        open_collection(tmp_path / "pipe")


def test_a_link_that_leads_nowhere_is_an_error(tmp_path):
    try:
        (tmp_path / "link").symlink_to(tmp_path / "gone")
        (tmp_path / "self").symlink_to(tmp_path / "self")
    except OSError:
        pytest.skip("links cannot be made here")
    with pytest.raises(DataNotFoundError, match="a link that leads nowhere"):
        open_collection(tmp_path / "link")
    with pytest.raises(DataError, match="cannot be opened"):
        open_collection(tmp_path / "self")


def test_a_name_too_long_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"cannot be opened|There is no file"):
        open_collection(tmp_path / ("x" * 5000))


def test_idx_files_are_read(idx_folder, split):
    (idx_folder / "readme.txt").touch()
    (idx_folder / "more").mkdir()
    (idx_folder / ".hidden").touch()
    collection = open_collection(idx_folder, strict=True)
    (x_train, y_train), _ = split
    assert collection.kind == "idx"
    np.testing.assert_array_equal(collection.parts["train"].pictures, x_train)
    assert set(collection.class_names) == {str(label) for label in y_train}
    assert {"more/", "readme.txt", ".hidden"} <= set(told(collection))


def test_a_folder_that_cannot_be_listed_is_read_and_says_so(idx_folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert "Permission denied" in told(open_collection(idx_folder))["./"]


@pytest.fixture
def split():
    """Ten pictures to train with, one of each class, and three to test with."""
    rng = np.random.default_rng(7)
    x = rng.integers(0, 256, (10, 28, 28), dtype=np.uint8)
    y = rng.permutation(10).astype(np.uint8)
    return (x, y), (x[:3], y[:3])


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("mnist", DIGITS.class_names),
        ("fashion-mnist", FASHION.class_names),
        ("FashionMNIST/raw", FASHION.class_names),
    ],
)
def test_fashion_is_told_by_its_folder(tmp_path, idx_folder, folder, names):
    shutil.copytree(idx_folder, tmp_path / folder)
    assert open_collection(tmp_path / folder).class_names == names


def test_idx_one_folder_down_is_found(tmp_path, idx_folder, split):
    shutil.move(idx_folder, tmp_path / "MNIST" / "raw")
    collection = open_collection(tmp_path / "MNIST")
    assert collection.source == str(tmp_path / "MNIST")
    assert len(collection.parts["train"]) == 10


def test_idx_files_with_a_point_are_found(idx_folder):
    for path in list(idx_folder.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert len(open_collection(idx_folder).parts["test"]) == 3


def test_a_missing_idx_file_is_an_error(idx_folder):
    (idx_folder / f"{IDX_NAMES[3]}.gz").unlink()
    with pytest.raises(DataNotFoundError, match=f"Neither {IDX_NAMES[3]}"):
        open_collection(idx_folder)


def test_one_of_the_idx_files_is_pointed_to_its_folder(idx_folder):
    with pytest.raises(DataError, match=r"belong together\. Name the folder"):
        open_collection(idx_folder / f"{IDX_NAMES[1]}.gz")


def test_idx_labels_that_are_floats_are_an_error(idx_folder):
    path = idx_folder / f"{IDX_NAMES[1]}.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(10, np.float32))))
    with pytest.raises(DataError, match="labels are whole numbers"):
        open_collection(idx_folder)


@given(st.text(max_size=20))
def test_any_text_is_a_collection_or_an_error(text):
    # A generated text is the name of nothing, or of a folder without classes.
    with pytest.raises(DeepneuronError) as caught:
        open_collection(text)
    assert str(caught.value).isprintable()
