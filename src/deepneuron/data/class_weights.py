"""Class weights: rare classes count more, so that a network does not overlook them."""

from __future__ import annotations

import numpy as np

from deepneuron.errors import DataError

IMBALANCED = 3.0  # times the rows of the smallest class


def balanced_weights(y: np.ndarray, classes: int, power: float = 1.0) -> np.ndarray:
    """weight[c] = a * (n / (classes * n_c)) ** power, so that the mean over y is 1

    With power 1 (where a is 1) every class counts the same in the loss; with 0 every
    sample does; 0.5 lies between.

    Args:
        y: labels, (n,), from 0.
        classes: how many classes there are.
        power: from 0 to 1.

    Returns:
        (classes,) float32; 0 for a class without a sample.

    Raises:
        DataError: labels that are none of the classes, or no label.

    >>> balanced_weights(np.array([0, 0, 0, 1]), 2)
    array([0.6666667, 2.       ], dtype=float32)
    """
    counts = _counts(y, classes)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = (len(y) / (present.sum() * counts[present])) ** power
    weights *= len(y) / (weights @ counts)
    return weights.astype(np.float32)


def automatic_weights(y: np.ndarray, classes: int) -> tuple[np.ndarray | None, str]:
    """Weights where the largest class has over 3 times the rows of the smallest.

    They are tempered (power 0.5): with 100 times as many rows, a picture of the rare
    class counts 10 times as much and not 100 times, so that a handful of pictures, one
    of them perhaps mislabelled, cannot outvote all others, and the steps stay of a
    similar size.

    Returns:
        (the weights or None, why), the latter as a sentence.

    >>> weights, why = automatic_weights(np.repeat([0, 1], [90, 10]), 2)
    >>> weights
    array([0.8333333, 2.5      ], dtype=float32)
    """
    counts = _counts(y, classes)
    present = counts[counts > 0]
    most, least = int(present.max()), int(present.min())
    if most <= IMBALANCED * least:
        return None, (
            f"All samples count the same: the largest class has {most} rows, the "
            f"smallest {least}, which is not over {IMBALANCED:g} times as many."
        )
    weights = balanced_weights(y, classes, power=0.5)
    ratio = weights[counts == least][0] / weights[counts == most][0]
    return weights, (
        f"Rare classes count more: the largest has {most} rows, the smallest {least}, "
        f"and a picture of that one counts {ratio:.2g} times as much."
    )


def _counts(y: np.ndarray, classes: int) -> np.ndarray:
    y = np.asarray(y)
    if not len(y):
        raise DataError("There are no labels to weigh.")
    if not 0 <= y.min() <= y.max() < classes:
        raise DataError(
            f"Labels must lie between 0 and {classes - 1}; received {y.min()} to "
            f"{y.max()}."
        )
    return np.bincount(y, minlength=classes)
