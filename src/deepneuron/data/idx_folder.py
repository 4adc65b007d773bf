"""A folder with the four IDX files of MNIST, or of one of its kin, as a Collection."""

from __future__ import annotations

import os
from pathlib import Path

from deepneuron.data.assemble import from_arrays
from deepneuron.data.collection import Collection
from deepneuron.data.embedded import FASHION
from deepneuron.data.findings import Findings
from deepneuron.data.idx import IDX_NAMES, find_idx, read_idx_split
from deepneuron.data.names import natural_key
from deepneuron.data.pixels import to_pixels
from deepneuron.data.split import Split
from deepneuron.errors import DataError


def open_idx_folder(
    folder: str | os.PathLike[str], *, strict: bool = False
) -> Collection:
    """The pictures in the four IDX files, plain or with .gz.

    Classes are named by their labels, as MNIST's "0" to "9"; by Fashion-MNIST's words
    only if the folder is named after it, and pictures and labels are like its own.

    Args:
        folder: where the four files lie.
        strict: as in `open_collection`; a damaged file is an error in any case.

    Returns:
        A Collection of kind "idx", with the parts train and test.

    Raises:
        DataNotFoundError: one of the files is missing.
        DataError: one is damaged, or they do not belong together.
    """
    path = Path(folder)
    findings = Findings(path, strict=strict)
    (x_train, y_train), (x_test, y_test) = split = read_idx_split(path)
    if y_train.dtype.kind not in "iu" or y_test.dtype.kind not in "iu":
        raise DataError(
            f"{findings.source} holds labels of {y_train.dtype} and {y_test.dtype}; "
            "labels are whole numbers."
        )
    pixels = to_pixels({"train": x_train, "test": x_test}, findings)
    parts = {"train": (pixels["train"], y_train), "test": (pixels["test"], y_test)}
    note_beside(path, {find_idx(path, name).name for name in IDX_NAMES}, findings)
    names = FASHION.class_names if _is_fashion(path, split) else None
    return from_arrays(folder, "idx", parts, names, findings)


def note_beside(folder: Path, used: set[str], findings: Findings) -> None:
    """What else lies in the folder is named, so that nobody waits for it."""
    for path in sorted(folder.iterdir(), key=lambda path: natural_key(path.name)):
        if path.name.startswith("."):
            findings.hidden(path.name)
        elif path.name not in used:
            name = f"{path.name}/" if path.is_dir() else path.name
            findings.note(name, "it is none of the data set's files")


def _is_fashion(folder: Path, split: Split) -> bool:
    (x_train, y_train), (x_test, y_test) = split
    named = any("fashion" in p.lower() for p in folder.absolute().parts[-2:])
    alike = x_train.shape[1:] == x_test.shape[1:] == (28, 28)
    return (
        named
        and alike
        and set(y_train.tolist()) == set(range(10))
        and set(y_test.tolist()) <= set(range(10))
    )
