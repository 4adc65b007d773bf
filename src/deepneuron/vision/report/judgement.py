"""What it confuses, how good it is class by class, and how sure it may be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deepneuron.vision.report import charts, pictures
from deepneuron.vision.report.data import LISTED, ROWS, ReportData, Section
from deepneuron.vision.report.tables import (
    calibration_rows,
    class_names,
    class_rows,
    confusion_matrix,
    confusions,
    sureness,
)
from deepneuron.vision.report.words import (
    count,
    figure,
    is_number,
    many,
    percent,
)
from deepneuron.vision.scores import wilson

CELLS = 24  # classes up to which the confusion matrix is a table


def confusion(data: ReportData) -> Section:
    """The matrix as a table, or as a picture where there are many classes."""
    matrix = confusion_matrix(data)
    if matrix is None:
        return None
    k = len(matrix)
    names = class_names(data, k)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)  # (k, k)
    pairs = confusions(data)[:LISTED]
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
            "short": max(map(len, names)) <= 4,  # no need to turn them
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
    rows = class_rows(data)
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
            *chance(row["accuracy"], row["samples"]),
            row["samples"],
        )
        for row in rows
    ]
    sure = sureness(test)
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


def chance(share: float, samples: int) -> list[float]:
    """Between which shares the true one lies, in 95 of 100 such cases."""
    return wilson(round(share * samples), samples) or [0.0, 1.0]
