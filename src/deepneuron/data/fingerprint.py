"""Fingerprints: by which equal pictures are known, and those that look alike."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

_ROWS, _COLUMNS = 8, 9


def digest_file(file: IO[bytes]) -> bytes:
    """The first 16 bytes of the SHA-256 of a file, which is rewound."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]  # any file
    file.seek(0)
    return digest.digest()[:16]


def digest_rows(x: np.ndarray) -> np.ndarray:
    """The first 16 bytes of the SHA-256 of every row, (rows, 16) uint8."""
    x = np.ascontiguousarray(x)
    digests = b"".join(hashlib.sha256(row).digest()[:16] for row in x)
    return np.frombuffer(digests, np.uint8).reshape(len(x), 16)


def dhash(x: np.ndarray) -> np.ndarray:
    """64 bits for each picture: is it brighter to the right, at 8 x 8 places?

    The picture is averaged down to 8 rows of 9 greys; each bit compares one with its
    right neighbour, row by row, the first in the highest bit. Scaling, compression and
    small changes of brightness flip few bits.

    Args:
        x: grey pictures, (rows, height, width) uint8.

    Returns:
        (rows,) uint64.

    Source: the "difference hash" of N. Krawetz, Kind of Like That (2013).

    >>> ramp = np.arange(0, 252, 4, dtype=np.uint8)[None, None].repeat(63, axis=1)
    >>> [hex(code) for code in dhash(np.concatenate([ramp, ramp[:, :, ::-1]])).tolist()]
    ['0xffffffffffffffff', '0x0']
    """
    _, height, width = x.shape
    above, beside = averages(height, _ROWS), averages(width, _COLUMNS).T
    grey = above @ x.astype(np.float32) @ beside  # (rows, 8, 9)
    # Whole numbers: where a picture is even, rounding errors are no difference.
    grey = np.rint(grey)
    bits = grey[:, :, 1:] > grey[:, :, :-1]  # (rows, 8, 8)
    return np.packbits(bits.reshape(-1, 64), axis=1).view(">u8").astype(np.uint64)[:, 0]


def dhash_picture(image: Image) -> int:
    """`dhash` of one picture of Pillow, in mode L or RGB, of any size."""
    grey = image if image.mode == "L" else image.convert("L")
    # Coarsely first, in whole pixels and in C: from large pictures nothing is lost.
    factor = (max(1, grey.width // 72), max(1, grey.height // 64))
    if factor != (1, 1):
        grey = grey.reduce(factor)
    return int(dhash(np.asarray(grey)[None])[0])


def is_constant(x: np.ndarray) -> np.ndarray:
    """Whether all pixels of a picture are equal, for each of (rows, height, width, …).

    >>> is_constant(np.array([[[[1, 2], [1, 2]]], [[[1, 2], [2, 1]]]], np.uint8))
    array([ True, False])
    """
    first = x[:, :1, :1]
    return (x == first).reshape(len(x), -1).all(axis=1)


def to_grey(x: np.ndarray) -> np.ndarray:
    """0.299 R + 0.587 G + 0.114 B, rounded as Pillow does: (..., 3) becomes (...)."""
    r, g, b = (x[..., channel].astype(np.uint32) for channel in range(3))
    return ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16).astype(np.uint8)


@lru_cache(maxsize=64)
def averages(size: int, count: int) -> np.ndarray:
    """(count, size): row i averages the i-th of `count` equal stretches of `size`.

    >>> averages(3, 2) * 3
    array([[2., 1., 0.],
           [0., 1., 2.]], dtype=float32)
    """
    edges = np.linspace(0, size, count + 1)
    pixels = np.arange(size)
    ends = np.minimum(edges[1:, None], pixels + 1)
    overlap = np.maximum(0, ends - np.maximum(edges[:-1, None], pixels))
    return (overlap * count / size).astype(np.float32)
