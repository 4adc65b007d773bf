"""How the run was made, and how to have it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from deepneuron.vision.report.data import ReportData, Section, mapping
from deepneuron.vision.report.words import capitalised, plain

_HEADINGS = {"why": "Why so"}


def made(data: ReportData) -> Section:
    """How the run was made, so that it can be made again."""
    if not data.config:
        return None
    config = dict(data.config)
    command = config.pop("command", None) or _command(config)
    if isinstance(command, (list, tuple)):
        command = shlex.join(map(str, command))
    settings = {**mapping(config.get("settings")), **_settled(data)}
    nested = {n: v for n, v in config.items() if isinstance(v, Mapping)}
    single = {n: v for n, v in config.items() if n not in nested}
    groups = {"why": _reasons(data), **nested, "settings": settings, "run": single}
    found = [
        {"heading": _HEADINGS.get(name, capitalised(_words(name))), "rows": rows}
        for name, group in groups.items()
        if (rows := _flat(group))
    ]
    return {"command": plain(command or ""), "groups": found}


def _settled(data: ReportData) -> dict[str, Any]:
    """Settings as they came to be, where they were left to the pictures."""
    metrics, settings = data.metrics, mapping(data.metrics.get("settings"))
    found = {name: value for name, value in settings.items() if value is not None}
    for name, choice in (
        ("model", mapping(metrics.get("model")).get("name")),
        ("augment", mapping(metrics.get("augmentation")).get("words")),
    ):
        if found.get(name) == "auto" and choice:
            found[name] = f"auto: {choice}"
    return found


def _reasons(data: ReportData) -> dict[str, str]:
    """Why the model, the variation of pictures and the weights of classes are so."""
    choices = {
        "model": mapping(data.metrics.get("model")).get("why"),
        "pictures": mapping(data.metrics.get("augmentation")).get("why"),
        "classes": mapping(data.metrics.get("class_weights")).get("why"),
    }
    return {name: why for name, why in choices.items() if why}


def _command(config: Mapping[str, Any]) -> list[str] | None:
    """What to type to have the run again, with everything that was chosen."""
    settings = mapping(config.get("settings"))
    if "data" not in config or not settings:
        return None
    words = ["deepneuron", "train", str(config["data"])]
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif not (value is None or value is False or value == "auto"):
            words += [option, str(value)]
    if config.get("threads") is not None:  # with others, sums are rounded otherwise
        words += ["--threads", str(config["threads"])]
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
