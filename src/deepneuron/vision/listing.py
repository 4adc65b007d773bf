"""Which pictures a user means who names files, folders or arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from deepneuron.data.collection import Skipped
from deepneuron.data.image_folder import PICTURE_SUFFIXES
from deepneuron.data.names import natural_key
from deepneuron.errors import ArgumentError

Skip: TypeAlias = Callable[[Skipped], None]


@dataclass(frozen=True)
class Picture:
    """One picture that is not decoded yet.

    Attributes:
        name: what it is called: its path, or its row.
        source: what `read_picture` takes.
        place: its path below the folder that was named, for files made beside it.
    """

    name: str
    source: Any
    place: str


def list_pictures(pictures: Any, skip: Skip) -> Iterator[Picture]:
    """All that is meant, folders with everything below them, in natural order.

    Args:
        pictures: a path of a file or folder; an array of one picture, (height, width)
            or (height, width, 1, 3 or 4), or of many, (pictures, height, width) or with
            channels; a picture of Pillow; the bytes of a file; or a list of these, in
            which an array is one picture.
        skip: told what cannot be listed.

    Raises:
        ArgumentError: something else.

    >>> [one.name for one in list_pictures(np.zeros((2, 8, 8, 1), "uint8"), print)]
    ['0', '1']
    """
    if isinstance(pictures, (list, tuple)):
        for position, some in enumerate(pictures):
            if isinstance(some, (str, os.PathLike, Picture)):
                yield from list_pictures(some, skip)
            elif isinstance(some, np.ndarray):
                yield Picture(str(position), some, str(position))
            else:
                for one in list_pictures(some, skip):
                    yield Picture(str(position), one.source, str(position))
    elif isinstance(pictures, (str, os.PathLike)):
        path = Path(pictures)
        if not path.is_dir():
            yield Picture(str(path), path, path.name)
            return
        for below in _pictures_below(path, skip):
            yield Picture(str(below), below, below.relative_to(path).as_posix())
    elif isinstance(pictures, Picture):
        yield pictures
    elif isinstance(pictures, np.ndarray):
        single = pictures.ndim == 2 or (
            pictures.ndim == 3 and pictures.shape[2] in (1, 3, 4)
        )
        for row, picture in enumerate(pictures[None] if single else pictures):
            yield Picture(str(row), np.asarray(picture), str(row))
    elif isinstance(pictures, bytes) or hasattr(pictures, "getexif"):
        yield Picture("0", pictures, "0")
    else:
        raise ArgumentError(
            "Pictures are paths, arrays, or a list of them; received "
            f"{type(pictures).__name__}."
        )


def _pictures_below(folder: Path, skip: Skip) -> Iterator[Path]:
    """Files with a picture's extension; hidden ones do not count.

    Links are followed, and every folder is read once, so a loop of links has an end.
    """
    seen: set[str] = set()

    def below(place: Path) -> Iterator[Path]:
        real = os.path.realpath(place)
        if real in seen:
            return
        seen.add(real)
        try:
            names = sorted(os.listdir(place), key=natural_key)  # noqa: PTH208 - names, not paths
        except OSError as error:
            reason = f"it cannot be read ({error.strerror or error})"
            skip(Skipped(str(place), reason))
            return
        for path in (place / name for name in names if not name.startswith(".")):
            if path.is_dir():
                yield from below(path)
            elif path.suffix.lower() in PICTURE_SUFFIXES:
                yield path

    return below(folder)


def free_name(place: str, suffix: str, taken: set[str]) -> str:
    """The place with that suffix, numbered if it is taken; and from now on it is.

    Very long names are cut, so that the file system takes them.

    >>> taken = set()
    >>> free_name("a/1", ".png", taken), free_name("a/1", ".png", taken)
    ('a/1.png', 'a/1 (2).png')
    """
    folder, _, stem = place.rpartition("/")
    while len(os.fsencode(stem)) > 200:  # most file systems allow for 255 bytes
        stem = stem[:-1]
    name, number = f"{stem}{suffix}", 1
    while f"{folder}/{name}".casefold() in taken:  # some file systems take A for a
        number += 1
        name = f"{stem} ({number}){suffix}"
    taken.add(f"{folder}/{name}".casefold())
    return f"{folder}/{name}" if folder else name
