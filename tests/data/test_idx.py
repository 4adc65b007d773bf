import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deepneuron.data import read_idx, read_idx_split
from deepneuron.data.idx import IDX_NAMES
from deepneuron.errors import DataError, DataNotFoundError

TYPES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    header = struct.pack(
        f">HBB{array.ndim}I", 0, TYPES[array.dtype.str[1:]], array.ndim, *array.shape
    )
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@given(
    st.sampled_from(list(TYPES)).flatmap(
        lambda code: arrays(np.dtype(code), array_shapes(min_dims=1, min_side=0))
    ),
    st.booleans(),
)
def test_reads_back_any_array(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "any"
    path.write_bytes(gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array))
    read = read_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("kept", [0, 3, 4, 11, 16, 27])
def test_a_cut_file_is_an_error(tmp_path, kept):
    whole = idx_bytes(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    assert len(whole) == 28
    path = tmp_path / "cut"
    path.write_bytes(whole[:kept])
    with pytest.raises(DataError, match="cut"):
        read_idx(path)


def test_a_cut_gzip_file_is_an_error(tmp_path):
    whole = gzip.compress(idx_bytes(np.arange(200, dtype=np.uint8)))
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[:-9])
    with pytest.raises(DataError, match=r"cut\.gz is a damaged gzip file"):
        read_idx(path)


def test_a_gzip_file_with_a_flipped_bit_is_an_error(tmp_path):
    whole = bytearray(gzip.compress(idx_bytes(np.arange(200, dtype=np.uint8))))
    whole[-6] ^= 1  # in the checksum
    path = tmp_path / "flipped.gz"
    path.write_bytes(whole)
    with pytest.raises(DataError, match="damaged"):
        read_idx(path)


def test_bytes_after_the_end_are_an_error(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(idx_bytes(np.zeros(3, np.uint8)) + b"\0")
    with pytest.raises(DataError, match="goes on after the 3 bytes"):
        read_idx(path)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n", b"\0\0\x07\x01\0\0\0\0", b"\0\0\x08\0", b"PK\3\4"]
)
def test_a_foreign_file_is_an_error(tmp_path, content):
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(DataError, match="no IDX file: it begins with"):
        read_idx(path)


def test_a_header_that_promises_terabytes_costs_nothing(tmp_path):
    path = tmp_path / "liar"
    path.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31))
    with pytest.raises(DataError, match="cut off"):
        read_idx(path)


def test_no_file_is_an_error_of_both_kinds(tmp_path):
    with pytest.raises(DataNotFoundError):
        read_idx(tmp_path / "absent")
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "absent")


def test_a_missing_fellow_is_named(tmp_path, idx_folder):
    (idx_folder / f"{IDX_NAMES[3]}.gz").unlink()
    with pytest.raises(DataNotFoundError, match=f"Neither {IDX_NAMES[3]}"):
        read_idx_split(idx_folder)


def test_labels_of_another_set_are_an_error(idx_folder):
    path = idx_folder / IDX_NAMES[1]
    path.write_bytes(idx_bytes(np.zeros(7, np.uint8)))
    with pytest.raises(DataError, match=r"x_train has shape \(5, 28, 28\)"):
        read_idx_split(idx_folder)


def test_a_folder_in_place_of_an_idx_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read: (Is a directory|Permission)"):
        read_idx(tmp_path)
