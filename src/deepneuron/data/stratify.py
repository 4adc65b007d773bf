"""Some rows of every class set aside: a validation split that misses no class."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.errors import ArgumentError, DataError


def stratified_split(
    y: np.ndarray, share: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows to keep, and of the `share` of every class to set aside.

    A class of two rows or more has at least one on either side; of a single row, the
    one is kept. The same labels, share and seed give the same rows on every machine.

    Args:
        y: a label for each row, (rows,).
        share: between 0 and 1.
        seed: of the choice; it touches no other random numbers.

    Returns:
        (kept, aside): two arrays of positions, each in rising order.

    Raises:
        ArgumentError: a share that is not between 0 and 1.
        DataError: labels that are not in one dimension.

    >>> kept, aside = stratified_split(np.array([0, 1] * 10), 0.2)
    >>> len(kept), np.bincount(np.array([0, 1] * 10)[aside])
    (16, array([2, 2]))
    """
    if not 0 < share < 1:
        raise ArgumentError(f"share must lie between 0 and 1; received {share}.")
    y = np.asarray(y)
    if y.ndim != 1:
        raise DataError(
            f"stratified_split takes one label for each row; y has shape {y.shape}."
        )
    generator = np.random.Generator(np.random.Philox(key=seed))
    aside = np.zeros(len(y), bool)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        wanted = max(1, math.floor(share * len(rows) + 0.5))
        count = min(wanted, len(rows) - 1)
        aside[generator.permutation(rows)[:count]] = True
    return np.flatnonzero(~aside), np.flatnonzero(aside)
