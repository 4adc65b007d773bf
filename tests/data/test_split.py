import zipfile

import numpy as np
import pytest

from deepneuron.data import read_npz_split
from deepneuron.errors import DataError, DataNotFoundError


def test_reads_keras_layout(npz_file, split):
    for read, wanted in zip(read_npz_split(npz_file), split, strict=True):
        np.testing.assert_array_equal(read[0], wanted[0])
        np.testing.assert_array_equal(read[1], wanted[1])


def test_no_file():
    with pytest.raises(DataNotFoundError, match=r"absent\.npz"):
        read_npz_split("absent.npz")


def test_foreign_file(tmp_path):
    path = tmp_path / "foreign.npz"
    path.write_text("hello", encoding="utf-8")
    with pytest.raises(DataError, match=r"foreign\.npz is damaged"):
        read_npz_split(path)


def test_cut_file(npz_file):
    npz_file.write_bytes(npz_file.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged"):
        read_npz_split(npz_file)


def test_flipped_bit(npz_file):
    content = bytearray(npz_file.read_bytes())
    content[1000] ^= 1
    npz_file.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_npz_split(npz_file)


def test_missing_array(tmp_path):
    path = tmp_path / "part.npz"
    np.savez(path, x_train=np.zeros((2, 3)), y_train=np.zeros(2))
    with pytest.raises(DataError, match="lacks x_test, y_test"):
        read_npz_split(path)


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "pickled.npz"
    x, y = np.zeros((1, 2, 2), np.uint8), np.array([print], dtype=object)
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(DataError, match=r"no \.npz file of plain arrays"):
        read_npz_split(path)


def test_not_an_array(npz_file):
    with zipfile.ZipFile(npz_file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["y_test.npy"] = b"no array at all"
    with zipfile.ZipFile(npz_file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match="damaged"):
        read_npz_split(npz_file)


def test_rows_and_labels_must_match(tmp_path):
    path = tmp_path / "odd.npz"
    x, y = np.zeros((3, 2, 2), np.uint8), np.zeros(3, np.uint8)
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y[:2])
    with pytest.raises(
        DataError, match=r"x_test has shape \(3, 2, 2\) and y_test \(2,"
    ):
        read_npz_split(path)
