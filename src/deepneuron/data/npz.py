"""Arrays in an .npz file: pictures, labels, and perhaps the names of the classes.

x_train, y_train, x_test, y_test      Keras; x_val, y_val as well
train_images, train_labels, ...       MedMNIST; val_images, test_images as well
x, y    images, labels    data, target           without a test part
class_names (or label_names, classes, target_names), if there
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from deepneuron.data.assemble import from_arrays, listed
from deepneuron.data.collection import Collection
from deepneuron.data.findings import Findings
from deepneuron.data.image_folder import PART_FOLDERS
from deepneuron.data.names import shown
from deepneuron.data.pixels import to_pixels
from deepneuron.data.split import read_npz
from deepneuron.errors import DataError

_X = ("x", "images", "image", "data", "pictures")
_Y = ("y", "labels", "label", "target", "targets")
_CLASS_NAMES = ("class_names", "label_names", "target_names", "classes", "names")


def open_npz(path: str | os.PathLike[str], *, strict: bool = False) -> Collection:
    """The pictures and labels in an .npz file; pickles are refused.

    Pictures are (rows, height, width), grey, or with 1, 3 or 4 channels behind. How
    their values become uint8 stands in `pixels.py`, and in `skipped` if they changed.
    Labels are whole numbers or texts, (rows,) or (rows, 1), or one-hot rows.

    Args:
        path: the file.
        strict: whether a class that class_names names and no picture has is an error.

    Returns:
        A Collection of kind "npz".

    Raises:
        DataNotFoundError: there is no such file.
        DataError: it lacks pictures or labels, or they are none, or do not match.

    Example:

    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "tiny.npz")
    >>> np.savez(path, x=np.zeros((3, 2, 2), np.uint8), y=["cat", "dog", "cat"])
    >>> open_npz(path).parts["train"].labels
    array([0, 1, 0])
    >>> folder.cleanup()
    """
    source = os.fspath(path)
    findings = Findings(source, strict=strict)
    keys: dict[str, tuple[str, str]] = {}
    extra: list[str] = []

    def choose(names: Sequence[str]) -> list[str]:
        keys.update(_find_keys(names, findings.source))
        pairs = [key for pair in keys.values() for key in pair]
        extra.extend(name for name in names if name.lower() in _CLASS_NAMES)
        for name in names:
            if name not in {*pairs, *extra[:1]}:
                findings.note(f"array {name}", "it is not read")
        return [*pairs, *extra[:1]]

    arrays = read_npz(path, choose)
    pixels = to_pixels({x: arrays[x] for x, _ in keys.values()}, findings)
    parts = {}
    for part, (x, y) in keys.items():
        labels = _to_labels(y, arrays[y], findings.source)
        if len(labels) != len(pixels[x]):
            raise DataError(
                f"In {findings.source}, {x} has {len(pixels[x]):,} rows and {y} "
                f"{len(labels):,}: there should be one label for each picture."
            )
        parts[part] = (pixels[x], labels)
    names = _names(extra[0], arrays[extra[0]], findings.source) if extra else None
    return from_arrays(source, "npz", parts, names, findings)


def _find_keys(names: Sequence[str], source: str) -> dict[str, tuple[str, str]]:
    """The names of pictures and labels in each part that is there.

    Raises:
        DataError: pictures without labels, or labels without pictures, or neither.
    """
    found = {}
    for part in PART_FOLDERS:  # the arrays are called like the folders
        x = _first(_spellings(part, _X), names)
        y = _first(_spellings(part, _Y), names)
        if (x is None) != (y is None):
            here, lacking = (x, "labels") if y is None else (y, "pictures")
            raise DataError(
                f"{source} has {shown(here or '')}, and no {lacking} that belong to "
                f"it; its arrays are {listed(names, 8)}."
            )
        if x is not None and y is not None:
            found[part] = (x, y)
    if "train" not in found:
        x, y = _first(_X, names), _first(_Y, names)
        if x is None or y is None:
            raise DataError(
                f"{source} holds the arrays {listed(names, 8) or 'none'}. It should "
                "hold x_train, y_train, x_test, y_test, or x and y, as numpy.savez "
                "writes them."
            )
        found["train"] = (x, y)
    return found


def _first(spellings: Iterable[str], names: Sequence[str]) -> str | None:
    return next((n for s in spellings for n in names if n.lower() == s), None)


def _spellings(part: str, stems: Sequence[str]) -> Iterator[str]:
    """x_train, train_x, xtrain and the like."""
    for stem in stems:
        for name in PART_FOLDERS[part]:
            yield from (f"{stem}_{name}", f"{name}_{stem}", f"{stem}{name}")


def _to_labels(name: str, y: np.ndarray, source: str) -> np.ndarray:
    """(rows,) whole numbers or texts, out of any of the shapes that labels come in."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "buif":
        hot = ((y == 0) | (y == 1)).all() and (np.count_nonzero(y, axis=1) == 1).all()
        if hot:
            return y.argmax(axis=1)
    if y.ndim != 1:
        raise DataError(
            f"{name} in {source} has shape {y.shape}; labels are one for each picture, "
            "(rows,), or one-hot rows."
        )
    if y.dtype.kind == "S":
        y = np.array([text.decode("utf-8", "backslashreplace") for text in y.tolist()])
    if y.dtype.kind == "U":
        empty = int((np.char.strip(y) == "").sum())
        if empty:
            raise DataError(
                f"{name} in {source} holds {empty:,} empty texts, which name no class."
            )
        return y
    if y.dtype.kind == "b":
        return y.astype(np.int64)
    if y.dtype.kind == "f" and np.isfinite(y).all() and (y == np.floor(y)).all():
        if len(y) and np.abs(y).max() >= 2**53:
            raise DataError(f"{name} in {source} holds {np.abs(y).max():g} as a label.")
        return y.astype(np.int64)
    if y.dtype.kind not in "iu":
        what = "values that are no whole numbers" if y.dtype.kind == "f" else y.dtype
        raise DataError(
            f"{name} in {source} holds {what}; labels are whole numbers or texts."
        )
    return y


def _names(name: str, names: np.ndarray, source: str) -> list[str]:
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise DataError(
            f"{name} in {source} should be the texts that name labels 0, 1, and so on; "
            f"it has shape {names.shape} and holds {names.dtype}."
        )
    return [
        n.decode("utf-8", "backslashreplace") if isinstance(n, bytes) else n
        for n in names.tolist()
    ]
