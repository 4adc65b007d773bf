"""How it learned, and how its learning rate was found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from markupsafe import Markup

from deepneuron.vision.report import charts
from deepneuron.vision.report.charts import Series
from deepneuron.vision.report.data import ReportData, Section
from deepneuron.vision.report.words import (
    capitalised,
    count,
    figure,
    is_number,
    percent,
    plain,
)


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
        label = f"{capitalised(name)} of each epoch, in training and validation."
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
