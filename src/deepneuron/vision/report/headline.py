"""The result in a sentence, the numbers that matter, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from deepneuron.vision.report.data import ReportData, Section
from deepneuron.vision.report.tables import (
    class_rows,
    confusion_matrix,
    confusions,
    sureness,
)
from deepneuron.vision.report.words import (
    between,
    count,
    figure,
    is_number,
    many,
    named,
    percent,
)


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
    for k, value in _top_k(data):
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


def _top_k(data: ReportData) -> list[tuple[int, float]]:
    """The largest k alone: it tells most beside the accuracy, which is k = 1."""
    values = (data.metrics.get("test") or {}).get("top_k") or {}
    told = [(int(k), v) for k, v in values.items() if is_number(v)]
    return sorted((k, v) for k, v in told if k < len(data.class_names))[-1:]


def in_words(data: ReportData) -> Section:
    """What it is good and bad at, each as a sentence."""
    test = data.metrics.get("test") or {}
    rows = [r for r in class_rows(data) if r["samples"] and is_number(r["recall"])]
    sentences: list[Markup] = []
    if len(rows) > 1:
        best = max(rows, key=lambda r: (r["recall"], r["samples"]))
        worst = min(rows, key=lambda r: (r["recall"], -r["samples"]))
        sentences.append(_known(Markup("It recognises {} best"), best))
        if worst is not best:
            interval = worst["interval"]
            chance = f"; chance allows {between(interval)}" if interval else ""
            sentences.append(_known(Markup("It finds {} hardest"), worst, chance))
    pairs = confusions(data)
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
    elif confusion_matrix(data) is not None:
        sentences.append(Markup("It made no mistake on the test pictures."))
    sure = sureness(test)
    if sure:
        sentences.append(Markup("{}").format(sure))
    return {"sentences": sentences} if sentences else None


def _known(words: Markup, row: Mapping[str, Any], more: str = "") -> Markup:
    return Markup("{}: {} of {} ({}{}).").format(
        words.format(Markup("<strong>{}</strong>").format(named(row["name"]))),
        count(round(row["recall"] * row["samples"])),
        count(row["samples"]),
        percent(row["recall"], 0),
        more,
    )
