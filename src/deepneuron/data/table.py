"""Tables: a CSV (or TSV) file that names pictures, their labels, and perhaps a split.

    path,label,split
    cats/1.png,cat,train
    dogs/2.png,dog,test

Paths are relative to the folder in which the table lies.
"""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepneuron.data.assemble import Labelled, from_files
from deepneuron.data.collection import Collection
from deepneuron.data.findings import Findings
from deepneuron.data.image_folder import PART_FOLDERS, PICTURE_SUFFIXES
from deepneuron.data.names import class_name, printable, shown
from deepneuron.errors import DataError, DataNotFoundError

# What columns are called, the clearest name first, in any case; "_", "-" and " " alike.
_PATHS = (
    *("path", "file_path", "filepath", "image_path", "img_path"),
    *("file", "filename", "file_name", "image_file", "image_filename"),
    *("image", "image_name", "img", "picture", "photo", "images"),
)
_LABELS = (
    *("class_name", "classname", "label_name", "label", "labels"),
    *("class", "target", "category", "species", "y"),
)
_SPLITS = ("split", "set", "subset", "part", "partition", "dataset", "usage", "phase")
_PART_OF = {
    **{name: part for part, names in PART_FOLDERS.items() for name in names},
    "dev": "validation",
}


@dataclass(frozen=True)
class _Columns:
    """Where in a row path, label and split stand; split may be nowhere."""

    path: int
    label: int
    split: int | None
    header: bool


def open_table(path: str | os.PathLike[str], *, strict: bool = False) -> Collection:
    r"""The pictures that a table names; none is opened.

    Args:
        path: a file in UTF-8, with a byte-order mark or without; separated by commas,
            semicolons or tabs. With a header, columns are found by common names (path,
            file, filename, image ...; label, class, target ...; split, set ...).
            Without, the column with picture files is the path, its neighbour the label
            and a third the split.
        strict: whether a row that cannot be used (no such file, no label, cells
            missing) is an error.

    Returns:
        A Collection of kind "csv". Without a split, all rows are for training.

    Raises:
        DataNotFoundError: there is no such file, or none of the pictures.
        DataError: it is no such table, or gives one picture two labels.

    Example:

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> for name in ("1.png", "2.png"):
    ...     Path(folder.name, name).touch()
    >>> table = Path(folder.name, "labels.csv")
    >>> _ = table.write_text("file,label\n1.png,cat\n2.png,dog\n", encoding="utf-8")
    >>> open_table(table).class_names
    ('cat', 'dog')
    >>> folder.cleanup()
    """
    source = os.fspath(path)
    findings = Findings(source, strict=strict)
    lines = _read_lines(source)
    if not lines:
        raise DataError(f"{shown(source)} is an empty table.")
    folder = Path(source).parent
    columns = _find_columns(lines[0][1], source, folder)
    body = lines[1:] if columns.header else lines
    rows: dict[str, list[Labelled]] = {}
    reader = _Rows(columns, folder, findings)
    for line, cells in body:
        try:
            part, row = reader.take(line, cells)
        except _UnusableError as error:
            findings.broken(*error.args)
        else:
            if not reader.is_repeated(line, part, row):
                rows.setdefault(part, []).append(row)
    if not rows and reader.missing:
        raise DataNotFoundError(
            f"None of the pictures that {shown(source)} names is there; the first "
            f"would be {shown(reader.missing)}. Paths are relative to the table."
        )
    return from_files(source, "csv", rows, findings)


class _UnusableError(Exception):
    """A row that leads to no labelled picture: (where, reason)."""


