"""The sections of a report: numbers in, what the template writes out, or None."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias

import numpy as np
from markupsafe import Markup

from deepneuron.vision.report import charts, pictures
from deepneuron.vision.report.advice import calibration_rows, overconfidence
from deepneuron.vision.report.charts import Series
from deepneuron.vision.report.data import ReportData, Shown
from deepneuron.vision.report.words import (
    between,
    count,
    figure,
    in_code,
    is_number,
    many,
    named,
    percent,
    plain,
    points,
)

Section: TypeAlias = dict[str, Any] | None

CELLS = 24  # classes up to which the confusion matrix is a table
ROWS = 30  # rows of a table that are seen at once; the others are folded away
LISTED = 12  # things of a list that are seen at once


def headline(data: ReportData) -> dict[str, Any]:
    """The result in one sentence, and the few numbers that matter."""
    metrics, test = data.metrics, data.metrics.get("test") or {}
    accuracy, interval = test.get("accuracy"), test.get("accuracy_interval")
    correct, samples = test.get("correct"), test.get("samples")
    if is_number(correct) and is_number(samples):
        words = (
            f"Right on {count(correct)} of {many(samples, 'picture')} it had never seen"
        )
    elif is_number(accuracy):
        words = f"Right on {percent(accuracy)} of pictures it had never seen"
    else:
        words = "A trained network"
    guess = test.get("majority_accuracy")
    lead = []
    if is_number(accuracy):
        lead.append(f"That is {percent(accuracy)}.")
        if interval:
            lead.append(
                "With other pictures of the same kind it could as well lie "
                f"{between(interval)}: that is what chance allows (95\u202f% interval)."
            )
        if is_number(guess):
            lead.append(
                f"Always naming the commonest class would be right on {percent(guess)}."
            )
    if metrics.get("interrupted"):
        lead.append("Training was interrupted before its end.")
    ruler = None
    if is_number(accuracy):
        ruler = {
            "value": accuracy,
            "low": interval[0] if interval else accuracy,
            "high": interval[1] if interval else accuracy,
            "guess": guess if is_number(guess) else None,
            "label": " ".join(lead),
        }
    return {
        "words": words,
        "lead": " ".join(lead),
        "ruler": ruler,
        "numbers": _key_numbers(data),
    }


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _key_numbers(data: ReportData) -> list[dict[str, str]]:
    """What is measured, its value, and a few words that explain it."""
    metrics, test = data.metrics, data.metrics.get("test") or {}
    numbers = []

    def add(name: str, value: str, words: str = "") -> None:
        numbers.append({"name": name, "value": value, "words": words})

    if is_number(test.get("balanced_accuracy")):
        interval = test.get("balanced_accuracy_interval")
        words = "if every class were equally frequent"
        words += f"; {between(interval)}" if interval else ""
        add("Balanced accuracy", percent(test["balanced_accuracy"]), words)
    for k, value in _top_k(test):
        add(f"Top {k}", percent(value), f"the truth is among its first {k} answers")
    if is_number(test.get("macro_f1")):
        interval = test.get("macro_f1_interval")
        words = "mean of the F1 of all classes"
        words += f"; {between(interval)}" if interval else ""
        add("Macro F1", percent(test["macro_f1"]), words)
    if is_number(test.get("loss")):
        interval = test.get("loss_interval")
        words = "on the test pictures; 0 is perfect"
        if interval:
            words += f"; between {figure(interval[0])} and {figure(interval[1])}"
        add("Loss", figure(test["loss"]), words)
    epochs, best = metrics.get("epochs"), metrics.get("best_epoch")
    if is_number(epochs):
        words = f"the weights are those of epoch {count(best)}" if best else ""
        add("Epochs", count(epochs), words)
    if is_number(metrics.get("parameters")):
        model = metrics.get("model")
        name = model.get("name", "") if isinstance(model, Mapping) else model or ""
        add("Weights", count(metrics["parameters"]), f"model {name}" if name else "")
    return numbers


def _top_k(test: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The largest k alone: it tells most beside the accuracy, which is k = 1."""
    values = [(str(k), v) for k, v in (test.get("top_k") or {}).items() if is_number(v)]
    return sorted(values, key=lambda pair: (len(pair[0]), pair[0]))[-1:]


