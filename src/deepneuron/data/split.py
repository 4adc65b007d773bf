"""A data set in two parts, as Keras hands it out: to train on, and to test with."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np

from deepneuron.errors import DataError, DataNotFoundError

# (x_train, y_train), (x_test, y_test); x: (rows, height, width), y: (rows,)
Split: TypeAlias = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

# What zipfile and NumPy raise over a file that is damaged, encrypted or not theirs.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    RuntimeError,  # includes NotImplementedError: an unknown compression
)
_KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_npz_split(path: str | os.PathLike[str]) -> Split:
    """The split in an .npz file with Keras's four arrays; pickles are refused.

    Args:
        path: the file, with the arrays x_train, y_train, x_test and y_test.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Raises:
        DataNotFoundError: there is no such file.
        DataError: it is no .npz file, or lacks an array, or its parts do not fit.

    Example:

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "tiny.npz")
    >>> x, y = np.zeros((3, 2, 2), np.uint8), np.arange(3, dtype=np.uint8)
    >>> np.savez(path, x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    >>> (x_train, y_train), (x_test, y_test) = read_npz_split(path)
    >>> x_train.shape, y_test.shape
    ((3, 2, 2), (1,))
    >>> folder.cleanup()
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        missing = [key for key in _KEYS if f"{key}.npy" not in names]
        if missing:
            raise DataError(
                f"{path} lacks {', '.join(missing)}. It should hold the four arrays "
                f"{', '.join(_KEYS)}, as numpy.savez writes them."
            )
        # allow_pickle=False: loading data must never run code.
        with np.load(path, allow_pickle=False) as arrays:
            parts = [arrays[key] for key in _KEYS]
        if not all(isinstance(part, np.ndarray) for part in parts):
            raise ValueError("an entry is no array")
    except FileNotFoundError:
        raise DataNotFoundError(
            f"There is no file {path}; a data set was to be read from it."
        ) from None
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{path} is damaged, or no .npz file of plain arrays ({error}). Fetch it "
            "again."
        ) from error
    x_train, y_train, x_test, y_test = parts
    return check_split(((x_train, y_train), (x_test, y_test)), path)


def check_split(split: Split, source: Path) -> Split:
    """Return the split, or say which of its parts has not one label for each row."""
    for part, (x, y) in zip(("train", "test"), split, strict=True):
        if y.ndim != 1 or x.ndim < 2 or len(x) != len(y):
            raise DataError(
                f"In {source}, x_{part} has shape {x.shape} and y_{part} {y.shape}: "
                "there should be one label, in one dimension, for each row of x."
            )
    return split
