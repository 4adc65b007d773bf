"""Labels that can be told without looking at the picture.

If all cats were saved as PNG and all dogs as JPEG, a network may learn the traces of
compression instead of animals, and be right until it meets a cat that is a JPEG. So
each fact about the files is asked how well it tells the label on its own.

The rule is 1R: a table says for each value of the one fact which class had it most
often (R. Holte, "Very Simple Classification Rules Perform Well on Most Commonly Used
Datasets", 1993); numbers are first sorted into bins. It is learned on one half of the
rows and judged on the other, both ways round. The measure is Cohen's kappa, 0 for
guessing and 1 for always right:

    kappa = (observed - expected) / (1 - expected)

Names for its size are by J. Landis and G. Koch, "The Measurement of Observer
Agreement", 1977: above 0.6 "substantial", above 0.8 "almost perfect". An alarm is
raised for the first over all classes, or for the second over one class against the
rest, and only where so high a value is out of chance's reach: four standard errors,
4 / sqrt(rows). The size of a file depends on what is in the picture (the ones of MNIST,
saved as JPEG, can be told by it with a kappa of 0.82), so more is asked of it: 0.8 and
0.95.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepneuron.data.store import Facts, Store

_LIMITS = (0.6, 0.8)  # of all classes together, of one class against the rest
_LIMITS_OF_CONTENT = (0.8, 0.95)
_DEVIATIONS = 4.0
_BINS = 16
_FEWEST = 8  # rows of a bin, and of a class that is judged by itself


@dataclass(frozen=True)
class Channel:
    """A fact from which labels can be told.

    Attributes:
        name: "file format", "colour mode", "picture size", "aspect ratio", "file size".
        accuracy: share of the rows whose class the fact alone tells.
        baseline: share of the largest class.
        told: the labels that it tells almost perfectly; all that it tells at all, if
            there are none.
        values: what the rows of each of these have most often, as text.
        shares: how many of them have it.
    """

    name: str
    accuracy: float
    baseline: float
    told: tuple[int, ...]
    values: tuple[str, ...]
    shares: tuple[float, ...]


def find_channels(store: Store) -> list[Channel]:
    """Every fact about the files that tells classes.

    A fact that follows from others (the size of a file from its format) is left out
    where one of these tells the same classes.
    """
    facts, y = store.facts, store.y
    width, height = facts.width.astype(np.int64), facts.height.astype(np.int64)
    both = np.unique(width * (1 << 32) + height, return_inverse=True)[1]
    # Each: name, the tables to be tried, what it follows from.
    asked: list[tuple[str, list[np.ndarray], set[str]]] = [
        ("file format", [facts.format], set()),
        ("colour mode", [facts.mode], {"file format"}),
        ("picture size", [both, _binned(width * height)], set()),
        ("aspect ratio", [_binned(width / np.maximum(height, 1))], {"picture size"}),
        (
            "file size",
            [_binned(facts.size)],
            {"file format", "colour mode", "picture size", "aspect ratio"},
        ),
    ]
    found: list[Channel] = []
    for name, tables, causes in asked:
        limits = _LIMITS_OF_CONTENT if name == "file size" else _LIMITS
        judged = [_judge(table, y, *limits) for table in tables]
        told, accuracy = max(judged, key=lambda j: (len(j[0]), j[1]))
        known = {label for c in found if c.name in causes for label in c.told}
        if told and not set(told) <= known:
            found.append(_describe(name, facts, y, told, accuracy))
    return found


def _judge(
    value: np.ndarray, y: np.ndarray, limit: float, limit_of_one: float
) -> tuple[tuple[int, ...], float]:
    """The labels that the value tells, and how often it tells the right one."""
    rows = len(y)
    if not rows:
        return (), 0.0
    guess = _held_out_guesses(value, y)
    truths = np.bincount(y, minlength=guess.max() + 1)  # (classes,)
    guesses = np.bincount(guess, minlength=len(truths))
    hits = np.bincount(y[guess == y], minlength=len(truths))
    # Of all classes together, and of each against the rest.
    observed = hits.sum() / rows
    whole = _kappa(observed, (truths @ guesses) / rows**2)
    a, b = truths / rows, guesses / rows
    each = _kappa(1 + 2 * hits / rows - a - b, a * b + (1 - a) * (1 - b))
    # A kappa of one class rests on as many rows as the smaller side has, twice.
    side = np.minimum(truths, rows - truths)
    each[side < _FEWEST] = 0
    chance = _DEVIATIONS / np.sqrt(2 * np.maximum(side, 1))
    told = np.flatnonzero(each > np.maximum(limit_of_one, chance))
    if not len(told) and whole > max(limit, _DEVIATIONS / math.sqrt(rows)):
        told = np.flatnonzero(each > limit)
    return tuple(told.tolist()), float(observed)


def _kappa(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Cohen's kappa; 0 where guessing is always right."""
    return np.where(
        expected < 1, (observed - expected) / np.maximum(1 - expected, 1e-9), 0
    )


