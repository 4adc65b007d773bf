"""Folders of pictures: one subfolder for each class, whole or in train/ and test/.

    pictures/cats/1.png             pictures/train/cats/1.png
    pictures/cats/more/2.jpg        pictures/validation/cats/2.png   (if you have it)
    pictures/dogs/1.png             pictures/test/cats/3.png

Deeper folders belong to the class folder they lie in. Links are followed, once: what
leads back to where it came from is named and passed over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from deepneuron.data.assemble import Labelled, from_files, listed
from deepneuron.data.collection import Collection
from deepneuron.data.findings import Findings
from deepneuron.data.names import class_name, natural_key, printable, shown
from deepneuron.errors import DataError

# Told by extension, in any case; whether they can be read shows when they are decoded.
PICTURE_SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jp2"),
        *(".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff", ".tga"),
        *(".ppm", ".pgm", ".pbm", ".pnm"),
    }
)
PART_FOLDERS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
# Left behind by operating systems and file servers; hidden files begin with a dot.
_LEFTOVERS = frozenset(
    {
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
        "__macosx",
        "@eadir",
        "$recycle.bin",
        "system volume information",
    }
)
# What tells that a training has left, or will leave, its results in a folder.
_RESULTS = ("model.keras", "config.json", "unfinished/config.json")
_STRAY = 20  # pictures beside class folders: more than these are told as a number

# What makes two paths one folder.
_Identity: TypeAlias = tuple[int, int] | str


@dataclass(frozen=True)
class Listing:
    """What lies in a folder, in natural order, without what is hidden.

    Attributes:
        folders: names of subfolders, and of links to folders.
        pictures: names of files with a picture's extension.
    """

    folders: tuple[str, ...]
    pictures: tuple[str, ...]


def open_image_folder(
    folder: str | os.PathLike[str], *, strict: bool = False
) -> Collection:
    """The pictures in a folder with one subfolder for each class; none is opened.

    The folder may hold train/ and test/ (and val/, valid/ or validation/) instead, each
    with the same class folders. train/ counts as a part if test/ or val/ lies beside
    it, or nothing else: next to bus/ and plane/ it is a class.

    Args:
        folder: its path.
        strict: whether an empty class, an unreadable folder or a link that leads
            nowhere or in a circle is an error. Hidden files and files of other kinds
            never are.

    Returns:
        A Collection of kind "folder"; its classes are in natural order (2 before 10).
        What is passed over is in `skipped`.

    Raises:
        DataError: it cannot be read, holds fewer than two classes, or test holds a
            class that train does not; or, if strict, something is broken.

    Example:

    >>> import pathlib, tempfile
    >>> root = tempfile.TemporaryDirectory()
    >>> for name in ("cats/1.png", "dogs/2.png", "dogs/old/10.JPG", "dogs/notes.txt"):
    ...     path = pathlib.Path(root.name, name)
    ...     path.parent.mkdir(parents=True, exist_ok=True)
    ...     path.touch()
    >>> collection = open_image_folder(root.name)
    >>> collection.class_names, collection.parts["train"].names
    (('cats', 'dogs'), ('cats/1.png', 'dogs/2.png', 'dogs/old/10.JPG'))
    >>> [skipped.name for skipped in collection.skipped]
    ['dogs/notes.txt']
    >>> root.cleanup()
    """
    root = os.fspath(folder)
    findings = Findings(root, strict=strict)
    reader = _Reader(root, findings)
    try:
        top = reader.list_folder("")
    except OSError as error:
        raise DataError(
            f"The folder {shown(root)} cannot be read: {error.strerror or error}."
        ) from error
    parts = _find_parts(top, root)
    if not parts:
        rows = {"train": reader.read_classes("", top)}
    else:
        reader.skip_beside(top, set(parts.values()))
        rows = {part: reader.read_part(name) for part, name in parts.items()}
    if len({row.label for row in rows["train"]}) < 2:
        raise _too_few_classes(root, parts.get("train", ""), rows["train"], reader)
    return from_files(root, "folder", rows, findings)


class _Reader:
    """Reads folders below a root; places are told relative to it, with slashes."""

    def __init__(self, root: str, findings: Findings) -> None:
        self.root = Path(root)
        self.findings = findings
        real = Path(os.path.realpath(root))
        # A link to one of these leads back to where it came from.
        self._above = {_identity(place) for place in (real, *real.parents)}

    def path(self, place: str) -> Path:
        return self.root / place

    def list_folder(self, place: str) -> Listing:
        """What lies there; everything else is told to the findings.

        Raises:
            OSError: it cannot be read.
        """
        folders, pictures = [], []
        with os.scandir(self.path(place)) as scanned:
            entries = sorted(scanned, key=lambda entry: natural_key(entry.name))
        for entry in entries:
            name = f"{place}/{entry.name}" if place else entry.name
            if entry.name.startswith(".") or entry.name.lower() in _LEFTOVERS:
                self.findings.hidden(name)
                continue
            suffix = Path(entry.name).suffix.lower()
            try:
                mode = entry.stat().st_mode  # of what a link leads to
            except OSError as error:
                if suffix and suffix not in PICTURE_SUFFIXES:
                    self.findings.other(name)
                    continue
                if isinstance(error, FileNotFoundError):
                    self.findings.broken(name, "it is a link that leads nowhere")
                    continue
                reason = error.strerror or str(error)
                self.findings.broken(name, f"it cannot be followed ({reason})")
            else:
                if stat.S_ISDIR(mode):
                    folders.append(entry.name)
                elif suffix not in PICTURE_SUFFIXES:
                    self.findings.other(name)
                elif stat.S_ISREG(mode):
                    pictures.append(entry.name)
                else:  # to open a pipe would wait forever
                    self.findings.broken(name, "it is no regular file")
        return Listing(tuple(folders), tuple(pictures))

    def read_part(self, place: str) -> list[Labelled]:
        """The pictures of train/, validation/ or test/."""
        try:
            listing = self.list_folder(place)
        except OSError as error:
            self._unreadable(place, error)
            return []
        rows = self.read_classes(place, listing)
        if not rows:
            self.findings.broken(f"{place}/", "it holds no class folder with pictures")
        return rows

    def read_classes(self, place: str, listing: Listing) -> list[Labelled]:
        """The pictures in every class folder there, class by class.

        Raises:
            DataError: two folders spell one class.
        """
        self._skip_stray(place, listing.pictures)
        rows: list[Labelled] = []
        folder_of: dict[str, str] = {}
        for name in listing.folders:
            inside = f"{place}/{name}" if place else name
            label = class_name(name)
            if label in folder_of:
                raise DataError(
                    f"{shown(self.root)} has two folders for the class {shown(label)}, "
                    f"{folder_of[label]!a} and {name!a}. Merge or rename one."
                )
            folder_of[label] = name
            found = self.find_pictures(inside)
            if found == [] and self._holds_results(inside):
                reason = "it holds what trainings have left, and no pictures"
                self.findings.note(f"{inside}/", reason, harmless=True)
            elif found == []:
                self.findings.broken(f"{inside}/", "no pictures lie in this class")
            rows += [Labelled(self.path(p), label, printable(p)) for p in found or []]
        return rows

    def find_pictures(self, place: str) -> list[str] | None:
        """All pictures in a folder and below, in natural order.

        Returns:
            None, rather than no pictures, for a folder that was passed over itself.
        """
        found: list[str] = []
        seen: dict[_Identity, str] = {}
        waiting = [place]
        while waiting:
            inside = waiting.pop()
            try:
                identity = _identity(self.path(inside))
                if self._leads_back(inside, identity, seen):
                    continue
                listing = self.list_folder(inside)
                seen[identity] = inside
            except OSError as error:
                self._unreadable(inside, error)
                continue
            found += [f"{inside}/{name}" for name in listing.pictures]
            waiting += [f"{inside}/{name}" for name in reversed(listing.folders)]
        if not found and place not in seen.values():
            return None
        return sorted(found, key=natural_key)

    def _holds_results(self, place: str) -> bool:
        """Whether this, or a folder in it as in runs/, is the folder of a training."""
        try:
            inside = [self.path(place), *self.path(place).iterdir()]
            return any((p / name).is_file() for p in inside for name in _RESULTS)
        except OSError:
            return False

    def skip_beside(self, listing: Listing, wanted: set[str]) -> None:
        """What lies beside train/ and test/ is named."""
        self._skip_stray("", listing.pictures)
        for name in listing.folders:
            if name not in wanted:
                self.findings.note(f"{name}/", "it lies beside train/, and is not read")

    def _leads_back(
        self, place: str, identity: _Identity, seen: dict[_Identity, str]
    ) -> bool:
        """Whether the folder was met before, which is told to the findings."""
        first = seen.get(identity)
        if identity in self._above or (first and place.startswith(f"{first}/")):
            self.findings.broken(f"{place}/", "it is a link that leads in a circle")
            return True
        if first:
            reason = f"it is the same folder as {shown(first)}/, and is read once"
            self.findings.note(f"{place}/", reason)
        return first is not None

    def _skip_stray(self, place: str, pictures: Sequence[str]) -> None:
        reason = "it lies beside the class folders, so it has no class"
        if len(pictures) <= _STRAY:
            for name in pictures:
                self.findings.note(f"{place}/{name}" if place else name, reason)
            return
        self.findings.note(
            f"{len(pictures):,} pictures in {place or '.'}/",
            "they lie beside the class folders, so they have no class; the first is "
            f"{shown(pictures[0])}",
        )

    def _unreadable(self, place: str, error: OSError) -> None:
        self.findings.broken(
            f"{place}/", f"it cannot be read ({error.strerror or error})"
        )


def _identity(path: Path) -> _Identity:
    status = path.stat()
    if status.st_ino:
        return status.st_dev, status.st_ino
    # Some file systems, mostly on Windows, number no files.
    return os.path.normcase(os.path.realpath(path))


def _find_parts(top: Listing, root: str) -> dict[str, str]:
    """The names of the folders train, validation and test; empty if they are classes.

    Raises:
        DataError: two folders for one part, or parts without train.
    """
    found = {
        part: [name for name in top.folders if name.lower() in spellings]
        for part, spellings in PART_FOLDERS.items()
    }
    found = {part: names for part, names in found.items() if names}
    others = set(top.folders).difference(*found.values())
    if "train" not in found:
        if found and not others:
            names = [name for part in found.values() for name in part]
            raise DataError(
                f"{shown(root)} has {listed(names)}, and no folder train. The pictures "
                "to learn from belong into train/, in one folder per class."
            )
        return {}
    if len(found) == 1 and others:
        return {}
    for part, names in found.items():
        if len(names) > 1:
            raise DataError(
                f"{shown(root)} has more than one folder for {part}: {listed(names)}. "
                "Keep one."
            )
    return {part: names[0] for part, names in found.items()}


def _too_few_classes(
    root: str, train: str, rows: Sequence[Labelled], reader: _Reader
) -> DataError:
    """What is there instead of classes, and what a folder of pictures looks like."""
    top = Path(root, train)
    place = shown(top)
    # What is broken may have been a class; what is none explains an empty folder.
    skipped = sorted(reader.findings.skipped(), key=lambda one: one.harmless)
    passed = f" ({shown(skipped[0].name)}: {skipped[0].reason})" if skipped else ""
    quiet = _Reader(root, Findings(root, strict=False))
    try:
        listing = quiet.list_folder(train)
    except OSError:
        listing = Listing((), ())
    if rows:
        only = rows[0].path.relative_to(top).parts[0]
        what = f"{place} holds a single class with pictures, {shown(only)}"
        if skipped and not skipped[0].harmless:
            what += passed
        inside = f"{train}/{only}" if train else only
        try:
            deeper = quiet.list_folder(inside).folders
        except OSError:
            deeper = ()
        if len(deeper) > 1:
            below = shown(top / only)
            return DataError(
                f"{what}, with {listed(deeper)} in it. If these are the classes, name "
                f"the folder {below} instead."
            )
    elif listing.pictures:
        count = len(listing.pictures)
        are = "1 picture lies" if count == 1 else f"{count:,} pictures lie"
        what = f"{are} directly in {place}, and none in a class folder"
    else:
        what = f"{place} holds no pictures in class folders{passed}"
    return DataError(
        f"{what}. Make one subfolder for each class, at least two, such as cats/1.png "
        "and dogs/2.png in it."
    )
