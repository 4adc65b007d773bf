"""Pictures that are there twice: the same file again, or nearly the same picture.

Exact copies have equal digests. Near ones (saved again as JPEG, scaled, made a little
brighter) are sought among pictures of nearly equal dhash, and must then agree in their
pixels, in the whole and in the details. Nothing compares all with all: the rows are
sorted by their hashes, once for each of several rotations of the bits, and every row is
compared with the few that follow it. Two hashes that differ in few bits begin alike in
one of these orders (G. Manku, A. Jain, A. Das Sarma, "Detecting Near-Duplicates for Web
Crawling", 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepneuron.data.fingerprint import averages
from deepneuron.data.store import Store

# Measured: photographs and drawings saved again as JPEG, scaled, or changed in contrast
# are above these in nine cases of ten. Of the 70,000 digits of MNIST no two are (of all
# pairs one, two equal strokes); of Fashion-MNIST 121 groups, none with two labels.
_ALIKE = 0.99  # correlation of the pixels
_ALIKE_DETAILS = 0.96  # correlation of the differences between neighbouring pixels
_ALIKE_COARSE = 0.99  # correlation of 8 x 8 fields: looked at first, being quick
_CONTRAST = 3.0  # a flatter picture (standard deviation of the pixels) has no likeness
_STRETCH = 2.0  # by how much contrast may differ

_BITS = 6  # of 64 in which the hashes may differ
_ROTATIONS = range(0, 64, 8)
_FOLLOWERS = 16  # with which a row is compared in each order
_GRID = 32  # pictures are compared at this size at most
_COARSE = 8
_CHUNK = 2048  # pairs that are in memory at a time


@dataclass(frozen=True)
class Duplicates:
    """Groups of rows; each in rising order, and the groups by their first rows.

    Attributes:
        exact: rows whose files are equal, two or more in each group.
        near: rows that look alike, exact copies among them included; no group consists
            of exact copies only.
    """

    exact: tuple[np.ndarray, ...]
    near: tuple[np.ndarray, ...]


def find_duplicates(
    store: Store, progress: Callable[[int, int], None] | None = None
) -> Duplicates:
    """Exact and near duplicates, in time and memory proportional to the pictures.

    A chain of pictures of which each is like the next makes one group. Nearly uniform
    pictures are like none.

    Args:
        store: the pictures and what was seen of their files.
        progress: is told (done, total) on the way.
    """
    same = exact_groups(store.facts.digest)
    first = np.unique(same)  # of exact copies, one speaks for all
    joined = _near_groups(store.x, store.facts.dhash, first, progress)
    near = joined[np.searchsorted(first, same)]  # (rows,) the group of every row
    groups = [g for g in _grouped(near) if (same[g] != same[g[0]]).any()]
    return Duplicates(exact=tuple(_grouped(same)), near=tuple(groups))


def exact_groups(digest: np.ndarray) -> np.ndarray:
    """For every row the first row with an equal digest, (rows,) int64.

    >>> exact_groups(np.array([[7, 7], [1, 2], [7, 7]], np.uint8))
    array([0, 1, 0])
    """
    if not len(digest):
        return np.zeros(0, np.int64)
    whole = np.ascontiguousarray(digest).view(f"V{digest.shape[1]}")[:, 0]
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return first[which].astype(np.int64)


def _grouped(key: np.ndarray) -> list[np.ndarray]:
    """The rows of equal key, where there are two or more."""
    order = np.argsort(key, kind="stable")
    cuts = np.flatnonzero(np.diff(key[order])) + 1
    groups = [group for group in np.split(order, cuts) if len(group) > 1]
    return sorted(groups, key=lambda group: int(group[0]))


def _near_groups(
    x: np.ndarray,
    dhash: np.ndarray,
    rows: np.ndarray,
    progress: Callable[[int, int], None] | None,
) -> np.ndarray:
    """For each of `rows` the first of `rows` that it is like, over any number of steps.

    Args:
        x: (all rows, height, width, channels).
        dhash: (all rows,) uint64.
        rows: (n,) the rows to be compared.
    """
    hashes = dhash[rows]
    coarse = _Coarse(x, rows)
    root = np.arange(len(rows))  # (n,) positions in `rows`
    steps, done = len(_ROTATIONS) * _FOLLOWERS, 0
    for rotation in _ROTATIONS:
        left, right = np.uint64(rotation), np.uint64(-rotation % 64)
        order = np.argsort((hashes << left) | (hashes >> right), kind="stable")
        in_order = hashes[order]
        for step in range(1, _FOLLOWERS + 1):
            differing = np.bitwise_count(in_order[step:] ^ in_order[:-step])
            at = np.flatnonzero(differing <= _BITS)
            a, b = order[at], order[at + step]
            new = root[a] != root[b]
            a, b = coarse.alike(a[new], b[new])
            alike = _alike(x, rows[a], rows[b])
            _join(root, a[alike], b[alike])
            done += 1
            if progress is not None:
                progress(done, steps)
    return rows[root]


def _join(root: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Make one group of the groups of a and b, pair by pair: each points to its least.

    In place. Every round halves what is left of a chain.
    """
    while True:
        one, two = root[a], root[b]
        if (one == two).all():
            return
        low, high = np.minimum(one, two), np.maximum(one, two)
        np.minimum.at(root, high, low)
        while (root != root[root]).any():
            root[:] = root[root]