def _held_out_guesses(value: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The commonest label of each row's value, among the rows of the other half."""
    values = np.unique(value, return_inverse=True)[1]
    labels, y = np.unique(y, return_inverse=True)
    half = np.random.Generator(np.random.Philox(key=0)).permutation(len(y)) % 2
    guess = np.zeros(len(y), np.int64)
    for side in (0, 1):
        there, here = half != side, half == side
        pairs, counts = np.unique(
            values[there] * len(labels) + y[there], return_counts=True
        )
        table = np.full(values.max(initial=0) + 1, _commonest(y[there]))
        order = np.argsort(counts, kind="stable")  # the commonest is written last
        table[pairs[order] // len(labels)] = pairs[order] % len(labels)
        guess[here] = table[values[here]]
    return labels[guess]


def _commonest(y: np.ndarray) -> int:
    return int(np.bincount(y).argmax()) if len(y) else 0


def _binned(values: np.ndarray) -> np.ndarray:
    """Which of 16 bins of about equally many rows a number lies in, fewer for few."""
    bins = min(_BINS, len(values) // _FEWEST)
    if bins < 2:
        return np.zeros(len(values), np.int64)
    inner = np.quantile(values, np.arange(1, bins) / bins)
    return np.searchsorted(np.unique(inner), values, side="right")


def _describe(
    name: str, facts: Facts, y: np.ndarray, told: tuple[int, ...], accuracy: float
) -> Channel:
    values, shares = [], []
    for label in told:
        rows = np.flatnonzero(y == label)
        text, share = _commonest_text(name, facts, rows)
        values.append(text)
        shares.append(share)
    return Channel(
        name=name,
        accuracy=accuracy,
        baseline=float(np.bincount(y).max() / len(y)),
        told=told,
        values=tuple(values),
        shares=tuple(shares),
    )


def _commonest_text(name: str, facts: Facts, rows: np.ndarray) -> tuple[str, float]:
    """What most of the rows have, and how many of them."""
    if name in ("file format", "colour mode"):
        column, texts = (
            (facts.format, facts.formats)
            if name == "file format"
            else (facts.mode, facts.modes)
        )
        counts = np.bincount(column[rows])
        return texts[int(counts.argmax())], float(counts.max() / len(rows))
    if name == "picture size":
        sizes = np.stack([facts.width[rows], facts.height[rows]], axis=1)
        seen, counts = np.unique(sizes, axis=0, return_counts=True)
        share = float(counts.max() / len(rows))
        if share > 0.5:
            width, height = seen[counts.argmax()].tolist()
            return f"{width} x {height}", share
        low, high = np.quantile(sizes[:, 0] * sizes[:, 1].astype(np.int64), [0.1, 0.9])
        return f"{low:,.0f} to {high:,.0f} pixels", 0.8
    if name == "aspect ratio":
        ratio = facts.width[rows] / np.maximum(facts.height[rows], 1)
        low, high = np.quantile(ratio, [0.1, 0.9])
        return f"{low:.2f} to {high:.2f} times as wide as high", 0.8
    low, high = np.quantile(facts.size[rows], [0.1, 0.9])
    return f"{low:,.0f} to {high:,.0f} bytes", 0.8