def in_words(data: ReportData) -> Section:
    """What it is good and bad at, each as a sentence."""
    test = data.metrics.get("test") or {}
    rows = [r for r in _rows(data) if r["samples"] and is_number(r["recall"])]
    sentences: list[Markup] = []
    if len(rows) > 1:
        best = max(rows, key=lambda r: (r["recall"], r["samples"]))
        worst = min(rows, key=lambda r: (r["recall"], -r["samples"]))
        sentences.append(_known(Markup("It recognises {} best"), best))
        if worst is not best:
            interval = worst["interval"]
            chance = f"; chance allows {between(interval)}" if interval else ""
            sentences.append(_known(Markup("It finds {} hardest"), worst, chance))
    pairs = _pairs(data)
    if pairs:
        first = pairs[0]
        sentences.append(
            Markup(
                "Its most frequent mistake: a picture of <strong>{}</strong> is called "
                "<strong>{}</strong>, {} ({} of that class)."
            ).format(
                named(first["true"]),
                named(first["predicted"]),
                many(first["count"], "time"),
                percent(first["share"], 0),
            )
        )
    elif _matrix(data) is not None:
        sentences.append(Markup("It made no mistake on the test pictures."))
    sure = _sure(test)
    if sure:
        sentences.append(Markup("{}").format(sure))
    model = data.metrics.get("model")
    why = model.get("why") if isinstance(model, Mapping) else None
    return {"sentences": sentences, "why": plain(why or "")} if sentences else None


def _known(words: Markup, row: Mapping[str, Any], more: str = "") -> Markup:
    return Markup("{}: {} of {} ({}{}).").format(
        words.format(Markup("<strong>{}</strong>").format(named(row["name"]))),
        count(round(row["recall"] * row["samples"])),
        count(row["samples"]),
        percent(row["recall"], 0),
        more,
    )


def _sure(test: Mapping[str, Any]) -> str:
    """Whether it is as sure as it may be, in one sentence."""
    sure = overconfidence(test)
    if sure is None:
        return ""
    if abs(sure) < 0.02:
        return (
            "It knows how sure it may be: of what it says with 80\u202f%, about "
            "80\u202f% is right."
        )
    more = "surer" if sure > 0 else "less sure"
    return f"It is {more} than it should be, by {points(abs(sure))} on average."


def _rows(data: ReportData) -> list[dict[str, Any]]:
    """Each class with its scores; what is missing is None."""
    rows = (data.metrics.get("test") or {}).get("classes") or []
    return [
        {
            "name": row.get("name", ""),
            "precision": _or_none(row.get("precision")),
            "recall": _or_none(row.get("recall")),
            "interval": row.get("recall_interval"),
            "f1": _or_none(row.get("f1")),
            "samples": row.get("samples") or 0,
            "predicted": row.get("predicted"),
        }
        for row in rows
    ]


def _or_none(value: Any) -> float | None:
    return float(value) if is_number(value) else None


def advice(data: ReportData) -> Section:
    sentences = [in_code(sentence) for sentence in data.advice]
    return {"sentences": sentences} if sentences else None


def learning(data: ReportData) -> Section:
    """The curves: loss, accuracy, and the learning rate if it changed."""
    history = data.history
    longest = max((len(v) for v in history.values()), default=0)
    epochs = list(range(1, longest + 1))
    best = data.metrics.get("best_epoch")
    mark = (best, f"best epoch {best}") if is_number(best) and best else None

    def curves(name: str, **options: Any) -> Markup | None:
        pair = [
            Series("validation", "first", epochs, history.get(f"val_{name}", [])),
            Series("training", "second", epochs, history.get(name, [])),
        ]
        label = f"{_upper(name)} of each epoch, in training and validation."
        return charts.line_chart(label, pair, "epoch", mark=mark, **options)

    drawn = [
        ("Loss: how wrong it is. Lower is better.", curves("loss")),
        (
            "Accuracy: how often it is right. Higher is better.",
            curves("accuracy", y_words=_percent_tick, from_zero=False),
        ),
    ]
    rates = [r for r in history.get("learning_rate", []) if is_number(r)]
    if len(set(rates)) > 1:
        line = Series("", "first", epochs, history["learning_rate"])
        label = "The learning rate of each epoch."
        drawn.append(
            (
                "Learning rate: how large the steps are.",
                charts.line_chart(label, [line], "epoch"),
            )
        )
    found = [{"caption": caption, "svg": svg} for caption, svg in drawn if svg]
    if not found:
        return None
    names = [n for n in history if len(history[n])]
    columns = [[figure(v) for v in history[n]] for n in names]
    rows = [
        [count(epoch), *row]
        for epoch, row in zip(epochs, zip_longest(*columns, fillvalue="–"), strict=True)
    ]
    return {
        "charts": found,
        "table": {"columns": ["epoch", *map(plain, names)], "rows": rows, "best": best},
        "words": _learning_words(data),
    }


