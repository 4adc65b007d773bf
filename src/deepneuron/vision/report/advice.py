"""What to try next: each sentence follows from a number, and names the option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from deepneuron.vision.report.data import ReportData
from deepneuron.vision.report.tables import overconfidence
from deepneuron.vision.report.words import (
    between,
    count,
    is_number,
    many,
    percent,
    points,
    quoted,
)

MOST = 7  # sentences; nobody tries more
_LARGER = {"linear": "cnn", "mlp": "cnn", "cnn": "resnet"}


def advise(data: ReportData) -> list[str]:
    """What to try next, the most promising first; silent where nothing is to say.

    Args:
        data: its metrics, history, audit and config. What is missing gives no advice.

    Returns:
        Sentences; options of `deepneuron train` stand between `backticks`.

    >>> advise(ReportData("shapes", [], {}, history={"val_loss": [5, 4, 3, 2, 1]}))
    ['The loss was still falling when training ended: try `--epochs 10`.']
    """
    rules = (
        _copies,
        _guesses,
        _epochs,
        _gap,
        _balance,
        _confusions,
        _few,
        _sureness,
        _uncertain,
        _skipped,
    )
    return [sentence for rule in rules for sentence in rule(data)][:MOST]


# --- the rules


def _copies(data: ReportData) -> Iterator[str]:
    """A picture in two parts makes the test too easy; in two classes, too hard."""
    found = data.audit.get("duplicates") or {}
    groups = found.get("exact") or []
    more = "At least " if (found.get("exact_groups") or 0) > len(groups) else ""
    parts = sum(_differ(group, "part") for group in groups)
    if parts:
        yield (
            f"{more}{_stand(parts)} in more than one part, so the network has seen "
            "some of what it is tested on, and the score flatters: remove the copies."
        )
    classes = sum(_differ(group, "class") for group in groups)
    if classes:
        yield (
            f"{more}{_stand(classes)} in two classes at once: no network can be right "
            "about both. Decide where each belongs."
        )


def _guesses(data: ReportData) -> Iterator[str]:
    """A network that learned nothing, or whose loss leaps."""
    test = _test(data)
    low = (test.get("accuracy_interval") or [None])[0]
    guess, loss = test.get("majority_accuracy"), _curve(data, "loss")
    stuck = len(loss) > 2 and min(loss[1:]) > 0.97 * loss[0]
    leaps = [b > 1.5 * a for a, b in pairwise(_curve(data, "val_loss"))]
    if stuck or (is_number(low) and is_number(guess) and low <= guess):
        yield (
            "It is not clearly better than a guess. Let `--find-lr` choose the "
            "learning rate, and look at the audit: do labels and pictures match?"
        )
    elif sum(leaps) > max(2, len(leaps) // 5):
        yield (
            "The validation loss leaps from epoch to epoch: try a smaller "
            "`--learning-rate`, or let `--find-lr` choose it."
        )


def _epochs(data: ReportData) -> Iterator[str]:
    if data.metrics.get("interrupted"):
        yield (
            "Training was interrupted: let it go on to its end before its numbers are "
            "compared with others."
        )
    elif _falling(data):
        yield (
            "The loss was still falling when training ended: try "
            f"`--epochs {2 * _last_epoch(data)}`."
        )
    elif 0 < _last_epoch(data) < 5:
        passes = many(_last_epoch(data), "epoch is", "epochs are")
        yield f"{passes} few: try `--epochs 10`."


def _gap(data: ReportData) -> Iterator[str]:
    """Far better on what it learned from: too much room; bad even there: too little."""
    train, new = _accuracy(data, "train", ""), _accuracy(data, "validation", "val_")
    if train is None or new is None:
        return
    larger = _LARGER.get(_model(data))
    learned = max([train, *_curve(data, "accuracy")])  # of any epoch: what it can
    if train - new > 0.05:
        way = "" if _varied(data) else "`--augment auto`, "
        yield (
            f"Right on {percent(train, 0)} of the pictures it learned from, but on "
            f"{percent(new, 0)} of new ones: it remembers more than it grasps. Try "
            f"{way}more pictures, or a smaller `--model`."
        )
    elif larger and max(learned, new) < 0.9 and _last_epoch(data) >= 10:
        yield (
            f"Wrong on {percent(1 - learned, 0)} even of the pictures it learned from: "
            f"the network may be too simple. Try `--model {larger}`."
        )


def _balance(data: ReportData) -> Iterator[str]:
    """Rare classes that are recognised less often."""
    counts, test = _learned_from(data), _test(data)
    accuracy, balanced = test.get("accuracy"), test.get("balanced_accuracy")
    if len(counts) < 2 or not (is_number(accuracy) and is_number(balanced)):
        return
    (rare, fewest), (common, most) = counts[0], counts[-1]
    if most >= 3 * max(fewest, 1) and accuracy - balanced >= 0.03:
        weights = (data.metrics.get("class_weights") or {}).get("weights")
        weighted = weights or _setting(data, "class_weights") == "balanced"
        yield (
            f"Rare classes are recognised less often: {quoted(rare)} has "
            f"{many(fewest, 'picture')}, {quoted(common)} {count(most)}. "
            + (
                "Collect more of the rare ones."
                if weighted
                else "With `--class-weights balanced` each class counts the same."
            )
        )


def _confusions(data: ReportData) -> Iterator[str]:
    """Two classes that stand behind many of the mistakes."""
    matrix, names = _test(data).get("confusion") or [], data.class_names
    k = min(len(matrix), len(names))
    pairs = [(matrix[i][j] + matrix[j][i], i, j) for i in range(k) for j in range(i)]
    wrong = sum(both for both, _, _ in pairs)
    both, i, j = max(pairs, default=(0, 0, 0))
    if k > 2 and both >= max(5, 0.2 * wrong):
        size = _finer(data)
        finer = f", or let it see finer detail with `--size {size}`" if size else ""
        yield (
            f"{quoted(names[j])} and {quoted(names[i])} are taken for one another "
            f"{many(both, 'time')}, {percent(both / wrong, 0)} of all mistakes. Look "
            f"at these pictures; collect more that show the difference{finer}."
        )


def _few(data: ReportData) -> Iterator[str]:
    """Classes with hardly any picture to learn from."""
    few = [(name, n) for name, n in _learned_from(data) if n < 50]
    if few:
        name, n = few[0]
        rest = many(len(few) - 1, "other class has", "other classes have")
        others = f", and {rest} fewer than 50" if len(few) > 1 else ""
        yield (
            f"{quoted(name)} has only {many(n, 'picture')} to learn from{others}: a "
            "hundred of each is a good beginning."
        )


def _sureness(data: ReportData) -> Iterator[str]:
    """Probabilities that are no chances."""
    error, sure = _test(data).get("calibration_error"), overconfidence(_test(data))
    if not is_number(error) or error < 0.05 or sure is None:
        return
    if sure > 0:
        way = "" if _varied(data) else "`--augment auto` or "
        yield (
            f"It is surer than it should be, by {points(sure)} on average: do not read "
            f"its probabilities as chances. Try {way}fewer `--epochs`."
        )
    elif not _falling(data):  # said already
        yield (
            f"It is right more often than it says, by {points(-sure)} on average: more "
            "`--epochs` make it surer."
        )


def _uncertain(data: ReportData) -> Iterator[str]:
    """Too few pictures to measure with."""
    test, validation = _test(data), data.metrics.get("validation") or {}
    interval, samples = test.get("accuracy_interval"), validation.get("samples")
    if interval and is_number(test.get("samples")) and interval[1] - interval[0] > 0.08:
        yield (
            f"{many(test['samples'], 'picture')} for the test leave the accuracy "
            f"uncertain, {between(interval)}: with more, better can be told from lucky."
        )
    if is_number(samples) and samples < 100:
        yield (
            f"The best epoch was chosen by {many(samples, 'picture')}: a larger "
            "`--validation`, such as 0.2, chooses better."
        )


def _skipped(data: ReportData) -> Iterator[str]:
    told = data.audit.get("skipped") or []
    n = data.audit.get("skipped_count") or len(told)
    skipped = [one for one in told if not one.get("harmless")]
    n -= len(told) - len(skipped)
    if skipped:
        name = quoted(skipped[0].get("name", ""))
        who = f"{name} and {count(n - 1)} more were" if n > 1 else f"{name} was"
        yield (
            f"{who} passed over; the audit says why. Mend or remove what should not be "
            "there."
        )


# --- what they ask


def _test(data: ReportData) -> Mapping[str, Any]:
    return data.metrics.get("test") or {}


def _curve(data: ReportData, name: str) -> list[float]:
    return [value for value in data.history.get(name, []) if is_number(value)]


def _last_epoch(data: ReportData) -> int:
    return int(data.metrics.get("epochs") or len(_curve(data, "val_loss")))


def _falling(data: ReportData) -> bool:
    """The best epoch is about the last, and better than those well before it."""
    loss, epochs = _curve(data, "val_loss"), _last_epoch(data)
    best = data.metrics.get("best_epoch") or 1 + loss.index(min(loss)) if loss else 0
    if len(loss) < 2 or best < epochs - epochs // 20:
        return False
    return min(loss) < 0.99 * min(loss[: -max(1, len(loss) // 5)])


def _accuracy(data: ReportData, part: str, prefix: str) -> float | None:
    """The accuracy on a part, or in the curve at the best epoch."""
    value = (data.metrics.get(part) or {}).get("accuracy")
    if not is_number(value):
        epoch = int(data.metrics.get("best_epoch") or 0) - 1
        curve = data.history.get(f"{prefix}accuracy", [])
        value = curve[epoch] if 0 <= epoch < len(curve) else None
    return float(value) if is_number(value) else None


def _setting(data: ReportData, name: str) -> Any:
    """What was set; where that is "auto", the metrics say what came of it."""
    for settings in (data.metrics.get("settings"), data.config.get("settings")):
        if isinstance(settings, Mapping) and settings.get(name) is not None:
            return settings[name]
    return None


def _varied(data: ReportData) -> bool:
    """Whether training varied its pictures, or was free to and had reasons not to."""
    if _setting(data, "augment") == "auto":
        return True
    words = (data.metrics.get("augmentation") or {}).get("words")
    if words is not None:
        return str(words) != "none"
    return _setting(data, "augment") not in (None, "", "none", False)


def _model(data: ReportData) -> str:
    model = data.metrics.get("model")
    return str(model.get("name") if isinstance(model, Mapping) else model)


def _learned_from(data: ReportData) -> list[tuple[str, float]]:
    """Classes with their pictures for training, the rarest first."""
    counts = [
        (c.get("name", ""), c.get("train")) for c in data.audit.get("classes") or []
    ]
    return sorted(((name, n) for name, n in counts if is_number(n)), key=lambda c: c[1])


def _differ(group: Sequence[Any], key: str) -> bool:
    """Whether copies of a picture are in different parts, or classes."""
    return len({picture.get(key) for picture in group}) > 1


def _stand(n: int) -> str:
    return f"{many(n, 'picture stands', 'pictures stand')}"


def _finer(data: ReportData) -> int | None:
    """Twice the size that the network sees, if at least half of the files have it."""
    shape = data.audit.get("shape") or [0]
    sizes = [s for s in data.audit.get("sizes") or [] if is_number(s.get("count"))]
    size = 2 * max(shape[:2])
    large = sum(s["count"] for s in sizes if min(s["width"], s["height"]) >= size)
    return size if size and 2 * large > sum(s["count"] for s in sizes) else None
