"""Rows of length one."""

from __future__ import annotations

from typing import Any

import numpy as np


def normalize(x: Any, axis: int = -1, order: Any = 2) -> np.ndarray:
    """y = x / ‖x‖, along an axis; vectors of zeros stay as they are

    Args:
        x: an array.
        axis: along which the norm is taken.
        order: of the norm: 1, 2 (the default), or numpy.inf for the largest value.

    Returns:
        An array like x.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return np.asarray(x / np.where(norm == 0, np.ones_like(norm), norm))
