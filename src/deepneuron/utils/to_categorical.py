"""Class numbers as rows with a single one."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron.errors import ArgumentError, DataError


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """y[..., c] = 1 where x = c, else 0

    Args:
        x: class numbers from 0 to num_classes - 1, in any shape; a last axis of size 1
            is dropped.
        num_classes: the largest label plus one by default.

    Returns:
        An array of shape (*x.shape, num_classes) and type float64, as in Keras.

    Raises:
        DataError: a label is text, no whole number, negative, or too large.

    >>> to_categorical([0, 2, 1], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    labels = _whole_numbers(np.asarray(x))
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None or num_classes == 0:
        if not labels.size:
            raise DataError("to_categorical received no labels; give it num_classes.")
        num_classes = int(labels.max()) + 1
    if num_classes < 0:
        raise ArgumentError(f"num_classes must be positive; received {num_classes!r}.")
    outside = (labels < 0) | (labels >= num_classes)
    if outside.any():
        at = tuple(int(i) for i in np.argwhere(outside)[0])
        raise DataError(
            f"Label {int(labels[at])} at index {at if len(at) != 1 else at[0]} is "
            f"outside of 0 ... {num_classes - 1}, the classes of num_classes="
            f"{num_classes}. Count classes from 0, or pass a larger num_classes."
        )
    y = np.zeros((labels.size, num_classes))
    y[np.arange(labels.size), labels.reshape(-1)] = 1
    return y.reshape((*labels.shape, num_classes))


def _whole_numbers(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind in "biu":
        return x.astype(np.int64)
    try:
        numbers = x.astype(np.float64)
    except (TypeError, ValueError):
        wrong = next((v for v in x.reshape(-1) if not _is_number(v)), x)
        raise DataError(
            f"Label {wrong!s} is text, not a class number. Number the classes first: "
            "names, labels = numpy.unique(labels, return_inverse=True)."
        ) from None
    fits = np.isfinite(numbers) & (numbers == np.floor(numbers))
    if not fits.all():
        raise DataError(
            f"Label {x.reshape(-1)[~fits.reshape(-1)][0]!s} is not a whole number; "
            "classes count from 0. Targets of a regression need no to_categorical."
        )
    return numbers.astype(np.int64)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
