"""IDX, the file format of MNIST: a header of big-endian numbers, then the raw array.

    00 00 | type | rank | size of each axis, 4 bytes each | values, last axis fastest

Source: the format's description on the MNIST homepage, Y. LeCun, C. Cortes, C. Burges.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from deepneuron.data.names import shown
from deepneuron.data.split import Split, check_split
from deepneuron.errors import DataError, DataNotFoundError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20

# In the order of a split: x_train, y_train, x_test, y_test.
IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, complete and nothing beside it, or a clear error.

    Args:
        path: the file, plain or compressed with gzip (told by its first bytes, not by
            its name).

    Returns:
        A new array in the shape of the header and in the machine's byte order.

    Raises:
        DataNotFoundError: there is no such file.
        DataError: the file is foreign, damaged, too short or too long.

    Example:

    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "three-idx1-ubyte")
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 10, 20, 30]))
    >>> read_idx(path)
    array([10, 20, 30], dtype=uint8)
    >>> folder.cleanup()
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            if not zipped:
                return _parse(file, path)
            with gzip.open(file) as unzipped:
                return _parse(unzipped, path)
    except FileNotFoundError:
        raise DataNotFoundError(
            f"There is no file {shown(path)}; an IDX file was to be read from it."
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{shown(path)} is a damaged gzip file ({error}). Was its download cut "
            "off? Fetch it again."
        ) from error
    except OSError as error:
        raise DataError(
            f"{shown(path)} cannot be read: {error.strerror or error}."
        ) from error


def read_idx_split(folder: str | os.PathLike[str]) -> Split:
    """The four IDX files of MNIST or one of its kin, as Keras returns them.

    Args:
        folder: where `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and their two
            `t10k-` fellows lie, each with `.gz` or without.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8; x: (rows, height, width),
        y: (rows,).

    Raises:
        DataNotFoundError: one of the files is missing.
        DataError: a file is damaged, or images and labels are not equally many.
    """
    folder = Path(folder)
    paths = [find_idx(folder, name) for name in IDX_NAMES]
    x_train, y_train, x_test, y_test = (read_idx(path) for path in paths)
    return check_split(((x_train, y_train), (x_test, y_test)), folder)


def find_idx(folder: Path, name: str) -> Path:
    """The path of an IDX file, with `.gz` or without; the plain one goes first.

    Some copies spell it `train-images.idx3-ubyte`.
    """
    for spelling in (name, name.replace("-idx", ".idx")):
        for path in (folder / spelling, folder / f"{spelling}.gz"):
            if path.is_file():
                return path
    raise DataNotFoundError(
        f"Neither {name} nor {name}.gz lies in {shown(folder)}. Four files belong "
        f"together: {', '.join(IDX_NAMES)}; place them there, with .gz or without."
    )


def has_idx(folder: Path) -> bool:
    """Whether any of the four is there: the missing ones then get their own error."""
    for name in IDX_NAMES:
        try:
            find_idx(folder, name)
        except DataNotFoundError:
            continue
        return True
    return False


def _parse(file: BufferedIOBase, path: Path) -> np.ndarray:
    magic = file.read(4)
    known = len(magic) == 4 and magic[:2] == b"\x00\x00" and magic[2] in _TYPES
    if not known or magic[3] == 0:
        raise DataError(
            f"{shown(path)} is no IDX file: it begins with "
            f"{magic.hex(' ') or 'nothing'}, and an IDX file "
            "with 00 00, a type (08 for uint8) and a rank."
        )
    dtype, rank = np.dtype(_TYPES[magic[2]]), magic[3]
    header = _read(file, 4 * rank)
    if len(header) < 4 * rank:
        raise DataError(f"{shown(path)} ends within its header. Fetch it again.")
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    size = math.prod(shape) * dtype.itemsize
    values = _read(file, size + 1)
    if len(values) < size:
        raise DataError(
            f"{shown(path)} is cut off: its header promises shape {shape}, {size:,} "
            f"bytes, and {len(values):,} are there. Fetch it again."
        )
    if len(values) > size:
        raise DataError(
            f"{shown(path)} goes on after the {size:,} bytes that its header promises, "
            f"shape {shape}: it is damaged, or no IDX file."
        )
    array = np.frombuffer(values, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=True)


def _read(file: BufferedIOBase, size: int) -> bytes:
    """At most `size` bytes; a header that lies about the size costs no memory."""
    parts = []
    while size > 0 and (part := file.read(min(size, _CHUNK))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
