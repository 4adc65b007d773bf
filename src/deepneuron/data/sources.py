"""What DATA is: the name of an embedded set, a folder, a table or an .npz file.

digits, fashion             embedded.py
folder of pictures          image_folder.py
folder of IDX files         idx_folder.py
folder of CIFAR's files     cifar.py
.csv, .tsv                  table.py
.npz                        npz.py
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from deepneuron.data.assemble import from_arrays, listed
from deepneuron.data.cifar import has_cifar, open_cifar
from deepneuron.data.collection import Collection
from deepneuron.data.embedded import EMBEDDED, get_embedded
from deepneuron.data.findings import Findings
from deepneuron.data.idx import has_idx
from deepneuron.data.idx_folder import open_idx_folder
from deepneuron.data.image_folder import PICTURE_SUFFIXES, open_image_folder
from deepneuron.data.names import natural_key, printable, shown
from deepneuron.data.npz import open_npz
from deepneuron.data.table import open_table
from deepneuron.errors import (
    ArgumentError,
    DataError,
    DataNotFoundError,
    UnknownNameError,
)

_OPENERS: dict[str, Callable[..., Collection]] = {
    ".csv": open_table,
    ".tsv": open_table,
    ".npz": open_npz,
}
_ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"})
_PICKLES = frozenset({".pkl", ".pickle", ".pt", ".pth", ".joblib"})
_FORMS = (
    "a folder with one subfolder of pictures for each class, a .csv of paths and "
    "labels, an .npz, or a folder with the files of MNIST (IDX) or CIFAR"
)


def open_collection(
    data: str | os.PathLike[str], *, strict: bool = False
) -> Collection:
    """The labelled pictures that `data` names, with nothing passed over in silence.

    The text "digits" or "fashion" always means the embedded set, so that a command
    means the same in every folder; a folder of that name here is `./digits`, or
    `pathlib.Path("digits")`, and is named in `skipped`.

    Args:
        data: the name of an embedded set, or the path of a folder (pictures in class
            folders, whole or in train/ and test/; the four IDX files; CIFAR's files,
            binary or pickled; the last two also one folder down), of a .csv or .tsv
            table, or of an .npz file.
        strict: whether what would be passed over because it is broken (an empty class,
            a missing or unreadable file or folder, links in a circle) is an error.

    Returns:
        A Collection: class names, parts, and what was passed over.

    Raises:
        UnknownNameError: it looks like the misspelt name of an embedded set.
        DataNotFoundError: there is no such file or folder.
        DataError: it is nothing that can be trained on.

    Example:

    >>> digits = open_collection("digits")
    >>> digits.kind, len(digits.parts["train"]), digits.parts["test"].names[0]
    ('embedded', 1437, 'test 0')
    """
    if not isinstance(data, str | os.PathLike):
        raise ArgumentError(
            f"data must be a path or the name of an embedded set; received {data!r}."
        )
    text = os.fspath(data)
    if not isinstance(text, str):
        text = os.fsdecode(text)
    if not text.strip():
        raise ArgumentError(f"data is empty; it should name {_FORMS}.")
    if isinstance(data, str) and text in EMBEDDED:
        return _open_embedded(text, strict=strict)
    path, mode = _look(text)
    if stat.S_ISDIR(mode):
        return _open_folder(path, strict=strict)
    if not stat.S_ISREG(mode):
        raise DataError(f"{shown(text)} is neither a folder nor a file.")
    opener = _OPENERS.get(path.suffix.lower())
    if opener is None:
        raise DataError(_what_of_this_file(path))
    return opener(path, strict=strict)


def _open_embedded(name: str, *, strict: bool) -> Collection:
    dataset = get_embedded(name)
    findings = Findings(name, strict=strict)
    if os.path.lexists(name):
        findings.note(
            f"./{name}",
            f"{name} means the embedded set; ./{name} would be read",
            harmless=True,
        )
    parts = {
        part: (_to_full(x, dataset.peak), y)
        for part, (x, y) in zip(("train", "test"), dataset.load(), strict=True)
    }
    return from_arrays(name, "embedded", parts, dataset.class_names, findings)


def _to_full(x: np.ndarray, peak: int) -> np.ndarray:
    """The nearest value from 0 to 255: x * 255 / peak."""
    return x if peak == 255 else np.rint(x * (255 / peak)).astype(np.uint8)


def _look(text: str) -> tuple[Path, int]:
    """The path and what lies there.

    Raises:
        UnknownNameError: nothing, and it is nearly the name of an embedded set.
        DataNotFoundError: nothing.
        DataError: it cannot be looked at.
    """
    for path in dict.fromkeys((Path(text), _at_home(text))):
        try:
            return path, path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError):
            continue  # ValueError: a null character
        except OSError as error:
            raise DataError(
                f"{shown(text)} cannot be opened: {error.strerror or error}."
            ) from error
    plain = Path(text).name == text and not Path(text).suffix
    if plain and get_close_matches(text.lower(), EMBEDDED, cutoff=0.6):
        raise UnknownNameError("data set", printable(text), EMBEDDED)
    if "\0" not in text and Path(text).is_symlink():
        raise DataNotFoundError(f"{shown(text)} is a link that leads nowhere.")
    raise DataNotFoundError(
        f"There is no file or folder {shown(text)}"
        + (
            f", and no embedded data set of this name ({_embedded()})."
            if plain
            else "."
        )
        + f" It should name {_FORMS}."
    )


def _at_home(text: str) -> Path:
    """~ means the home folder, where no shell has replaced it."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no such user
        return Path(text)