def _percent_tick(value: float) -> str:
    return f"{100 * value:.4g}\u202f%"


def _learning_words(data: ReportData) -> str:
    train, new = data.metrics.get("train") or {}, data.metrics.get("validation") or {}
    if not (is_number(train.get("accuracy")) and is_number(new.get("accuracy"))):
        return ""
    gap = train["accuracy"] - new["accuracy"]
    apart = (
        "far apart: it remembers pictures rather than what they have in common"
        if gap > 0.05
        else "close together: what it learned holds for new pictures too"
    )
    return (
        f"At its best epoch it is right on {percent(train['accuracy'])} of the "
        f"pictures it learned from (training) and on {percent(new['accuracy'])} of "
        f"those kept aside to choose that epoch (validation). The two are {apart}."
    )


def _matrix(data: ReportData) -> np.ndarray | None:
    matrix = (data.metrics.get("test") or {}).get("confusion")
    if not matrix:
        return None
    whole = np.asarray(matrix, dtype="int64")
    return whole if whole.ndim == 2 and whole.shape[0] == whole.shape[1] else None


def _names(data: ReportData, k: int) -> list[str]:
    names = [plain(name) for name in data.class_names]
    return names + [f"class {i}" for i in range(len(names), k)]


def _pairs(data: ReportData) -> list[dict[str, Any]]:
    """The confusions there are, the most frequent first."""
    matrix = _matrix(data)
    if matrix is None:
        return []
    names = _names(data, len(matrix))
    totals = matrix.sum(axis=1)
    found = [
        {
            "true": names[i],
            "predicted": names[j],
            "count": int(matrix[i, j]),
            "share": float(matrix[i, j] / totals[i]),
        }
        for i, j in np.argwhere(matrix > 0)
        if i != j
    ]
    return sorted(found, key=lambda pair: (-pair["count"], -pair["share"]))


def confusion(data: ReportData) -> Section:
    """The matrix as a table, or as a picture where there are many classes."""
    matrix = _matrix(data)
    if matrix is None:
        return None
    k = len(matrix)
    names = _names(data, k)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)  # (k, k)
    pairs = _pairs(data)[:LISTED]
    most = max((pair["share"] for pair in pairs), default=1)
    section: dict[str, Any] = {
        "pairs": [{**pair, "bar": pair["share"] / most} for pair in pairs],
        "table": None,
        "picture": None,
        "classes": many(k, "class", "classes"),
    }
    if k <= CELLS:
        section["table"] = {
            "names": names,
            "rows": [
                {
                    "name": names[i],
                    "cells": [
                        {
                            "count": count(matrix[i, j]),
                            "kind": _cell_kind(i, j, matrix[i, j]),
                            "heat": 0.1 + 0.9 * math.sqrt(shares[i, j]),
                        }
                        for j in range(k)
                    ],
                }
                for i in range(k)
            ],
        }
    else:
        alt = (
            f"Confusion matrix of {k} classes: a row for each true class, a column for "
            "each prediction; what is off the diagonal is a mistake."
        )
        section["picture"] = {
            "address": pictures.address(pictures.confusion_picture(shares)),
            "alt": alt,
            "size": k,
        }
    return section


def _cell_kind(i: int, j: int, n: int) -> str:
    if n == 0:
        return "none"
    return "right" if i == j else "wrong"


def classes(data: ReportData) -> Section:
    """Precision, recall and F1 of each class, the weakest first."""
    rows = _rows(data)
    if not rows:
        return None

    def weakness(row: dict[str, Any]) -> tuple[bool, float]:
        return row["f1"] is None or not row["samples"], row["f1"] or 0.0

    rows = sorted(rows, key=weakness)
    return {"rows": rows[:ROWS], "more": rows[ROWS:]}


