"""Rows with their classes become a Collection, after all that every source must pass.

There is something to train on, in two classes at least and not in too many; and test
and validation hold no class that training does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deepneuron.data.collection import PARTS, Collection, Part
from deepneuron.data.findings import Findings
from deepneuron.data.names import class_name, natural_key, shown
from deepneuron.errors import DataError

MAX_CLASSES = 10_000
_NAMED = 3  # so many are named in a sentence


class Labelled(NamedTuple):
    """A picture file with its class, and what it is called."""

    path: Path
    label: str
    name: str


def from_files(
    source: str | os.PathLike[str],
    kind: str,
    rows: Mapping[str, Sequence[Labelled]],
    findings: Findings,
) -> Collection:
    """A Collection of files; the classes are those of the training part, in order.

    Args:
        source: what the user named.
        kind: of Collection.
        rows: the files of each part; a part without files is left out.
        findings: receives what is worth knowing about the classes.

    Raises:
        DataError: the classes cannot be trained on.
    """
    rows = {part: rows[part] for part in PARTS if rows.get(part)}
    present = {part: {row.label for row in rows[part]} for part in rows}
    classes = tuple(sorted(present.get("train", ()), key=natural_key))
    _check_classes(classes, present, findings)
    index = {label: position for position, label in enumerate(classes)}
    parts = {
        part: Part(
            tuple(row.path for row in rows[part]),
            np.array([index[row.label] for row in rows[part]], np.int64),
            tuple(row.name for row in rows[part]),
        )
        for part in rows
    }
    return Collection(os.fspath(source), kind, classes, parts, findings.skipped())


def from_arrays(
    source: str | os.PathLike[str],
    kind: str,
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]],
    names: Sequence[str] | None,
    findings: Findings,
) -> Collection:
    """A Collection of arrays; the classes are the labels that occur in training.

    Args:
        source: what the user named.
        kind: of Collection.
        parts: pictures and labels of each part: x uint8, y (rows,) whole numbers from
            0 on, or any whole numbers or texts if there are no names.
        names: of label 0, 1, ...; without, a label is its own name.
        findings: receives what is worth knowing about the classes.

    Raises:
        DataError: a label without a name, or classes that cannot be trained on.
    """
    for part in (part for part in PARTS if part in parts and not len(parts[part][1])):
        findings.broken(part, "it has no rows")
    parts = {part: parts[part] for part in PARTS if part in parts}
    parts = {part: (x, y) for part, (x, y) in parts.items() if len(y)}
    known = None if names is None else [class_name(name) for name in names]
    if known is not None:
        _check_named(parts, known, findings)
    values = {part: np.unique(y).tolist() for part, (_, y) in parts.items()}
    called = {
        part: {value: class_name(str(value)) if known is None else known[value]
               for value in values[part]}
        for part in values
    }  # fmt: skip
    train = called.get("train", {})
    order = list(train)
    if known is None:
        order.sort(key=lambda value: natural_key(train[value]))
        if not any(isinstance(value, str) for value in order):
            order.sort()  # -1 before 0
    # Two spellings of one name are one class.
    classes = tuple(dict.fromkeys(train[value] for value in order))
    if known is not None:
        for name in sorted(set(known) - set(classes), key=natural_key):
            findings.broken(f"class {name}", "no training picture bears its label")
    present = {part: set(called[part].values()) for part in called}
    _check_classes(classes, present, findings)
    index = {label: position for position, label in enumerate(classes)}
    made = {}
    for part, (x, y) in parts.items():
        unique, inverse = np.unique(y, return_inverse=True)
        places = np.array([index[called[part][v]] for v in unique.tolist()], np.int64)
        labels = places[inverse.reshape(-1)]
        made[part] = Part(x, labels, tuple(f"{part} {row}" for row in range(len(y))))
    return Collection(os.fspath(source), kind, classes, made, findings.skipped())


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """The names in a sentence: the first few, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    text = ", ".join(shown(name) for name in names[:most])
    more = len(names) - most
    return f"{text} and {more:,} more" if more > 0 else text


def _check_named(
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]],
    names: Sequence[str],
    findings: Findings,
) -> None:
    """Every label counts one of the names, and no two names are the same."""
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            f"{findings.source} names two classes alike: {listed(twice)}. Every class "
            "needs a name of its own."
        )
    for part, (_, y) in parts.items():
        if y.dtype.kind not in "iu":
            raise DataError(
                f"{findings.source} has names for its classes, so labels should be "
                f"whole numbers that count them; in {part} they are {y.dtype}."
            )
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= len(names):
            wrong = low if low < 0 else high
            raise DataError(
                f"{findings.source} names {len(names)} classes, labels 0 to "
                f"{len(names) - 1}, and {part} has a label {wrong}."
            )


def _check_classes(
    classes: Sequence[str], present: Mapping[str, AbstractSet[str]], findings: Findings
) -> None:
    source = findings.source
    if not classes:
        raise DataError(f"{source} has no pictures to train on.")
    if len(classes) < 2:
        raise DataError(
            f"{source} has a single class to train on, {shown(classes[0])}; a "
            "classifier needs at least two."
        )
    if len(classes) > MAX_CLASSES:
        raise DataError(
            f"{source} has {len(classes):,} classes, such as {listed(classes, 2)}, and "
            f"at most {MAX_CLASSES:,} can be told apart. Are these the names of the "
            "pictures rather than of their classes?"
        )
    for part in present:
        strange = sorted(present[part] - set(classes), key=natural_key)
        if strange:
            folded = {name.casefold(): name for name in classes}
            near = folded.get(strange[0].casefold())
            hint = (
                f"The training part has {shown(near)}: spell them alike."
                if near
                else f"The training part has {listed(classes)}."
            )
            raise DataError(
                f"{source} has a class in {part} that it does not have in train: "
                f"{listed(strange)}. {hint}"
            )
        absent = sorted(set(classes) - present[part], key=natural_key)
        if absent:
            these = "this class" if len(absent) == 1 else "these classes"
            findings.note(
                f"{part}: {listed(absent, 10)}",
                f"{part} has no picture of {these}, so it says nothing about them",
                harmless=True,  # what to do about it, the audit says
            )
