"""Store: the pictures of a collection, decoded once, as one array on disk.

Three files in a folder of its own:

    pictures.npy   (rows, height, width, channels) uint8, mapped into memory
    rows.npz       label, part and facts of every row
    store.json     names and what was skipped; written last, so it says: complete

The rows stand in the order train, validation, test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepneuron.data.collection import Skipped


@dataclass(frozen=True)
class Facts:
    """What was seen of the files while they were decoded; one value for each row.

    Attributes:
        width, height: pixels of the file, upright, (rows,) int32.
        size: bytes of the file (of the array's row), (rows,) int64.
        mode: index into `modes`, (rows,) uint8.
        format: index into `formats`, (rows,) uint8.
        digest: SHA-256 of the file (of the array's row), its first 16 bytes, (rows, 16)
            uint8: equal where the files are equal.
        dhash: 64 bits that are nearly equal where pictures look alike, (rows,) uint64.
        constant: whether all pixels are equal, (rows,) bool.
        modes, formats: such as ("L", "RGB") and ("PNG", "JPEG", "array").
    """

    width: np.ndarray
    height: np.ndarray
    size: np.ndarray
    mode: np.ndarray
    format: np.ndarray
    digest: np.ndarray
    dhash: np.ndarray
    constant: np.ndarray
    modes: tuple[str, ...]
    formats: tuple[str, ...]


@dataclass(frozen=True)
class Store:
    """Decoded pictures with their labels, in the order train, validation, test.

    Attributes:
        x: (rows, height, width, channels) uint8, memory-mapped; 255 is a full pixel.
        y: labels, (rows,) int64.
        part: index into `collection.PARTS` of every row, (rows,) uint8.
        names: what each row is called, one for each row.
        class_names: the name of label 0, of label 1, and so on.
        facts: what the files were like.
        skipped: what could not be decoded, or is no picture, and why.
    """

    x: np.ndarray
    y: np.ndarray
    part: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    facts: Facts
    skipped: tuple[Skipped, ...]