def calibration(data: ReportData) -> Section:
    """How often it is right when it says how sure it is."""
    test = data.metrics.get("test") or {}
    rows = calibration_rows(test)
    if not rows:
        return None
    bins = [
        (
            row["confidence"],
            row["accuracy"],
            *wilson(row["accuracy"], row["samples"]),
            row["samples"],
        )
        for row in rows
    ]
    sure = _sure(test)
    numbers = []
    if is_number(test.get("calibration_error")):
        numbers.append(
            f"On average what it says and what is true are "
            f"{100 * test['calibration_error']:.1f} percentage points apart "
            "(expected calibration error)."
        )
    if is_number(test.get("brier")):
        numbers.append(f"The Brier score is {figure(test['brier'])}; 0 is perfect.")
    return {
        "svg": charts.reliability(f"Reliability diagram. {sure}", bins),
        "words": sure,
        "numbers": " ".join(numbers),
        "rows": [
            {
                "confidence": percent(row["confidence"]),
                "accuracy": percent(row["accuracy"]),
                "samples": count(row["samples"]),
            }
            for row in rows
        ],
    }


def wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Between which shares the true one lies, in 95 of 100 such cases.

    >>> [round(bound, 3) for bound in wilson(0.5, 10)]
    [0.237, 0.763]
    """
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = (
        z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    )
    return max(0.0, centre - half), min(1.0, centre + half)


def gallery(data: ReportData, shown: Sequence[Shown]) -> Section:
    """Pictures with what they are and what the network says; maps where there are."""
    cards = [_card(data, one) for one in shown]
    if not cards:
        return None
    return {
        "explained": [card for card in cards if card["maps"]],
        "plain": [card for card in cards if not card["maps"]],
        "cam": any(one.cam is not None for one in shown),
        "occlusion": any(one.occlusion is not None for one in shown),
    }


def _card(data: ReportData, one: Shown) -> dict[str, Any]:
    probabilities = np.nan_to_num(np.asarray(one.probabilities, dtype="float64"))
    names = _names(data, len(probabilities))
    predicted = int(probabilities.argmax())
    true = names[one.label] if 0 <= one.label < len(names) else "unknown"
    alt = f"{plain(one.name)}: {true}, called {names[predicted]}"
    maps = []
    if one.cam is not None:
        overlay = pictures.cam_overlay(one.picture, one.cam)
        alt_cam = f"Grad-CAM of {plain(one.name)}"
        maps.append({"name": "Grad-CAM", "img": pictures.img(overlay, alt_cam)})
    if one.occlusion is not None:
        overlay = pictures.occlusion_overlay(one.picture, one.occlusion)
        alt_occlusion = f"Occlusion map of {plain(one.name)}"
        maps.append({"name": "occlusion", "img": pictures.img(overlay, alt_occlusion)})
    order = np.argsort(-probabilities, kind="stable")[:3]
    return {
        "name": plain(one.name),
        "img": pictures.img(one.picture, alt),
        "maps": maps,
        "true": true,
        "predicted": names[predicted],
        "right": predicted == one.label,
        "confidence": percent(probabilities[predicted]),
        "answers": [
            {
                "name": names[i],
                "share": float(np.clip(probabilities[i], 0, 1)),
                "words": percent(probabilities[i], 0),
                "true": int(i) == one.label,
            }
            for i in order
        ],
    }


def filters(data: ReportData) -> Section:
    """The kernels of the first layer, as one picture."""
    kernels = data.filters
    if kernels is None or len(kernels) == 0:
        return None
    n, height, width, _ = kernels.shape
    columns = min(n, 8 if n <= 64 else 16)
    whole = pictures.sheet(np.asarray(kernels, dtype="uint8"), columns)
    return {
        "address": pictures.address(whole),
        "alt": f"The {n} filters of the first layer, {height} by {width} pixels each.",
        "width": whole.shape[1],
        "height": whole.shape[0],
        "columns": columns,
        "small": max(height, width) <= 16,
        "words": many(n, "filter"),
    }


_SEVERITIES = {"error": "Error", "warning": "Warning", "note": "Note"}


def audit(data: ReportData) -> Section:
    """What was seen of the pictures before training."""
    seen = data.audit
    if not seen:
        return None
    findings = [
        {
            "kind": kind,
            "word": _SEVERITIES[kind],
            "sentence": in_code(finding.get("sentence", "")),
        }
        for finding in seen.get("findings") or []
        for kind in [str(finding.get("severity"))]
        if kind in _SEVERITIES
    ]
    order = list(_SEVERITIES)
    findings.sort(key=lambda finding: order.index(finding["kind"]))
    return {
        "words": _audit_words(data),
        "findings": findings,
        "classes": _class_counts(seen),
        "kinds": _kinds(seen),
        "duplicates": _duplicates(seen),
        "skipped": [
            {"name": plain(s.get("name", "")), "reason": plain(s.get("reason", ""))}
            for s in seen.get("skipped") or []
        ],
        "skipped_count": seen.get("skipped_count") or len(seen.get("skipped") or []),
        "listed": LISTED,
    }


def _audit_words(data: ReportData) -> str:
    seen, sentences = data.audit, []
    if is_number(seen.get("pictures")):
        parts = [
            f"{count(n)} {words}"
            for part, words in (
                ("train", "to learn from"),
                ("validation", "to choose the best epoch by"),
                ("test", "for the test"),
            )
            if is_number(n := (seen.get("parts") or {}).get(part)) and n
        ]
        split = f": {', '.join(parts)}" if parts else ""
        sentences.append(f"{many(seen['pictures'], 'picture')}{split}.")
    aside = _mapping(data.metrics.get("validation")).get("samples")
    if is_number(aside) and not (seen.get("parts") or {}).get("validation"):
        sentences.append(
            f"Of those to learn from, {count(aside)} are kept aside to choose the best "
            "epoch by."
        )
    shape = seen.get("shape") or []
    if len(shape) == 3:
        colour = "in grey" if shape[2] == 1 else "in colour"
        sentences.append(
            f"The network sees each with {shape[1]} × {shape[0]} pixels, {colour}."
        )
    return " ".join(sentences)


def _class_counts(seen: Mapping[str, Any]) -> Section:
    rows = seen.get("classes") or []
    if not rows:
        return None
    parts = [
        part
        for part in ("train", "validation", "test")
        if any(row.get(part) for row in rows)
    ]
    most = max((row.get("train") or 0 for row in rows), default=0) or 1
    table = [
        {
            "name": row.get("name", ""),
            "counts": [count(row.get(part)) for part in parts],
            "bar": (row.get("train") or 0) / most,
        }
        for row in rows
    ]
    return {"parts": parts, "rows": table[:ROWS], "more": table[ROWS:]}


def _kinds(seen: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the files are like: sizes, colours, formats, each as one line."""
    lines = []
    sizes = [s for s in seen.get("sizes") or [] if is_number(s.get("count"))]
    sizes = sorted(sizes, key=lambda s: -s["count"])
    if sizes:
        words = [
            f"{s['width']} × {s['height']} ({count(s['count'])})" for s in sizes[:5]
        ]
        rest = len(sizes) - 5
        words += [f"and {many(rest, 'other size')}"] if rest > 0 else []
        lines.append({"name": "Sizes", "value": ", ".join(words)})
    quantiles = seen.get("size_quantiles")
    if isinstance(quantiles, Mapping) and len(sizes) > 1:
        lines += [
            {"name": _upper(plain(name)), "value": _spread(spread, name)}
            for name, spread in quantiles.items()
            if isinstance(spread, Mapping) and spread
        ]
    for key, name in (("modes", "Colours"), ("formats", "Formats")):
        kinds = seen.get(key)
        if isinstance(kinds, Mapping) and kinds:
            words = [f"{plain(kind)} ({count(n)})" for kind, n in kinds.items()]
            lines.append({"name": name, "value": ", ".join(words)})
    return lines


