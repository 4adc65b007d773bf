"""Collection: labelled pictures that are known by name, none of them opened yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

# Files to be decoded, or uint8 arrays: (rows, height, width) or with channels behind.
Pictures: TypeAlias = Sequence[Path] | np.ndarray

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Skipped:
    """Something that was passed over, and why; nothing is passed over in silence.

    Attributes:
        name: as the user would look for it: a path relative to the source, a row.
        reason: half a sentence, such as "it is empty (0 bytes)".
        harmless: whether nobody need do anything about it, as about a hidden file.
    """

    name: str
    reason: str
    harmless: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Part:
    """The pictures of one part of a data set.

    Attributes:
        pictures: files, or an array.
        labels: positions in the class names, int64, (rows,).
        names: what each picture is called in tables and reports, such as
            "train/cats/1.png" or "test 17".
    """

    pictures: Pictures
    labels: np.ndarray
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Collection:
    """What a data set says of itself before any picture is decoded.

    Attributes:
        source: what the user named, as a path or the name of an embedded set.
        kind: "embedded", "folder", "csv", "npz", "idx" or "cifar".
        class_names: the name of label 0, of label 1, and so on.
        parts: "train", and where the source has them "validation" and "test".
        skipped: what is no part of it, and why.
    """

    source: str
    kind: str
    class_names: tuple[str, ...]
    parts: dict[str, Part]
    skipped: tuple[Skipped, ...] = field(default=())
