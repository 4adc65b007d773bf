"""How good a classifier is, in numbers, and how sure one may be of each.

Two rules hold for classes that do not occur. The balanced accuracy is a mean over the
classes that have pictures, macro F1 over those that have pictures or are answered (as
in scikit-learn). And what would be divided by zero is None: the recall of a class
without pictures, the precision of one that is never answered, the F1 of one that is
neither.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from deepneuron.errors import ArgumentError, DivergenceError, ShapeError

BINS = 15  # of the calibration, equally wide
RESAMPLES = 1000
MOST_CLASSES = 1000  # of a confusion matrix; with more nobody could look at it
TOP = (2, 3, 5)
LEAST = 1e-7  # no picture costs infinity
_Z = 1.959963984540054  # 95 % of a normal distribution lie within so many deviations
_KEY = 0x5C0_4E5  # of the bootstrap: the same pictures have the same interval
_ROOM = 4_000_000  # elements that a piece of the bootstrap may hold at a time


def scores(
    probabilities: np.ndarray, y: np.ndarray, class_names: Sequence[str]
) -> dict[str, Any]:
    """Accuracy and all that goes with it, as plain data that JSON can hold.

    Args:
        probabilities: the answers of a classifier, (pictures, classes).
        y: the true labels, (pictures,).
        class_names: the name of label 0, of label 1, and so on.

    Returns:
        accuracy, correct, samples, and accuracy_interval (Wilson's, 95 %);
        loss, the mean of -log p(true class), natural logarithm, p at least 1e-7;
        balanced_accuracy, the mean recall, and macro_f1, the mean F1;
        their intervals: 95 % of 1,000 bootstrap resamples lie within, drawn from the
        pictures and four more, two right and two wrong, so that a classifier without
        a mistake is not taken for one that never makes any;
        top_k: how often the true class is among the k best, for k below the number
        of classes; calibration_error: the expected difference of confidence and
        accuracy over 15 equally wide bins (ECE);
        brier, the mean of sum_c (p_c - [c is true])^2, from 0 to 2;
        majority_accuracy: that of always answering the most frequent class;
        classes, calibration (the bins) and confusion (rows: true, columns: answered;
        None for more than 1,000 classes).

    Raises:
        ArgumentError: there are no pictures, or labels beyond the classes.
        ShapeError: arrays and names that do not fit one another.
        DivergenceError: probabilities that are no finite numbers.

    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    >>> s = scores(p, np.array([0, 1, 1, 0]), ["cat", "dog"])
    >>> s["accuracy"], s["confusion"], s["classes"][1]["recall"]
    (0.75, [[2, 0], [1, 1]], 0.5)
    """
    p, y, names = _checked(probabilities, y, class_names)
    samples, classes = p.shape
    answers = p.argmax(-1)  # of equals the first
    right = answers == y
    confidence = p[np.arange(samples), answers]
    losses = losses_of(p, y)
    right_of = np.bincount(y[right], minlength=classes)
    true = np.bincount(y, minlength=classes)
    answered = np.bincount(answers, minlength=classes)
    balanced, f1 = (float(v[0]) for v in _means(right_of, true, answered))
    drawn_balanced, drawn_f1 = _bootstrapped_means(y, answers, classes)
    calibration = _calibration(confidence, right)
    return {
        "accuracy": float(right.mean()),
        "accuracy_interval": wilson(int(right.sum()), samples),
        "correct": int(right.sum()),
        "samples": samples,
        "loss": float(losses.mean()),
        "loss_interval": _bootstrapped_mean(losses),
        "balanced_accuracy": balanced,
        "balanced_accuracy_interval": _around(balanced, drawn_balanced),
        "macro_f1": f1,
        "macro_f1_interval": _around(f1, drawn_f1),
        "top_k": _top_k(p, y),
        "calibration_error": math.fsum(
            b["samples"] / samples * abs(b["confidence"] - b["accuracy"])
            for b in calibration
            if b["samples"]
        ),
        "brier": float(
            (np.square(p).sum(-1) - 2 * p[np.arange(samples), y] + 1).mean()
        ),
        "majority_accuracy": float(np.bincount(y).max() / samples),
        "classes": _classes(right_of, true, answered, names),
        "confusion": _confusion(y, answers, classes),
        "calibration": calibration,
    }


def losses_of(probabilities: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-log p(true class) of every picture, (pictures,) float64."""
    chosen = probabilities[np.arange(len(y)), y].astype("float64")
    return -np.log(np.maximum(chosen, LEAST))


def wilson(correct: int, samples: int) -> list[float] | None:
    """[low, high] of a share, 95 %: in 19 of 20 test sets the true one lies within.

    Unlike correct/samples +- 2 deviations, it is right for few pictures too, and for
    shares near 0 and 1.

    Args:
        correct: how many were right.
        samples: of how many; None is returned for 0.

    Source: E. B. Wilson (1927), Probable Inference, the Law of Succession, and
    Statistical Inference, J. Am. Stat. Assoc. 22.

    >>> [round(end, 3) for end in wilson(9, 10)]
    [0.596, 0.982]
    """
    if samples == 0:
        return None
    share = correct / samples
    scale = 1 + _Z**2 / samples
    centre = (share + _Z**2 / (2 * samples)) / scale
    spread = share * (1 - share) / samples + _Z**2 / (4 * samples**2)
    reach = _Z * math.sqrt(spread) / scale
    # At the ends the formula gives 0 and 1 but for rounding.
    low = 0.0 if correct == 0 else centre - reach
    high = 1.0 if correct == samples else centre + reach
    return [low, high]


# --- the parts


def _checked(
    probabilities: np.ndarray, y: np.ndarray, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    p, y, names = (
        np.asarray(probabilities),
        np.asarray(y),
        [str(n) for n in class_names],
    )
    if p.ndim != 2 or y.shape != p.shape[:1] or p.shape[1] != len(names):
        raise ShapeError(
            "scores needs probabilities of shape (pictures, classes), a label for each "
            f"picture and a name for each class; received {p.shape}, {y.shape} and "
            f"{len(names)} names."
        )
    if not len(y):
        raise ArgumentError("There are no pictures to score.")
    y = y.astype(np.int64)
    if y.min() < 0 or y.max() >= len(names):
        raise ArgumentError(
            f"Labels must lie between 0 and {len(names) - 1}; received {y.min()} to "
            f"{y.max()}."
        )
    if not np.isfinite(p).all():
        raise DivergenceError(
            "The answers of the network are not all finite numbers, so there is "
            "nothing to score; its training diverged."
        )
    return p.astype("float64"), y, names


def _means(
    right: np.ndarray, true: np.ndarray, answered: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(balanced accuracy, macro F1) of counts (classes,), or of (resamples, classes)"""
    right, true, answered = map(np.atleast_2d, (right, true, answered))
    recall = right / np.maximum(true, 1)
    f1 = 2 * right / np.maximum(true + answered, 1)
    balanced = recall.sum(-1) / (true > 0).sum(-1)
    return balanced, f1.sum(-1) / (true + answered > 0).sum(-1)


def _bootstrapped_means(
    y: np.ndarray, answers: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """The balanced accuracy and macro F1 of every resample, (resamples,) each.

    To draw pictures with replacement is to draw cells of the confusion matrix: one
    multinomial draw is one resample, however many pictures there are.

    Where a class is always right, or never, all resamples agree: as if there were no
    doubt. So two right and two wrong pictures are added to those that there are, spread
    evenly over the classes, which makes the interval right for few pictures and near
    0 and 1; among hundreds with some mistakes they hardly count.

    Source: R. M. Price, D. G. Bonett (2004), An Improved Confidence Interval for a
    Linear Function of Binomial Proportions, Comput. Stat. Data Anal. 45.
    """
    width = classes + 1  # the last column: an answer that is no class
    true_classes, seen = np.unique(y), np.unique(np.concatenate([y, answers]))
    following = np.searchsorted(seen, true_classes) + 1
    wrong = seen[following % len(seen)] if len(seen) > 1 else np.array([classes])
    added = true_classes * width
    cells, cell_of = np.unique(
        np.concatenate([y * width + answers, added + true_classes, added + wrong]),
        return_inverse=True,
    )
    weights = np.ones(len(cell_of))
    weights[len(y) :] = 2 / len(true_classes)
    counts = np.bincount(cell_of, weights)
    rows, columns = cells // width, cells % width
    samples, shares = len(y) + 4, counts / counts.sum()
    across = np.argsort(columns, kind="stable")
    diagonal = np.flatnonzero(rows == columns)
    rng = _random(1)
    balanced: list[np.ndarray] = []
    f1: list[np.ndarray] = []
    for resamples in _pieces(max(len(rows), 3 * classes)):
        drawn = rng.multinomial(samples, shares, size=resamples)  # (resamples, cells)
        true = _summed(drawn, rows, classes)
        answered = _summed(drawn[:, across], columns[across], width)[:, :classes]
        right = np.zeros_like(true)
        right[:, rows[diagonal]] = drawn[:, diagonal]
        for found, values in zip(
            (balanced, f1), _means(right, true, answered), strict=True
        ):
            found.append(values)
    return np.concatenate(balanced), np.concatenate(f1)


def _summed(counts: np.ndarray, groups: np.ndarray, classes: int) -> np.ndarray:
    """Sums over cells of the same (sorted) group: (resamples, classes)."""
    there, starts = np.unique(groups, return_index=True)
    total = np.zeros((len(counts), classes), counts.dtype)
    total[:, there] = np.add.reduceat(counts, starts, axis=1)
    return total


def _bootstrapped_mean(values: np.ndarray) -> list[float]:
    """The interval of a mean."""
    samples = len(values)
    if samples > 20_000:  # means of so many are normally distributed
        reach = _Z * float(values.std(ddof=1)) / math.sqrt(samples)
        return [float(values.mean()) - reach, float(values.mean()) + reach]
    rng = _random(2)
    means = [
        values[rng.integers(samples, size=(resamples, samples))].mean(-1)
        for resamples in _pieces(samples)
    ]
    return _interval(np.concatenate(means))


def _random(part: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[_KEY, part]))


def _pieces(size: int) -> Iterator[int]:
    """How many resamples at a time, where each holds so many elements."""
    step = max(1, _ROOM // size)
    for begin in range(0, RESAMPLES, step):
        yield min(step, RESAMPLES - begin)


def _interval(values: np.ndarray) -> list[float]:
    return [float(end) for end in np.quantile(values, (0.025, 0.975))]


def _around(value: float, drawn: np.ndarray) -> list[float]:
    """The interval of a value, which lies within also where its draws lie elsewhere."""
    low, high = _interval(drawn)
    return [min(low, value), max(high, value)]


def _top_k(p: np.ndarray, y: np.ndarray) -> dict[str, float]:
    chosen = p[np.arange(len(y)), y][:, None]
    earlier = np.arange(p.shape[1]) < y[:, None]  # of equals the first is the better
    rank = ((p > chosen) | ((p == chosen) & earlier)).sum(-1)
    return {str(k): float((rank < k).mean()) for k in TOP if k < p.shape[1]}


def _calibration(confidence: np.ndarray, right: np.ndarray) -> list[dict[str, Any]]:
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    sums = np.bincount(place, confidence, minlength=BINS)
    rights = np.bincount(place, right, minlength=BINS)
    return [
        {
            "from": i / BINS,
            "to": (i + 1) / BINS,
            "samples": int(counts[i]),
            "confidence": _ratio(sums[i], counts[i]),
            "accuracy": _ratio(rights[i], counts[i]),
        }
        for i in range(BINS)
    ]


def _classes(
    right: np.ndarray, true: np.ndarray, answered: np.ndarray, names: Sequence[str]
) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "precision": _ratio(right[i], answered[i]),
            "recall": _ratio(right[i], true[i]),
            "recall_interval": wilson(int(right[i]), int(true[i])),
            "f1": _ratio(2 * right[i], true[i] + answered[i]),
            "samples": int(true[i]),
            "predicted": int(answered[i]),
        }
        for i, name in enumerate(names)
    ]


def _confusion(
    y: np.ndarray, answers: np.ndarray, classes: int
) -> list[list[int]] | None:
    if classes > MOST_CLASSES:
        return None
    counts = np.bincount(y * classes + answers, minlength=classes**2)
    return counts.reshape(classes, classes).tolist()


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None
