"""ReportData: all that a report is made of, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

Section: TypeAlias = (
    dict[str, Any] | None
)  # what the template writes out; None: nothing

ROWS = 30  # rows of a table that are seen at once; the others are folded away
LISTED = 12  # things of a list that are seen at once


@dataclass(frozen=True)
class Shown:
    """A picture, what the network says of it, and where it looks.

    Attributes:
        picture: (h, w, c) uint8, c = 1 (grey) or 3 (RGB).
        name: what the picture is called, such as "test/cats/1.png".
        label: what it is; an index into the class names.
        probabilities: what the network says, (k,).
        cam: Grad-CAM, (h, w), 0..1: how strongly a place speaks for the prediction.
        occlusion: (h, w), -1..1: above 0 where covering the place makes the prediction
            less probable, below 0 where it makes it more probable.
    """

    picture: np.ndarray
    name: str
    label: int
    probabilities: np.ndarray
    cam: np.ndarray | None = None
    occlusion: np.ndarray | None = None


@dataclass(frozen=True)
class ReportData:
    """What a report tells; everything but the first three may be empty.

    Attributes:
        title: what the network was trained on.
        class_names: the name of label 0, of label 1, and so on.
        metrics: the content of `metrics.json`.
        history: {"loss": [a value for each epoch], "val_loss": ..., ...}.
        config: settings, versions, and the command that repeats the run.
        audit: what was seen of the pictures before training.
        mistakes: pictures that the network is sure of, and wrong about.
        unsure: pictures that it cannot decide on.
        filters: the kernels of the first layer, (n, kh, kw, c) uint8.
        preview: pairs (picture, [the same picture as training sees it, ...]).
        augmentation: in words, how pictures are varied.
        rate_search: {"rates", "losses", "smoothed": lists, "suggestion": a rate}.
        advice: sentences; see `advise`.
    """

    title: str
    class_names: Sequence[str]
    metrics: Mapping[str, Any]
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    mistakes: Sequence[Shown] = ()
    unsure: Sequence[Shown] = ()
    filters: np.ndarray | None = None
    preview: Sequence[tuple[np.ndarray, Sequence[np.ndarray]]] = ()
    augmentation: str = ""
    rate_search: Mapping[str, Any] | None = None
    advice: Sequence[str] = ()


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is one; {} for None, or text in its place."""
    return value if isinstance(value, Mapping) else {}
