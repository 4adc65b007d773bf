"""A data set in two parts, as Keras hands it out: to train on, and to test with."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from deepneuron.data.names import shown
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

    def choose(names: Sequence[str]) -> Sequence[str]:
        missing = [key for key in _KEYS if key not in names]
        if missing:
            raise DataError(
                f"{shown(path)} lacks {', '.join(missing)}. It should hold the four "
                f"arrays {', '.join(_KEYS)}, as numpy.savez writes them."
            )
        return _KEYS

    arrays = read_npz(path, choose)
    x_train, y_train, x_test, y_test = (arrays[key] for key in _KEYS)
    return check_split(((x_train, y_train), (x_test, y_test)), path)


def read_npz(
    path: str | os.PathLike[str], choose: Callable[[Sequence[str]], Sequence[str]]
) -> dict[str, np.ndarray]:
    """Some of the arrays in an .npz file, by their names; pickles are refused.

    Args:
        path: the file.
        choose: takes the names of all arrays in it, and returns those to be read.

    Raises:
        DataNotFoundError: there is no such file.
        DataError: it is damaged, or no .npz file of plain arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        keys = choose([name.removesuffix(".npy") for name in names])
        # allow_pickle=False: loading data must never run code.
        with np.load(path, allow_pickle=False) as arrays:
            chosen = {key: arrays[key] for key in keys}
        if not all(isinstance(array, np.ndarray) for array in chosen.values()):
            raise ValueError("an entry is no array")
    except FileNotFoundError:
        raise DataNotFoundError(
            f"There is no file {shown(path)}; a data set was to be read from it."
        ) from None
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{shown(path)} is damaged, or no .npz file of plain arrays ({error}). "
            "Fetch it again."
        ) from error
    except MemoryError as error:
        raise DataError(
            f"The arrays in {shown(path)} do not fit into memory."
        ) from error
    except OSError as error:
        raise DataError(
            f"{shown(path)} cannot be read: {error.strerror or error}."
        ) from error
    return chosen


def check_split(split: Split, source: Path) -> Split:
    """Return the split, or say which of its parts has not one label for each row."""
    for part, (x, y) in zip(("train", "test"), split, strict=True):
        if y.ndim != 1 or x.ndim < 2 or len(x) != len(y):
            raise DataError(
                f"In {shown(source)}, x_{part} has shape {x.shape} and y_{part} "
                f"{y.shape}: there should be one label, in one dimension, for each "
                "row of x."
            )
    return split
