"""The mirror test: would a classifier suffer if it learned from mirrored pictures too?

A classifier learns from a part of the pictures, once as they are and once with mirrored
copies beside them, and is judged by the rest as it is. Where a picture means the same
either way (a flower) the copies do no harm; where it does not (a digit) they confuse.
The classifier is linear and has a closed form (ridge regression), so that this takes
less than a second:

    W = (X^T X + lambda I)^-1 X^T Y       X: pixels, Y: 1 for the right class, else 0

Each picture is judged once, by the classifier that did not learn from its quarter.

With few pictures any copies help such a classifier, so for top and bottom, where the
prejudice is against exchanging them, the question is harder: is it as often right about
pictures upside down, of which it has seen none?

Measured, as a share of the margin over guessing that mirrored copies cost: digits 9%,
MNIST 10%, Fashion-MNIST 6% (shoes point to the left), clip art of four kinds -1%.
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
_ROWS = 5000  # that are looked at, at most
_FOLDS = 4
_RIDGE = 0.01  # lambda, as a share of the pixels' mean variance times the rows
_HARM = 0.02  # share of the margin over guessing that mirrored copies may cost
_HARM_UPSIDE_DOWN = 0.1  # ... and that may be lost upside down
_CHUNK = 512  # pictures that are in memory in full size at a time

_WRITTEN = {
    *"0123456789abcdefghijklmnopqrstuvwxyz",
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "ten",
}


@dataclass(frozen=True)
class Flips:
    """Which ways of turning a picture over may be used to vary it.

    Attributes:
        horizontal: left and right may be exchanged.
        vertical: top and bottom may be.
        why: half a sentence, for whoever asks.
    """

    horizontal: bool
    vertical: bool
    why: str


@dataclass(frozen=True)
class Symmetry:
    """How often a linear classifier is right.

    Attributes:
        upright: it learned from pictures as they are.
        mirrored: it learned from copies with left and right exchanged as well.
        upside_down: it learned from pictures as they are, and is shown others with top
            and bottom exchanged.
        chance: always naming the most frequent class.
        rows: how many pictures were judged.
        errors: the standard errors of `upright - mirrored`, `upright - upside_down`
            and `upright - chance`, from the pictures on which the two differ.
    """

    upright: float
    mirrored: float
    upside_down: float
    chance: float
    rows: int
    errors: tuple[float, float, float]

    @property
    def above_chance(self) -> bool:
        """Whether the classifier has learned anything that could be lost."""
        return self.upright - self.chance > 2 * self.errors[2]

    def allowed(self, class_names: Sequence[str] = ()) -> Flips:
        """Which flips do no harm.

        Left and right are exchanged unless that costs more than 2% of what the
        classifier is better than guessing, one standard error aside: most things have
        no handedness. Top and bottom are exchanged only if less than 10% of that is
        lost upside down, two standard errors included: most things have an up. Digits
        and letters, told by the names of the classes, are left alone, and so is up and
        down where a linear classifier is no better than guessing.
        """
        if _looks_written(class_names):
            why = "the classes are called like digits or letters"
            return Flips(horizontal=False, vertical=False, why=why)
        if not self.above_chance:
            why = "no simple classifier could tell, and most things have no handedness"
            return Flips(horizontal=True, vertical=False, why=why)
        harm = _HARM * (self.upright - self.chance)
        return Flips(
            horizontal=self.upright - self.mirrored - self.errors[0] <= harm,
            vertical=self.upright - self.upside_down + 2 * self.errors[1]
            <= _HARM_UPSIDE_DOWN * (self.upright - self.chance),
            why=(
                f"a linear classifier is right on {percent(self.upright)} of the "
                f"pictures, on {percent(self.mirrored)} if it also learns from "
                f"mirrored ones, and on {percent(self.upside_down)} if they are upside "
                "down"
            ),
        )


def symmetry(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> Symmetry:
    """Learn with and without mirrored copies; see above.

    Of more than 5,000 rows, evenly spread ones are looked at.

    Args:
        x: (rows, height, width, channels) uint8.
        y: (rows,) whole numbers from 0.
        rows: the row numbers of the pictures to learn from.

    Raises:
        DataError: fewer rows than 4.
    """
    rows = _spread(np.asarray(rows), _ROWS)
    if len(rows) < _FOLDS:
        raise DataError(f"symmetry needs {_FOLDS} rows or more; received {len(rows)}.")
    small, labels = _small(x, rows), y[rows]
    # Rows of one class may stand together, or every so many rows apart.
    fold = np.random.Generator(np.random.Philox(key=len(rows))).permutation(
        np.arange(len(rows)) % _FOLDS
    )

    upright, mirrored_too, turned = (np.zeros(len(rows), bool) for _ in range(3))
    for i in range(_FOLDS):
        learned, truth = small[fold != i], labels[fold != i]
        shown, wanted = small[fold == i], labels[fold == i]
        plain = _ridge(learned, truth)
        both = _ridge(
            np.concatenate([learned, learned[:, :, ::-1]]), np.concatenate([truth] * 2)
        )
        upright[fold == i] = _answers(plain, shown) == wanted
        mirrored_too[fold == i] = _answers(both, shown) == wanted
        turned[fold == i] = _answers(plain, shown[:, ::-1]) == wanted
    others = [mirrored_too, turned, np.bincount(labels).argmax() == labels]
    mirrored, upside_down, chance = (float(other.mean()) for other in others)
    a, b, c = (_error(upright, other) for other in others)
    return Symmetry(
        upright=float(upright.mean()),
        mirrored=mirrored,
        upside_down=upside_down,
        chance=chance,
        rows=len(rows),
        errors=(a, b, c),
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


def _answers(classifier: tuple[np.ndarray, np.ndarray], x: np.ndarray) -> np.ndarray:
    kernel, bias = classifier
    return (x.reshape(len(x), -1) @ kernel + bias).argmax(axis=1)


def _looks_written(class_names: Sequence[str]) -> bool:
    """Whether most of the names are digits, letters or numbers."""
    written = [n.strip().lower() in _WRITTEN or n.isdecimal() for n in class_names]
    return 2 * sum(written) > len(written)