def _spread(spread: Mapping[str, Any], name: str) -> str:
    """From the least to the most, and where the middle is."""
    values = [value for value in spread.values() if is_number(value)]
    unit = "bytes" if name == "bytes" else "pixels"
    middle = spread.get("half")
    words = (
        f"from {count(min(values))} to {count(max(values))} {unit}" if values else "–"
    )
    return words + (
        f", half of them up to {count(middle)}" if is_number(middle) else ""
    )


def _duplicates(seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Groups of equal pictures, and of pictures that look alike."""
    found = []
    for key, words in (
        ("exact", "The same picture more than once"),
        ("near", "Pictures that look alike"),
    ):
        groups = [g for g in (seen.get("duplicates") or {}).get(key) or [] if g]
        lists = [
            [
                {
                    "name": picture.get("name", ""),
                    "class": picture.get("class", ""),
                    "part": plain(picture.get("part", "")),
                }
                for picture in group
            ]
            for group in groups[:LISTED]
        ]
        if lists:
            n = (seen.get("duplicates") or {}).get(f"{key}_groups") or len(groups)
            found.append({"words": words, "count": n, "groups": lists})
    return found


def augmentation(data: ReportData) -> Section:
    """Pictures beside what training sees of them."""
    rows = [
        {
            "before": pictures.img(before, "a picture as it is"),
            "after": [
                pictures.img(one, f"the same picture, varied ({i})")
                for i, one in enumerate(after, start=1)
            ],
        }
        for before, after in data.preview
    ]
    if not rows and not data.augmentation:
        return None
    return {"rows": rows, "words": in_code(_sentence(data.augmentation))}


def rate(data: ReportData) -> Section:
    """The search for a learning rate: loss over rate."""
    search = data.rate_search or {}
    rates, losses = search.get("rates") or [], search.get("losses") or []
    smoothed = search.get("smoothed") or []
    if not rates or not losses:
        return None
    finite = [loss for loss in smoothed or losses if is_number(loss)]
    limit = 1.5 * finite[0] if finite else math.inf  # beyond: far too large, no more

    def cut(values: Sequence[Any]) -> list[float]:
        return [v if is_number(v) and v <= limit else math.nan for v in values]

    suggestion = search.get("suggestion")
    mark = None
    if is_number(suggestion):
        mark = suggestion, f"chosen: {figure(suggestion)}"
    svg = charts.line_chart(
        "Loss over learning rate, each step with a larger rate.",
        [
            Series("each step", "faint", rates, cut(losses)),
            Series("smoothed", "first", rates, cut(smoothed)),
        ],
        "learning rate",
        x_log=True,
        mark=mark,
        from_zero=False,
    )
    return (
        {"svg": svg, "suggestion": figure(suggestion) if mark else ""} if svg else None
    )


def made(data: ReportData) -> Section:
    """How the run was made, so that it can be made again."""
    if not data.config:
        return None
    config = dict(data.config)
    command = config.pop("command", None) or _command(config)
    if isinstance(command, (list, tuple)):
        command = shlex.join(map(str, command))
    settings = {**_mapping(config.get("settings")), **_settled(data)}
    nested = {n: v for n, v in config.items() if isinstance(v, Mapping)}
    single = {n: v for n, v in config.items() if n not in nested}
    groups = {"why": _reasons(data), **nested, "settings": settings, "run": single}
    found = [
        {"heading": _HEADINGS.get(name, _upper(_words(name))), "rows": rows}
        for name, group in groups.items()
        if (rows := _flat(group))
    ]
    return {"command": plain(command or ""), "groups": found}


_HEADINGS = {"why": "Why so"}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _settled(data: ReportData) -> dict[str, Any]:
    """Settings as they came to be, where they were left to the pictures."""
    metrics, settings = data.metrics, _mapping(data.metrics.get("settings"))
    found = {name: value for name, value in settings.items() if value is not None}
    for name, choice in (
        ("model", _mapping(metrics.get("model")).get("name")),
        ("augment", _mapping(metrics.get("augmentation")).get("words")),
    ):
        if found.get(name) == "auto" and choice:
            found[name] = f"auto: {choice}"
    return found


def _reasons(data: ReportData) -> dict[str, str]:
    """Why the model, the variation of pictures and the weights of classes are so."""
    choices = {
        "model": _mapping(data.metrics.get("model")).get("why"),
        "pictures": _mapping(data.metrics.get("augmentation")).get("why"),
        "classes": _mapping(data.metrics.get("class_weights")).get("why"),
    }
    return {name: why for name, why in choices.items() if why}


def _sentence(words: str) -> str:
    """The words with a capital letter before and a full stop behind them."""
    return _upper(words) + ("" if words.endswith((".", "!", "?")) or not words else ".")


def _command(config: Mapping[str, Any]) -> list[str] | None:
    """What to type to have the run again, with everything that was chosen."""
    settings = _mapping(config.get("settings"))
    if "data" not in config or not settings:
        return None
    words = ["deepneuron", "train", str(config["data"])]
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif not (value is None or value is False or value == "auto"):
            words += [option, str(value)]
    return words


def _words(name: object) -> str:
    """The name of a setting as words.

    >>> _words("batch_size")
    'batch size'
    """
    return plain(name).replace("_", " ")


def _flat(config: Mapping[str, Any], before: str = "") -> list[dict[str, str]]:
    """Nested settings as lines: {"a": {"b": 1}} is a, b: 1; None is left out."""
    lines: list[dict[str, str]] = []
    for name, value in config.items():
        path = f"{before}, {plain(name)}" if before else _words(name)
        if isinstance(value, Mapping):
            lines += _flat(value, path)
        elif value is not None:
            lines.append({"name": path, "value": _text(value)})
    return lines


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return plain(value)
