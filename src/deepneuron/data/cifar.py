"""CIFAR-10 and CIFAR-100, in the binary version and in the pickled one for Python.

    binary    label | 1,024 red | 1,024 green | 1,024 blue, one byte each, per picture
              (CIFAR-100: a coarse label goes before the fine one)
    pickled   {data: (rows, 3072) uint8, labels: a list}, from Python 2

A pickle can run any program when it is read. These are read by an unpickler that knows
how an array is written and refuses everything else, so nothing of theirs is ever run.

Source: A. Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images, and
the description on its author's page.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron.data.assemble import from_arrays
from deepneuron.data.collection import Collection
from deepneuron.data.findings import Findings
from deepneuron.data.names import shown
from deepneuron.errors import DataError

_PIXELS = 3 * 32 * 32
_LARGEST = 1 << 30  # bytes; CIFAR-100's is 0.15 of them

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


class _Layout:
    """Which files make up a version of the data set.

    Attributes:
        train, test: file names; further batches than the first may be missing.
        names: the file with the class names, which may be missing.
        key: of the labels, where pickled.
        coarse: bytes before the label, where binary.
        classes: how many, and their names if the file with them is missing.
    """

    def __init__(
        self,
        train: Sequence[str],
        test: str,
        names: str,
        *,
        pickled: bool,
        fine: bool,
    ) -> None:
        self.train = train
        self.test = test
        self.names = names
        self.pickled = pickled
        self.key = "fine_labels" if fine else "labels"
        self.names_key = "fine_label_names" if fine else "label_names"
        self.coarse = 1 if fine else 0
        self.classes = 100 if fine else 10


_LAYOUTS = (
    _Layout(
        [f"{name}.bin" for name in _BATCHES],
        "test_batch.bin",
        "batches.meta.txt",
        pickled=False,
        fine=False,
    ),
    _Layout(
        ["train.bin"], "test.bin", "fine_label_names.txt", pickled=False, fine=True
    ),
    _Layout(_BATCHES, "test_batch", "batches.meta", pickled=True, fine=False),
    _Layout(["train"], "test", "meta", pickled=True, fine=True),
)


def has_cifar(folder: Path) -> bool:
    """Whether the files of any version are there."""
    return _find_layout(folder) is not None


def open_cifar(folder: str | os.PathLike[str], *, strict: bool = False) -> Collection:
    """The pictures of CIFAR-10 or CIFAR-100, told by the names of the files.

    Args:
        folder: where data_batch_1 and its fellows lie (or train and test), with .bin
            or without.
        strict: whether a missing batch is an error.

    Returns:
        A Collection of kind "cifar"; CIFAR-100 with its hundred fine classes.

    Raises:
        DataError: a file is damaged, or a pickle holds more than arrays.
    """
    path = Path(folder)
    findings = Findings(path, strict=strict)
    layout = _find_layout(path)
    if layout is None:
        raise DataError(
            f"{findings.source} holds no files of CIFAR, such as data_batch_1.bin."
        )
    parts = {}
    for part, files in (("train", layout.train), ("test", [layout.test])):
        there = [file for file in files if (path / file).is_file()]
        for file in files:
            if file not in there:
                findings.broken(file, "it is missing")
        batches = [_read_batch(path / file, layout) for file in there]
        if batches:
            parts[part] = (
                np.concatenate([x for x, _ in batches]),
                np.concatenate([y for _, y in batches]),
            )
    findings.beside(
        path,
        {*layout.train, layout.test, layout.names},
        "it is none of the data set's files",
    )
    return from_arrays(folder, "cifar", parts, _read_names(path, layout), findings)


def read_pickle(path: Path) -> Any:
    """The plain data and arrays in a pickle; nothing in it is run.

    Raises:
        DataError: it is no pickle, or holds more than plain data and arrays.
    """
    content = _read_file(path)
    try:
        return _array_free(_Unpickler(io.BytesIO(content), encoding="bytes").load())
    except _ForeignError as error:
        raise DataError(
            f"{shown(path)} is a pickle that asks for {error}, and only plain arrays "
            "are read: a pickle can run any program. It was not read."
        ) from None
    # A damaged pickle can fail in any way.
    except Exception as error:
        raise DataError(
            f"{shown(path)} is no pickle of arrays, or damaged "
            f"({type(error).__name__}: {shown(str(error))}). Fetch it again."
        ) from error


class _ForeignError(pickle.UnpicklingError):
    """Something that no array needs."""


class _DType:
    """numpy.dtype as a pickle writes it: its code, then (version, byte order, ...)."""

    def __init__(self, code: Any = "", *flags: Any) -> None:
        self.code = code.decode("ascii") if isinstance(code, bytes) else str(code)
        if self.code not in {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"}:
            raise _ForeignError(f"an array of {shown(repr(code))}")
        self.order = "|"

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        self.order = order.decode("ascii") if isinstance(order, bytes) else order


class _Array:
    """numpy.ndarray as a pickle writes it: empty at first, then filled by its state.

    NumPy's own `__setstate__` would trust what the file says; this one goes through
    `frombuffer`, which checks it.
    """

    value: np.ndarray

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, content = state
        if not isinstance(dtype, _DType) or not isinstance(content, bytes):
            raise _ForeignError("an array of objects")
        flat = np.frombuffer(content, np.dtype(dtype.order + dtype.code))
        self.value = flat.reshape(shape, order="F" if fortran else "C")


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    return _Array()


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any = "C") -> _Array:
    """How newer NumPy writes arrays in protocol 5."""
    if not isinstance(buffer, (bytes, bytearray)):  # bytes(10**12) would be made
        raise _ForeignError("an array of objects")
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", bytes(buffer)))
    return array


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How Python 3 writes bytes for Python 2: as text in Latin 1."""
    name = encoding.decode("ascii") if isinstance(encoding, bytes) else encoding
    if not isinstance(text, str) or name not in {"latin1", "latin-1"}:
        raise _ForeignError(f"the encoding {shown(repr(encoding))}")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.{place}", name): function
        for core in ("core", "_core")
        for place, name, function in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    """Knows how arrays are written, by stand-ins of ours, and nothing else at all."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _KNOWN[module_name, global_name]
        except KeyError:
            raise _ForeignError(f"{shown(module_name)}.{shown(global_name)}") from None


def _array_free(value: Any) -> Any:
    """The dictionary with text keys, and arrays in place of our stand-ins."""
    if not isinstance(value, dict):
        raise TypeError("it holds no dictionary")
    return {
        key.decode("ascii", "replace") if isinstance(key, bytes) else str(key): (
            entry.value if isinstance(entry, _Array) else entry
        )
        for key, entry in value.items()
    }


def _find_layout(folder: Path) -> _Layout | None:
    for layout in _LAYOUTS:
        first = (folder / layout.train[0]).is_file()
        # Files named train and test are CIFAR's only together.
        if first and (len(layout.train) > 1 or (folder / layout.test).is_file()):
            return layout
    return None


def _read_batch(path: Path, layout: _Layout) -> tuple[np.ndarray, np.ndarray]:
    """(rows, 32, 32, 3) uint8 and (rows,) int64."""
    if layout.pickled:
        batch = read_pickle(path)
        try:
            x, y = np.asarray(batch["data"]), np.asarray(batch[layout.key])
        except KeyError as error:
            raise DataError(
                f"{shown(path)} lacks {error}, so it is no batch of "
                f"CIFAR-{layout.classes}."
            ) from None
        except ValueError:
            raise DataError(f"{shown(path)} holds ragged lists, no arrays.") from None
    else:
        content = np.frombuffer(_read_file(path), np.uint8)
        size = layout.coarse + 1 + _PIXELS
        if len(content) % size or not len(content):
            raise DataError(
                f"{shown(path)} has {len(content):,} bytes, and pictures of "
                f"CIFAR-{layout.classes} take {size:,} each: it is cut off or another "
                "file. Fetch it again."
            )
        rows = content.reshape(-1, size)
        y, x = rows[:, layout.coarse], rows[:, layout.coarse + 1 :]
    fits = x.ndim == 2 and x.shape[1] == _PIXELS and x.dtype == np.uint8
    if not fits or y.shape != x.shape[:1] or y.dtype.kind not in "iu":
        raise DataError(
            f"{shown(path)} holds data of shape {x.shape} ({x.dtype}) and labels of "
            f"shape {y.shape} ({y.dtype}); CIFAR's are (rows, 3072) uint8 and (rows,)."
        )
    if len(y) and not 0 <= int(y.min()) <= int(y.max()) < layout.classes:
        raise DataError(
            f"{shown(path)} has labels from {y.min()} to {y.max()}; those of "
            f"CIFAR-{layout.classes} go from 0 to {layout.classes - 1}."
        )
    planes = x.reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), y.astype(np.int64)


def _read_names(folder: Path, layout: _Layout) -> Sequence[str]:
    path = folder / layout.names
    if not path.is_file():
        if layout.classes == len(CIFAR10_CLASSES):
            return CIFAR10_CLASSES
        return tuple(str(label) for label in range(layout.classes))
    if layout.pickled:
        found = read_pickle(path).get(layout.names_key, ())
        words = list(found) if isinstance(found, list | tuple) else []
        names = [
            word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)
            for word in words
        ]
    else:
        text = _read_file(path).decode("utf-8", "replace")
        names = [line.strip() for line in text.splitlines() if line.strip()]
    if len(names) != layout.classes:
        raise DataError(
            f"{shown(path)} names {len(names)} classes, and CIFAR-{layout.classes} has "
            f"{layout.classes}."
        )
    return names


def _read_file(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise DataError(
                f"{shown(path)} has {size:,} bytes, more than any file of CIFAR."
            )
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{shown(path)} cannot be read: {error.strerror or error}."
        ) from error
