"""Shape: in which size, and whether grey or in colour, a network sees its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from deepneuron.data.collection import Collection, Part
from deepneuron.data.decode import Header, Shape, fit, read_header
from deepneuron.errors import ArgumentError, DataError, PictureError

# A network on a CPU sees photographs in 64 x 64: each doubling costs four times the
# time. Up to 96 pixels a common size is kept, because nothing is clearer than unscaled.
_SMALLEST, _LARGEST, _LARGEST_KEPT, _STEP = 16, 64, 96, 8
_NEARLY_ALL = 0.95
_GREYNESS_SAMPLE = 64
# Arithmetic on grey files, such as a JPEG's, leaves their channels equal.
_GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def choose_shape(
    collection: Collection, size: int | None = None, sample: int = 1000
) -> Shape:
    """(height, width, channels) of what the network is to see.

    Arrays keep their height and width. Files keep theirs if nearly all (95%) have the
    same, between 8 and 96 pixels on either side; else they are fitted into a square: as
    large as the median of their longer sides, rounded up to a multiple of 8, and no
    smaller than 16, no larger than 64.

    There is one channel if all pictures that are looked at are grey in what they show,
    also where they are stored in colours, and else there are three.

    Args:
        collection: its part "train" is looked at, evenly spaced.
        size: the side of a square, 8 to 1024, in place of all rules but that for grey.
        sample: at most so many headers are read; of at most 64 also the pixels.

    Raises:
        ArgumentError: size or sample is out of range.
        DataError: there is no picture that can be read.

    >>> from deepneuron.data.collection import Part
    >>> x = np.zeros((2, 28, 20), np.uint8)
    >>> part = Part(x, np.array([0, 1]), ("train 0", "train 1"))
    >>> choose_shape(Collection("x.npz", "npz", ("a", "b"), {"train": part}))
    (28, 20, 1)
    """
    if size is not None and not 8 <= size <= 1024:
        raise ArgumentError(f"size must lie between 8 and 1024; received {size}.")
    if sample < 1:
        raise ArgumentError(f"sample must be at least 1; received {sample}.")
    part = collection.parts["train"]
    if not len(part):
        raise DataError(f"{collection.source} holds no picture to train on.")
    if isinstance(part.pictures, np.ndarray):
        height, width = part.pictures.shape[1:3]
        grey = _is_grey_array(part.pictures)
    else:
        headers = _read_headers(part, sample, collection.source)
        height, width = _common_size(list(headers.values()))
        grey = _are_grey_files(part.pictures, headers)
    if size is not None:
        height = width = size
    return height, width, 1 if grey else 3


def _spaced(rows: Sequence[int], count: int) -> list[int]:
    """At most `count` of the rows, evenly spaced, the first and the last among them."""
    if len(rows) <= count:
        return list(rows)
    places = np.unique(np.linspace(0, len(rows) - 1, count).round().astype(int))
    return [rows[place] for place in places]


def _read_headers(part: Part, sample: int, source: str) -> dict[int, Header]:
    headers, failures = {}, []
    paths = cast(Sequence[Path], part.pictures)
    for row in _spaced(range(len(part)), sample):
        try:
            headers[row] = read_header(paths[row])
        except PictureError as error:
            failures.append(f"{part.names[row]!r}: {error}")
    if not headers:
        raise DataError(
            f"None of the {len(failures)} pictures of {source} that were looked at can "
            f"be read. The first is {failures[0]}."
        )
    return headers


def _common_size(headers: Sequence[Header]) -> tuple[int, int]:
    sizes = np.array([(header.height, header.width) for header in headers])
    different, counts = np.unique(sizes, axis=0, return_counts=True)
    height, width = map(int, different[counts.argmax()])
    enough = counts.max() >= _NEARLY_ALL * len(sizes)
    if enough and min(height, width) >= 8 and max(height, width) <= _LARGEST_KEPT:
        return height, width
    median = float(np.median(sizes.max(axis=1)))
    side = _STEP * int(np.ceil(median / _STEP))
    side = min(max(side, _SMALLEST), _LARGEST)
    return side, side


def _are_grey_files(paths: Sequence[Path], headers: dict[int, Header]) -> bool:
    """Modes without colour need no look; of the others, some are looked into."""
    unsure = [row for row, header in headers.items() if header.mode not in _GREY_MODES]
    for row in _spaced(unsure, _GREYNESS_SAMPLE):
        try:
            x = fit(paths[row], (_LARGEST, _LARGEST, 3))
        except PictureError:
            continue
        if not _has_equal_channels(x):
            return False
    return True


def _is_grey_array(pictures: np.ndarray) -> bool:
    if pictures.ndim == 3 or pictures.shape[3] < 3:
        return True
    rows = _spaced(range(len(pictures)), _GREYNESS_SAMPLE)
    return all(_has_equal_channels(pictures[row]) for row in rows)


def _has_equal_channels(x: np.ndarray) -> bool:
    return bool((x[..., 1:3] == x[..., :1]).all())