class _Rows:
    """Turns cells into pictures; remembers which files it has seen."""

    def __init__(self, columns: _Columns, folder: Path, findings: Findings) -> None:
        self.columns = columns
        self.folder = folder
        self.findings = findings
        self.missing: Path | None = None  # the first path that leads to no file
        self._label_of: dict[str, tuple[int, str]] = {}  # file: (line, label)
        self._line_of: dict[tuple[str, str], int] = {}  # (part, file): line

    def take(self, line: int, cells: Sequence[str]) -> tuple[str, Labelled]:
        """The part and the picture of a row.

        Raises:
            _UnusableError: it leads to no labelled picture.
            DataError: an unknown split.
        """
        columns, where = self.columns, f"line {line}"
        wanted = max(columns.path, columns.label, columns.split or 0) + 1
        if len(cells) < wanted:
            raise _UnusableError(where, f"it has {len(cells)} of {wanted} cells")
        path, label = cells[columns.path], class_name(cells[columns.label].strip())
        if not path.strip():
            raise _UnusableError(where, "it names no picture")
        where = f"{path} ({where})"
        if not label:
            raise _UnusableError(where, "it has no label")
        part = "train"
        if columns.split is not None:
            split = cells[columns.split].strip()
            if split.lower() not in _PART_OF:
                raise DataError(
                    f"Line {line} of {self.findings.source} has the split "
                    f"'{shown(split)}'; a split is train, validation (val) or test."
                )
            part = _PART_OF[split.lower()]
        file, reason = self._find(path)
        if reason:
            raise _UnusableError(where, reason)
        return part, Labelled(file, label, printable(path))

    def is_repeated(self, line: int, part: str, row: Labelled) -> bool:
        """Whether the part has this picture already.

        Raises:
            DataError: a second label for the same picture.
        """
        file = os.path.normcase(os.path.normpath(row.path))
        before, label = self._label_of.setdefault(file, (line, row.label))
        if label != row.label:
            raise DataError(
                f"{self.findings.source} gives {shown(row.name)} two labels: "
                f"{shown(label)} in line {before}, {shown(row.label)} in line {line}. "
                "A picture has one class."
            )
        first = self._line_of.setdefault((part, file), line)
        if first != line:
            where = f"{row.name} (line {line})"
            self.findings.note(where, f"line {first} names the same picture")
        return first != line

    def _find(self, path: str) -> tuple[Path, str]:
        """The file that a cell means, and what is wrong with it, or ""."""
        spellings = [path, path.strip()]
        if os.sep == "/":
            spellings.append(path.strip().replace("\\", "/"))  # written on Windows
        for spelling in dict.fromkeys(spellings):
            file = self.folder / spelling
            try:
                mode = file.stat().st_mode
            except (FileNotFoundError, NotADirectoryError, ValueError):
                continue  # ValueError: a null character
            except OSError as error:
                return file, f"it cannot be read ({error.strerror or error})"
            if stat.S_ISDIR(mode):
                return file, "it is a folder"
            return file, "" if stat.S_ISREG(mode) else "it is no regular file"
        self.missing = self.missing or self.folder / path.strip()
        return self.missing, "there is no such file"


def _read_lines(source: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its last line."""
    name = shown(source)
    try:
        # utf-8-sig: Excel begins UTF-8 with a byte-order mark.
        with Path(source).open(encoding="utf-8-sig", newline="") as file:
            start = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=_delimiter(source, start))
            return [
                (reader.line_num, cells)
                for cells in reader
                if any(cell.strip() for cell in cells)
            ]
    except FileNotFoundError:
        raise DataNotFoundError(
            f"There is no file {name}; a table of pictures was to be read from it."
        ) from None
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not in UTF-8. Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise DataError(f"{name} is no table that can be read: {error}.") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error


def _delimiter(source: str, start: str) -> str:
    if source.lower().endswith(".tsv"):
        return "\t"
    marks = ",;\t"
    # A comma is likely; Excel writes semicolons where a comma marks decimals.
    counts = {
        mark: len(next(csv.reader([start], delimiter=mark), [])) for mark in marks
    }
    return max(counts, key=lambda mark: counts[mark])


def _find_columns(first: Sequence[str], source: str, folder: Path) -> _Columns:
    """By the header's names; without a header, by where the first picture stands.

    Raises:
        DataError: neither tells.
    """
    titles = ["_".join(t.strip().lower().replace("-", " ").split()) for t in first]
    path, label = _first(titles, _PATHS), _first(titles, _LABELS)
    split = _first(titles, _SPLITS)
    pictures = [place for place, cell in enumerate(first) if _is_picture(cell, folder)]
    if not pictures and (path is not None or label is not None):
        rest = [i for i in range(len(titles)) if i not in {path, label, split}]
        if path is None and len(rest) == 1:
            path = rest[0]
        elif label is None and len(rest) == 1:
            label = rest[0]
        if path is not None and label is not None:
            return _Columns(path, label, split, header=True)
    elif len(pictures) == 1 and len(first) in {2, 3}:
        path = pictures[0]
        rest = [i for i in range(len(first)) if i != path]
        if len(rest) == 1:
            return _Columns(path, rest[0], None, header=False)
        splits = [i for i in rest if first[i].strip().lower() in _PART_OF]
        if len(splits) == 1:
            label = next(i for i in rest if i != splits[0])
            return _Columns(path, label, splits[0], header=False)
    raise DataError(
        f"{shown(source)} begins with {shown(', '.join(first))}, which does not tell "
        "where paths and labels stand. Give it the header: path,label (and split, if "
        "it has one)."
    )


def _first(titles: Sequence[str], names: Sequence[str]) -> int | None:
    return next((titles.index(name) for name in names if name in titles), None)


def _is_picture(cell: str, folder: Path) -> bool:
    if Path(cell.strip()).suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        return bool(cell.strip()) and (folder / cell).is_file()
    except (OSError, ValueError):
        return False