def _embedded() -> str:
    return ", ".join(sorted(EMBEDDED))


def _open_folder(folder: Path, *, strict: bool) -> Collection:
    opener = _format_of(folder)
    if opener:
        return opener(folder, strict=strict)
    try:
        return open_image_folder(folder, strict=strict)
    except DataError as error:
        # No picture folder; then the files of MNIST or CIFAR may lie one folder down.
        below = _one_folder_down(folder)
        if below:
            return _from_below(folder, below, strict=strict)
        files = _readable_files(folder)
        if files and not strict:
            raise DataError(
                f"{error} If {listed(files)} holds the labels, name that file."
            ) from error
        raise


def _format_of(folder: Path) -> Callable[..., Collection] | None:
    try:
        if has_idx(folder):
            return open_idx_folder
        if has_cifar(folder):
            return open_cifar
    except OSError:  # the folder may be listed, and its files not be looked at
        pass
    return None


def _one_folder_down(folder: Path) -> Path | None:
    """The one subfolder with the files of MNIST or CIFAR, if there is exactly one."""
    try:
        inside = [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return None
    found = [path for path in inside if _format_of(path)]
    return found[0] if len(found) == 1 else None


def _from_below(folder: Path, below: Path, *, strict: bool) -> Collection:
    opener = _format_of(below)
    assert opener is not None  # noqa: S101 - _one_folder_down has seen it
    collection = opener(below, strict=strict)
    findings = Findings(folder, strict=strict)
    findings.beside(folder, {below.name}, f"only {shown(below.name)}/ is read")
    return Collection(
        os.fspath(folder),
        collection.kind,
        collection.class_names,
        collection.parts,
        (*collection.skipped, *findings.skipped()),
    )


def _readable_files(folder: Path) -> list[str]:
    try:
        names = [
            path.name for path in folder.iterdir() if path.suffix.lower() in _OPENERS
        ]
    except OSError:
        return []
    return sorted((n for n in names if not n.startswith(".")), key=natural_key)


def _what_of_this_file(path: Path) -> str:
    name, suffix = shown(path), path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return f"{name} is one picture. Name {_FORMS}."
    if suffix in _PICKLES:
        return (
            f"{name} is a pickle, which can run any program when it is read: it is "
            "refused. Save the arrays with numpy.savez, as x_train, y_train, x_test "
            "and y_test."
        )
    lies = path.parent
    if (has_idx(lies) or has_cifar(lies)) and suffix not in {".txt", ".html"}:
        return (
            f"{name} is one file of several that belong together. Name the folder "
            f"{shown(lies)}."
        )
    if suffix in _ARCHIVES:
        return f"{name} is an archive. Unpack it first, and name the folder."
    return f"{name} is no data set that can be read. Name {_FORMS}."
