"""What the metrics say of the test, as rows and matrices; what is missing is None."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepneuron.vision.report.data import ReportData
from deepneuron.vision.report.words import is_number, plain, points


def class_rows(data: ReportData) -> list[dict[str, Any]]:
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


def confusion_matrix(data: ReportData) -> np.ndarray | None:
    matrix = (data.metrics.get("test") or {}).get("confusion")
    if not matrix:
        return None
    whole = np.asarray(matrix, dtype="int64")
    return whole if whole.ndim == 2 and whole.shape[0] == whole.shape[1] else None


def class_names(data: ReportData, k: int) -> list[str]:
    names = [plain(name) for name in data.class_names]
    return names + [f"class {i}" for i in range(len(names), k)]


def confusions(data: ReportData) -> list[dict[str, Any]]:
    """The confusions there are, the most frequent first."""
    matrix = confusion_matrix(data)
    if matrix is None:
        return []
    names = class_names(data, len(matrix))
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


def calibration_rows(test: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The groups of the calibration that hold pictures."""
    return [
        row
        for row in test.get("calibration") or []
        if row.get("samples")
        and is_number(row.get("confidence"))
        and is_number(row.get("accuracy"))
    ]


def overconfidence(test: Mapping[str, Any]) -> float | None:
    """Mean confidence minus accuracy, over the groups of the calibration."""
    rows = calibration_rows(test)
    total = sum(row["samples"] for row in rows)
    if not total:
        return None
    gaps = (row["samples"] * (row["confidence"] - row["accuracy"]) for row in rows)
    return float(sum(gaps) / total)


def sureness(test: Mapping[str, Any]) -> str:
    """Whether it is as sure as it may be, in one sentence."""
    sure = overconfidence(test)
    if sure is None:
        return ""
    if abs(sure) < 0.02:
        error = test.get("calibration_error")
        if is_number(error) and error >= 0.05:
            return "It is too sure at times and too modest at others; both cancel out."
        return "It is as sure as it may be: about as often right as it says."
    more = "surer" if sure > 0 else "less sure"
    return f"It is {more} than it should be, by {points(abs(sure))} on average."
