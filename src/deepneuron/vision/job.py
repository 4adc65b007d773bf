"""The main job: pictures in, a trained classifier and its test accuracy out."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron import callbacks, optimizers, utils
from deepneuron._version import __version__
from deepneuron.data.embedded import get_embedded
from deepneuron.errors import ArgumentError
from deepneuron.models import Sequential
from deepneuron.saving.atomic import atomic_write
from deepneuron.vision.network import make_cnn


@dataclass
class Result:
    """What `train` returns.

    Attributes:
        model: the trained network.
        history: {name: one value for each epoch}.
        metrics: what stands in `metrics.json`.
        out: the folder that holds `model.keras`, `history.csv` and `metrics.json`.
    """

    model: Sequential
    history: dict[str, list[float]]
    metrics: dict[str, Any]
    out: Path


def train(
    data: str,
    *,
    epochs: int = 15,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    out: str | Path | None = None,
    verbose: Any = "auto",
) -> Result:
    """Train a convolutional network on a data set and test it on pictures it never saw.

    Args:
        data: "digits" or "fashion".
        epochs: passes over the training pictures.
        batch_size: pictures a step.
        learning_rate: of Adam.
        seed: of everything random; the same seed gives the same weights.
        out: the folder for the results; `runs/<data>` by default. Each file is
            replaced as a whole or not at all.
        verbose: as in `fit`.

    Returns:
        A Result with the model, its history and its metrics.

    Raises:
        UnknownNameError: no such data set.
        ArgumentError: a number out of its range.
    """
    dataset = get_embedded(data)
    _check(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    out = Path(out) if out is not None else Path("runs") / data
    out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()

    (x_train, y_train), (x_test, y_test) = dataset.load()
    x_train, x_test = x_train[..., None], x_test[..., None]  # (n, height, width, 1)
    utils.set_random_seed(seed)
    model = make_cnn(x_train.shape[1:], len(dataset.class_names), dataset.peak)
    model.compile(
        optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        x_train,
        y_train,
        batch_size=batch_size,
        epochs=epochs,
        verbose=verbose,
        callbacks=[callbacks.TerminateOnNaN()],
    )
    history = model.history.history
    scores = model.evaluate(x_test, y_test, batch_size=256, verbose=0, return_dict=True)
    metrics = {
        "test": {
            "accuracy": float(scores["accuracy"]),
            "loss": float(scores["loss"]),
            "samples": len(x_test),
        },
        "train": {
            "accuracy": history["accuracy"][-1],
            "loss": history["loss"][-1],
            "samples": len(x_train),
        },
        "data": data,
        "class_names": list(dataset.class_names),
        "epochs": len(history["loss"]),
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 2),
        "parameters": model.count_params(),
        "deepneuron": __version__,
    }
    model.save(out / "model.keras")
    _write(out / "history.csv", _csv(history))
    _write(out / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    return Result(model, history, metrics, out)


def _check(*, epochs: int, batch_size: int, learning_rate: float) -> None:
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise ArgumentError(f"{name} must be 1 or more; received {value}.")
    if not (np.isfinite(learning_rate) and learning_rate > 0):
        raise ArgumentError(
            f"learning_rate must be a number above 0; received {learning_rate}."
        )


def _csv(history: dict[str, list[float]]) -> str:
    rows = zip(*history.values(), strict=True)
    lines = [",".join(["epoch", *history])]
    lines += [",".join([str(i), *map(repr, row)]) for i, row in enumerate(rows)]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode("utf-8"))
