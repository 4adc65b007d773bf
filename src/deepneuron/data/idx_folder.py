"""A folder with the four IDX files of MNIST, or of one of its kin, as a Collection."""

from __future__ import annotations

import os
from pathlib import Path

from deepneuron.data.assemble import from_arrays
from deepneuron.data.collection import Collection
from deepneuron.data.embedded import FASHION
from deepneuron.data.findings import Findings
from deepneuron.data.idx import IDX_NAMES, find_idx, read_idx_split
from deepneuron.data.pixels import to_pixels
from deepneuron.data.split import Split
from deepneuron.errors import DataError

_FASHION_BEGINS = [9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9, 5, 5, 7, 9]


def open_idx_folder(
    folder: str | os.PathLike[str], *, strict: bool = False
) -> Collection:
    """The pictures in the four IDX files, plain or with .gz.

    Classes are named by their labels, as MNIST's "0" to "9"; by Fashion-MNIST's words
    only if the labels are its own, or the folder bears its name and nothing speaks
    against it.

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
    findings.beside(
        path,
        {find_idx(path, name).name for name in IDX_NAMES},
        "it is none of the data set's files",
    )
    names = FASHION.class_names if _is_fashion(path, split) else None
    return from_arrays(folder, "idx", parts, names, findings)


def _is_fashion(folder: Path, split: Split) -> bool:
    (x_train, y_train), (x_test, y_test) = split
    if x_train.shape[1:] != (28, 28) or x_test.shape[1:] != (28, 28):
        return False
    if len(y_train) == 60_000 and y_train[:16].tolist() == _FASHION_BEGINS:
        return True
    place = folder.absolute()
    name = place.parent.name if place.name.lower() == "raw" else place.name
    ten = set(range(len(FASHION.class_names)))
    return (
        "fashion" in name.lower()
        and set(y_train.tolist()) == ten
        and set(y_test.tolist()) <= ten
    )
