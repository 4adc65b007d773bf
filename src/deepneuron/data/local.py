"""A data set from this machine: nothing is downloaded, the error says what to do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from deepneuron.data.idx import IDX_NAMES, has_idx, read_idx_split
from deepneuron.data.split import Split, read_npz_split
from deepneuron.errors import DataNotFoundError


def data_folders() -> list[Path]:
    """The folders in which data sets are searched for, in order.

    `$DEEPNEURON_DATA` when it is set, Keras's own cache (`$KERAS_HOME/datasets`, or
    `~/.keras/datasets`), and `~/.deepneuron/datasets`.
    """
    chosen = os.environ.get("DEEPNEURON_DATA")
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return [
        *([Path(chosen).expanduser()] if chosen else []),
        keras / "datasets",
        Path.home() / ".deepneuron" / "datasets",
    ]


def load_local(
    title: str,
    files: Sequence[str],
    folders: Sequence[str],
    system: Sequence[Path] = (),
    advice: str = "",
) -> Split:
    """The first of these files or folders that is there, read as a split.

    Args:
        title: the name of the data set, for the error.
        files: names of .npz files, or paths; a path may also be a folder of IDX files.
        folders: names of folders with the four IDX files.
        system: folders where the system's packages put the IDX files.
        advice: a last sentence for the error.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Raises:
        DataNotFoundError: none of them is there.
        DataError: the first that is there cannot be read.
    """
    places = data_folders()
    candidates = [Path(name).expanduser() for name in files]
    for place in places:
        # An absolute name stays itself when it is joined to a folder.
        candidates += [place / name for name in (*files, *folders)]
    for path in dict.fromkeys([*candidates, *system]):
        if path.is_file():
            return read_npz_split(path)
        if path.is_dir() and has_idx(path):
            return read_idx_split(path)
    raise DataNotFoundError(
        f"{title} is not on this machine, and deepneuron downloads nothing. Place "
        f"{files[0]} (arrays x_train, y_train, x_test, y_test) or a folder "
        f"{folders[0]} with {', '.join(IDX_NAMES)} (each with .gz or without) into "
        f"{places[-1]}. Looked in: {', '.join(map(str, [*places, *system]))}. The "
        f"environment variable DEEPNEURON_DATA adds a folder.{advice}"
    )
