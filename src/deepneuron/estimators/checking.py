"""What all estimators ask of their data and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    column_or_1d,
)

from deepneuron.errors import ArgumentError, DataError


def checked_weights(sample_weight: Any, X: np.ndarray) -> np.ndarray:
    """One weight for each sample, (samples,); ones by default.

    Raises:
        DataError: a negative weight, or no weight above zero.
    """
    if sample_weight is None:
        return np.ones(len(X), X.dtype)
    weights = np.asarray(sample_weight)
    if weights.ndim == 0:
        weights = np.full(len(X), weights)
    weights = check_array(
        weights, dtype=X.dtype, ensure_2d=False, input_name="sample_weight"
    )
    if weights.ndim != 1:
        raise DataError(
            "sample_weight holds one number for each sample, so it should have shape "
            f"({len(X)},); received {weights.shape}."
        )
    check_consistent_length(X, weights)
    if (weights < 0).any():
        raise DataError(
            f"sample_weight must not be negative; the smallest is {weights.min()}."
        )
    if not weights.any():
        raise DataError(
            "Every sample_weight is zero, so there is nothing to learn from."
        )
    return weights


def checked_classes(
    y: np.ndarray, known: np.ndarray | None, given: Any, name: str
) -> np.ndarray:
    """The sorted classes: those known from an earlier call, those given, or those in y.

    Args:
        y: labels, (samples,).
        known: the classes of earlier calls, if there were any.
        given: the argument `classes` of partial_fit.
        name: of the estimator, for messages.

    Raises:
        DataError: fewer than two classes, others than before, or labels outside.
    """
    if known is None:
        classes = np.unique(y if given is None else column_or_1d(given))
        if len(classes) < 2:
            raise DataError(
                f"{name} learns to tell classes apart and needs at least two of them; "
                f"the target has 1 class: {classes.tolist()[:1]}."
            )
    else:
        classes = known
        if given is not None and not np.array_equal(known, np.unique(given)):
            raise DataError(
                f"`classes={given!r}` is not the same as on the first call of "
                f"{name}.partial_fit, which was {known.tolist()}."
            )
    strange = np.setdiff1d(y, classes)
    if len(strange):
        raise DataError(
            f"{name}: the target holds the classes {strange.tolist()[:5]}, but only "
            f"{classes.tolist()[:20]} are known. Name all classes in the first call: "
            "partial_fit(X, y, classes=...)."
        )
    return classes


def positive(value: Any, name: str, *, whole: bool = False) -> None:
    """Refuse what is no number above zero (a whole one, where that is asked for)."""
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    fine = isinstance(value, kinds) and not isinstance(value, bool)
    if not fine or not 0 < value < np.inf:
        kind = "whole number" if whole else "number"
        raise ArgumentError(f"{name} must be a {kind} above 0; received {value!r}.")


def one_of(value: Any, name: str, known: Sequence[Any]) -> None:
    """Refuse what is not among the known values."""
    if not any(value is k or (isinstance(k, str) and value == k) for k in known):
        listed = ", ".join(map(repr, known))
        raise ArgumentError(f"{name} must be one of {listed}; received {value!r}.")


def between(
    value: Any, name: str, low: float, high: float, *, closed: bool = False
) -> None:
    """Refuse what does not lie in [low, high), or in [low, high] if it is closed."""
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or not (low <= value < high or (closed and value == high)):
        end = "]" if closed else ")"
        raise ArgumentError(
            f"{name} must lie in [{low:g}, {high:g}{end}; received {value!r}."
        )
