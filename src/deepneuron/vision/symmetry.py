"""The mirror test: would turning the pictures over make other pictures of them?

A classifier that learned from upright pictures is shown others as they are, mirrored,
upside down and turned by 90 degrees. Where a picture means the same either way (a
flower, seen from above) it is right as often as before; where it does not (a digit) it
falls. The classifier is linear and has a closed form (ridge regression), so that this
takes less than a second:

    W = (X^T X + lambda I)^-1 X^T Y       X: pixels, Y: 1 for the right class, else 0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepneuron.errors import DataError
from deepneuron.vision.duplicates import pool
from deepneuron.vision.wording import percent

_GRID = 16  # fields on a side, at most
_MOST_LEARNED, _MOST_JUDGED = 5000, 2000  # rows that are looked at, at most
_RIDGE = 0.1  # lambda, as a share of the pixels' mean variance times the rows
_KEPT = 0.1  # share of the margin over guessing that may be lost
_DEVIATIONS = 2.0  # of the sampling error, for about 95% certainty
_CHUNK = 512  # pictures that are in memory in full size at a time

_WRITTEN = {
    *"0123456789abcdefghijklmnopqrstuvwxyz",
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}


@dataclass(frozen=True)
class Flips:
    """Which ways of turning a picture over leave it what it is.

    Attributes:
        horizontal: left and right may be exchanged.
        vertical: top and bottom may be.
        quarter_turns: it may be turned by 90 degrees.
        why: half a sentence, for whoever asks.
    """

    horizontal: bool
    vertical: bool
    quarter_turns: bool
    why: str


@dataclass(frozen=True)
class Symmetry:
    """How often a linear classifier is right on held-out pictures.

    Attributes:
        upright: as they are.
        mirrored: left-right.
        upside_down: top and bottom exchanged.
        turned: by 90 degrees.
        chance: always naming the class that was learned most often.
        rows: how many pictures were judged.
        errors: the standard errors of `upright - mirrored`, `upright - upside_down`,
            `upright - turned` and `upright - chance`, from the pictures on which the
            two differ.
    """

    upright: float
    mirrored: float
    upside_down: float
    turned: float
    chance: float
    rows: int
    errors: tuple[float, float, float, float]

    @property
    def above_chance(self) -> bool:
        """Whether the classifier has learned anything that could be lost."""
        return self.upright - self.chance > _DEVIATIONS * self.errors[3]

    def allowed(self, class_names: Sequence[str] = ()) -> Flips:
        """Which flips keep the accuracy.

        Left and right are exchanged unless that loses, beyond doubt, more than a tenth
        of what the classifier is better than guessing: most things have no handedness.
        Top and bottom are exchanged, and pictures turned, only if that loses, beyond
        doubt, less: most things have an up.

        A classifier no better than guessing cannot tell. Then left and right are
        exchanged, top and bottom not, and neither if the classes are called like
        digits or letters.
        """
        if not self.above_chance:
            if _looks_written(class_names):
                return Flips(
                    False, False, False, "the classes are called like digits or letters"
                )
            return Flips(
                True,
                False,
                False,
                "no simple classifier could tell, and most things look right mirrored "
                "but not upside down",
            )
        may_lose = _KEPT * (self.upright - self.chance)
        lost = [
            self.upright - a for a in (self.mirrored, self.upside_down, self.turned)
        ]
        doubt = [_DEVIATIONS * error for error in self.errors]
        why = (
            f"a linear classifier is right on {percent(self.upright)} of the pictures "
            f"as they are, on {percent(self.mirrored)} mirrored, on "
            f"{percent(self.upside_down)} upside down and on {percent(self.turned)} "
            "turned by 90 degrees"
        )
        return Flips(
            horizontal=lost[0] - doubt[0] <= may_lose,
            vertical=lost[1] + doubt[1] <= may_lose,
            quarter_turns=lost[2] + doubt[2] <= may_lose,
            why=why,
        )


def symmetry(
    x: np.ndarray, y: np.ndarray, rows_train: np.ndarray, rows_held_out: np.ndarray
) -> Symmetry:
    """Learn from some rows of x, be judged on others in four positions.

    Of more than 5,000 and 2,000 rows, evenly spread ones are looked at.

    Args:
        x: (rows, height, width, channels) uint8.
        y: (rows,) whole numbers from 0.
        rows_train, rows_held_out: row numbers.

    Raises:
        DataError: no rows to learn from, or none to judge by.
    """
    rows_train = _spread(np.asarray(rows_train), _MOST_LEARNED)
    rows_held_out = _spread(np.asarray(rows_held_out), _MOST_JUDGED)
    if not len(rows_train) or not len(rows_held_out):
        raise DataError(
            "symmetry needs rows to learn from and rows to be judged by; received "
            f"{len(rows_train)} and {len(rows_held_out)}."
        )
    learned, shown = _small(x, rows_train), _small(x, rows_held_out)
    labels, truth = y[rows_train], y[rows_held_out]
    kernel, bias = _ridge(learned, labels)

    def right(pictures: np.ndarray) -> np.ndarray:
        flat = pictures.reshape(len(pictures), -1)
        return (flat @ kernel + bias).argmax(axis=1) == truth

    upright = right(shown)
    others = [
        right(shown[:, :, ::-1]),
        right(shown[:, ::-1]),
        right(shown.transpose(0, 2, 1, 3)[:, ::-1]),
        np.bincount(labels).argmax() == truth,
    ]
    mirrored, upside_down, turned, chance = (float(other.mean()) for other in others)
    a, b, c, d = (_error(upright, other) for other in others)
    return Symmetry(
        upright=float(upright.mean()),
        mirrored=mirrored,
        upside_down=upside_down,
        turned=turned,
        chance=chance,
        rows=len(truth),
        errors=(a, b, c, d),
    )


def _error(one: np.ndarray, two: np.ndarray) -> float:
    """The standard error of the difference between two accuracies on the same pictures.

    Half a picture is added on either side, so that a few rows without a difference
    leave some doubt (A. Agresti, Y. Min, 2005).
    """
    rows = len(one)
    gained, lost = float((one & ~two).sum()) + 0.5, float((two & ~one).sum()) + 0.5
    return math.sqrt(gained + lost - (gained - lost) ** 2 / (rows + 1)) / (rows + 1)


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    if len(rows) <= most:
        return rows
    return rows[np.arange(most) * len(rows) // most]


def _small(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Square pictures of 16 x 16 fields at most, (rows, size, size, channels)."""
    size = min(_GRID, *x.shape[1:3])
    parts = [
        pool(x[rows[i : i + _CHUNK]], size) / 255 for i in range(0, len(rows), _CHUNK)
    ]
    return np.concatenate(parts)


def _ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The kernel, (pixels, classes), and the bias, (classes,)."""
    flat = x.reshape(len(x), -1)
    targets = (y[:, None] == np.arange(y.max() + 1)).astype(np.float32)
    mean, mean_target = flat.mean(axis=0), targets.mean(axis=0)
    centred = flat - mean
    gram = centred.T @ centred  # (pixels, pixels)
    strength = _RIDGE * float(np.trace(gram)) / len(gram) + 1e-3
    gram[np.diag_indices_from(gram)] += strength
    kernel = np.linalg.solve(gram, centred.T @ (targets - mean_target))
    return kernel, mean_target - mean @ kernel


def _looks_written(class_names: Sequence[str]) -> bool:
    """Whether most of the names are digits, letters or numbers."""
    written = [n.strip().lower() in _WRITTEN or n.isdecimal() for n in class_names]
    return 2 * sum(written) > len(written)
