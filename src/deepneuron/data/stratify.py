"""Some rows of every class set aside: a validation split that misses no class."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.errors import ArgumentError, DataError


def stratified_split(
    y: np.ndarray, share: float, seed: int = 0, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows to keep, and of the `share` of every class to set aside.

    A class of two rows or more has at least one on either side; of a single row, the
    one is kept. The same labels, share and seed give the same rows on every machine.

    Rows of one group (copies of one picture) stay together: a class of several groups
    is on either side, and of a single group it is kept, as is a group of several
    classes.

    Args:
        y: a label for each row, (rows,).
        share: between 0 and 1.
        seed: of the choice; it touches no other random numbers.
        groups: equal for rows that belong together, (rows,); by default none do.

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
    if groups is None:
        groups = np.arange(len(y))
    _, first, group, sizes = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    several = np.zeros(len(sizes), bool)  # groups with more than one label
    several[group[y != y[first][group]]] = True
    generator = np.random.Generator(np.random.Philox(key=seed))
    taken = np.zeros(len(sizes), bool)  # of every group
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        wanted = max(1, math.floor(share * len(rows) + 0.5))
        count = min(wanted, len(rows) - 1)
        heads = rows[rows == first[group[rows]]]  # the first row of each group
        shuffled = group[generator.permutation(heads)]
        chosen = _choose(shuffled[~several[shuffled]], sizes, count)
        if len(chosen) < len(np.unique(group[rows])):
            taken[chosen] = True
    aside = taken[group]
    return np.flatnonzero(~aside), np.flatnonzero(aside)


def _choose(groups: np.ndarray, sizes: np.ndarray, count: int) -> list[int]:
    """The groups in their order that fit into `count` rows; or else the smallest."""
    if count == 0 or not len(groups):
        return []
    chosen = []
    for group in groups.tolist():
        if sizes[group] <= count:
            chosen.append(group)
            count -= sizes[group]
    return chosen or [int(groups[np.argmin(sizes[groups])])]
