"""Run: what a training leaves in memory, and how it shows itself in a notebook."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Self

from deepneuron.models import Model, load_model
from deepneuron.vision.folder import (
    HISTORY,
    METRICS,
    MODEL,
    REPORT,
    read_history,
    read_json,
)


@dataclass(repr=False)
class Run:
    """What `train` returns; the same stands in the files of its folder.

    Attributes:
        out: the folder.
        metrics: what stands in `metrics.json`.
        history: {"loss": [one value for each epoch], ...}.
        model: the network, with the weights of its best epoch.
    """

    out: Path
    metrics: dict[str, Any]
    history: dict[str, list[float]]
    model: Model

    @classmethod
    def open(cls, out: str | os.PathLike[str]) -> Self:
        """The run in a folder.

        Raises:
            DataNotFoundError, DataError, SavingError: a file is missing or damaged.
        """
        folder = Path(out)
        metrics = read_json(folder / METRICS)
        model = load_model(folder / MODEL)
        return cls(folder, metrics, read_history(folder / HISTORY), model)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights the model has, counted from 1."""
        return int(self.metrics["best_epoch"])

    @property
    def report(self) -> Path:
        """The file to open in a browser."""
        return self.out / REPORT

    def __repr__(self) -> str:
        test = self.metrics["test"]
        return (
            f"<Run {self.metrics['data']}: test accuracy {test['accuracy']:.4f} "
            f"({test['correct']} of {test['samples']}), epoch "
            f"{self.metrics['best_epoch']} of {self.metrics['epochs']}, in {self.out}>"
        )

    def _repr_html_(self) -> str:
        metrics = self.metrics
        rows = "".join(
            f"<tr><th style='text-align:left'>{part}</th>"
            f"<td>{metrics[part]['accuracy']:.4f}</td><td>{metrics[part]['loss']:.4f}</td>"
            f"<td>{metrics[part]['samples']:,}</td></tr>"
            for part in ("test", "validation", "train")
        )
        return (
            f"<b>{escape(metrics['data'])}</b>: {metrics['parameters']:,} weights, "
            f"those of epoch {metrics['best_epoch']} of {metrics['epochs']}"
            "<table><tr><th></th><th>accuracy</th><th>loss</th><th>pictures</th></tr>"
            f"{rows}</table>{_curves(self.history)}"
            f"<div>in <code>{escape(str(self.out))}</code></div>"
        )


def _curves(history: dict[str, list[float]]) -> str:
    """The accuracies over the epochs, from 0 to 1, as a picture of two lines."""
    width, height = 320, 120
    drawn = []
    for name, colour in (("accuracy", "#888888"), ("val_accuracy", "#1f77b4")):
        values = history.get(name, [])
        step = width / max(len(values) - 1, 1)
        points = " ".join(
            f"{i * step:.1f},{height * (1 - value):.1f}"
            for i, value in enumerate(values)
        )
        drawn.append(
            f"<polyline points='{points}' fill='none' stroke='{colour}' "
            f"stroke-width='2'><title>{name}</title></polyline>"
        )
    return (
        f"<svg viewBox='-2 -2 {width + 4} {height + 4}' width='{width}' role='img' "
        "aria-label='accuracy (grey) and validation accuracy (blue) over the epochs' "
        f"style='border:1px solid #ccc'>{''.join(drawn)}</svg>"
    )


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during `train`.

    Attributes:
        run: the Run of the epochs that were over, already written; None before the end
            of the first, and if it came while the results were made.
        unfinished: the folder of a training without a Run that `resume` goes on with.
    """

    def __init__(self, run: Run | None, unfinished: Path | None = None) -> None:
        super().__init__()
        self.run, self.unfinished = run, unfinished
