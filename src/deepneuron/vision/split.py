"""Which rows are learned from, which choose the best epoch, and which judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepneuron.data.collection import PARTS
from deepneuron.data.fingerprint import digest_rows
from deepneuron.data.store import Store
from deepneuron.data.stratify import stratified_split
from deepneuron.errors import ArgumentError, DataError
from deepneuron.vision.duplicates import exact_groups
from deepneuron.vision.wording import listed, quoted

# Added to the seed, so that the test rows and the validation rows are drawn apart.
_TEST_STREAM = 1 << 64


@dataclass(frozen=True)
class Rows:
    """Row numbers of a store in three parts, each int64 and in rising order.

    Attributes:
        train: the weights learn from these.
        validation: the best epoch is chosen by these.
        test: nothing at all is chosen by these.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_rows(
    store: Store, *, validation: float = 0.1, test: float = 0.2, seed: int
) -> Rows:
    """The parts that the source has; what is missing is taken from its training part.

    Taken are the same share of every class, and pictures of equal pixels stay together,
    in whatever files: none is taken that is learned as well. (Pictures that are merely
    alike may be torn apart; the audit names them.) Copies that contradict one another
    in their labels are learned from, so that nothing is judged by them. The same store,
    shares and seed give the same rows on every machine.

    Args:
        store: the pictures; `part` says where the source has them.
        validation: share of the training part, if the source has no validation part.
        test: share of the training part, if the source has no test part.
        seed: of the choice.

    Raises:
        ArgumentError: shares that leave nothing to learn from.
        DataError: fewer than two classes; a class with no picture to learn from; too
            few different pictures to take any away.
    """
    if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
        raise ArgumentError(
            "validation and test are shares above 0 that leave something to learn "
            f"from: together less than 1; received {validation} and {test}."
        )
    _check_classes(store)
    train, held_out, judged = (np.flatnonzero(store.part == i) for i in range(3))
    groups = exact_groups(digest_rows(store.x))
    remaining = 1.0
    if not len(judged):
        kept, aside = stratified_split(
            store.y[train], test, seed + _TEST_STREAM, groups[train]
        )
        train, judged, remaining = train[kept], train[aside], 1 - test
        _check_taken(judged, "test")
    if not len(held_out):
        kept, aside = stratified_split(
            store.y[train], validation / remaining, seed, groups[train]
        )
        train, held_out = train[kept], train[aside]
        _check_taken(held_out, "validation")
    return Rows(train, held_out, judged)


def _check_classes(store: Store) -> None:
    count = len(store.class_names)
    anywhere = np.bincount(store.y, minlength=count)
    learned = np.bincount(store.y[store.part == PARTS.index("train")], minlength=count)
    if (anywhere > 0).sum() < 2:
        left = [quoted(store.class_names[i]) for i in np.flatnonzero(anywhere)]
        raise DataError(
            "A classifier needs pictures of two classes or more; there are pictures of "
            + (f"one only, {left[0]}." if left else "none.")
            + _passed_over(store)
        )
    missing = [quoted(store.class_names[i]) for i in np.flatnonzero(learned == 0)]
    if missing:
        raise DataError(
            f"{listed(missing)} {'has' if len(missing) == 1 else 'have'} no picture to "
            "learn from. Add some to the training part, or remove the class."
            + _passed_over(store)
        )


def _passed_over(store: Store) -> str:
    if not store.skipped:
        return ""
    first = store.skipped[0]
    return (
        f" Passed over: {len(store.skipped)}, such as {quoted(first.name)} "
        f"({first.reason})."
    )


def _check_taken(rows: np.ndarray, part: str) -> None:
    if not len(rows):
        raise DataError(
            f"No picture can be set aside for {part}: every class has a single picture "
            "left to learn from (copies count as one; copies under different labels "
            "are never set aside). Add more pictures."
        )
