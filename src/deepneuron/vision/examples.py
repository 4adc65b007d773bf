"""Which pictures say most about a classifier: rows to show, the most telling first."""

from __future__ import annotations

import numpy as np


def confident_mistakes(
    probabilities: np.ndarray, y: np.ndarray, count: int
) -> np.ndarray:
    """Rows where the answer is wrong, the surest first; of equals the first row first.

    Such pictures are mislabelled surprisingly often.

    Args:
        probabilities: (rows, classes).
        y: the true labels, (rows,).
        count: how many at most.

    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> confident_mistakes(p, np.array([1, 1, 1]), 5)
    array([0, 1])
    """
    p = np.asarray(probabilities)
    wrong = np.flatnonzero(p.argmax(-1) != np.asarray(y))
    order = np.argsort(-p[wrong].max(-1), kind="stable")
    return wrong[order][:count]


def least_sure(probabilities: np.ndarray, count: int) -> np.ndarray:
    """Rows where the two best classes lie closest together, of equals the first first.

    Args:
        probabilities: (rows, classes).
        count: how many at most.

    >>> least_sure(np.array([[0.9, 0.1], [0.6, 0.4], [0.45, 0.55]]), 2)
    array([2, 1])
    """
    best = np.sort(np.asarray(probabilities), axis=-1)[:, ::-1]
    margin = best[:, 0] - best[:, 1] if best.shape[1] > 1 else best[:, 0]
    return np.argsort(margin, kind="stable")[:count]