class _Coarse:
    """8 x 8 fields of each picture, worked out when first asked for."""

    def __init__(self, x: np.ndarray, rows: np.ndarray) -> None:
        height, width, channels = x.shape[1:]
        size = min(_COARSE, height) * min(_COARSE, width) * channels
        self.x, self.rows = x, rows
        self.fields = np.zeros((len(rows), size), np.float16)
        self.known = np.zeros(len(rows), bool)

    def alike(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those of the pairs (positions) that may be alike."""
        asked = np.zeros(len(self.known), bool)
        asked[a] = asked[b] = True
        wanted = np.flatnonzero(asked & ~self.known)
        for some in _chunks(wanted):
            pooled = pool(self.x[self.rows[some]], _COARSE)
            self.fields[some] = _standard(pooled.reshape(len(some), -1))
        self.known[wanted] = True
        close = np.zeros(len(a), bool)
        for at in _chunks(np.arange(len(a))):
            one = self.fields[a[at]].astype(np.float32)
            two = self.fields[b[at]].astype(np.float32)
            close[at] = np.einsum("ij,ij->i", one, two) >= _ALIKE_COARSE
        return a[close], b[close]


def _alike(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether the pictures of row a and of row b look alike, pair by pair."""
    alike = np.zeros(len(a), bool)
    for at in _chunks(np.arange(len(a))):
        one, two = pool(x[a[at]], _GRID), pool(x[b[at]], _GRID)
        contrasts = np.stack([z.reshape(len(at), -1).std(axis=1) for z in (one, two)])
        low, high = contrasts.min(axis=0), contrasts.max(axis=0)
        alike[at] = (
            (low >= _CONTRAST)
            & (high <= _STRETCH * low)
            & (_correlation(_flat(one), _flat(two)) >= _ALIKE)
            & (_correlation(_details(one), _details(two)) >= _ALIKE_DETAILS)
        )
    return alike


def pool(x: np.ndarray, size: int) -> np.ndarray:
    """Pictures averaged over the fields of a grid, size x size at most.

    Args:
        x: (rows, height, width, channels).

    Returns:
        (rows, min(height, size), min(width, size), channels) float32.

    >>> pool(np.array([[[[0], [2], [4], [6]]]], np.uint8), 2).ravel()
    array([1., 5.], dtype=float32)
    """
    if max(x.shape[1:3]) <= size:
        return x.astype(np.float32)
    down = averages(x.shape[1], min(x.shape[1], size))
    across = averages(x.shape[2], min(x.shape[2], size))
    rows, height, width, channels = x.shape
    tall = down @ x.reshape(rows, height, -1).astype(np.float32)
    wide = tall.reshape(rows, len(down), width, channels).transpose(0, 1, 3, 2)
    return (wide @ across.T).transpose(0, 1, 3, 2)


def _flat(x: np.ndarray) -> np.ndarray:
    flat = x.reshape(len(x), -1)
    return flat - flat.mean(axis=1, keepdims=True)


def _details(x: np.ndarray) -> np.ndarray:
    """Differences between neighbours, below and beside one another."""
    below, beside = np.diff(x, axis=1), np.diff(x, axis=2)
    return np.concatenate(
        [below.reshape(len(x), -1), beside.reshape(len(x), -1)], axis=1
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a . b / (|a| |b|), row by row; 0 where one of them is 0."""
    product = np.einsum("ij,ij->i", a, b)
    sizes = np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b)
    return product / np.sqrt(np.maximum(sizes, 1e-12))


def _standard(flat: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and length 1; a uniform row becomes 0."""
    centred = flat - flat.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)


def _chunks(values: np.ndarray) -> list[np.ndarray]:
    return [values[i : i + _CHUNK] for i in range(0, len(values), _CHUNK)]
