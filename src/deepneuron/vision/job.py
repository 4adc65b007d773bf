"""The main job: pictures in, a trained classifier and its test accuracy out.

settings -> folder claimed -> pictures in three parts -> network -> fit -> test
         -> model.keras, history.csv, metrics.json, all at once

Each arrow is a function below, or a file beside this one.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron import callbacks, optimizers, utils
from deepneuron._version import __version__
from deepneuron.data.embedded import get_embedded
from deepneuron.errors import ArgumentError, DivergenceError
from deepneuron.models import Sequential
from deepneuron.vision.network import make_cnn
from deepneuron.vision.pictures import Pictures, load_pictures
from deepneuron.vision.progress import shown
from deepneuron.vision.results import claimed, write_results
from deepneuron.vision.run import Interrupted, Run

EPOCHS = 20
BATCH_SIZE = 32
LEARNING_RATE = 0.003


@dataclass(frozen=True)
class Settings:
    """What decides, together with the pictures, which weights come out."""

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int

    def __post_init__(self) -> None:
        _check_whole("epochs", self.epochs, 1)
        _check_whole("batch_size", self.batch_size, 1)
        _check_whole("seed", self.seed, 0, 2**32 - 1)
        if not 0 < self.learning_rate < math.inf:
            raise ArgumentError(
                "learning_rate must be a number above 0, such as "
                f"{LEARNING_RATE}; received {self.learning_rate}."
            )


def train(
    data: str,
    out: str | os.PathLike[str] | None = None,
    *,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    learning_rate: float = LEARNING_RATE,
    seed: int = 0,
    quiet: bool = False,
) -> Run:
    """Train a convolutional network, and test it on pictures that it never saw.

    A tenth of every class is set aside; the weights of the epoch with the lowest loss
    on this validation part are kept. The same arguments and number of threads give the
    same weights, bit by bit.

    Args:
        data: "digits" or "fashion".
        out: the folder for the results; `runs/<data>` by default. `model.keras`,
            `history.csv` and `metrics.json` appear in it all at once at the end, or,
            if anything fails, not at all.
        epochs: passes over the training pictures.
        batch_size: pictures a step.
        learning_rate: of Adam, at the beginning; it falls to 0 along half a cosine.
        seed: of everything random.
        quiet: whether to show no progress.

    Returns:
        A Run with the model, its history and its metrics.

    Raises:
        UnknownNameError: no such data set.
        ArgumentError: a number out of its range.
        SavingError: a folder that cannot be made or written to.
        DivergenceError: a loss that left the finite numbers.
        Interrupted: a KeyboardInterrupt. What was best until then has been written, if
            an epoch was over, and is its `run`.

    Example:

        run = deepneuron.vision.train("digits", "runs/digits")
        run.metrics["test"]["accuracy"]
        run.model.predict(pictures)
    """
    get_embedded(data)  # a misspelt name should leave no folder behind
    settings = Settings(epochs, batch_size, learning_rate, seed)
    out = _folder(out, data)
    with claimed(out):
        began = time.perf_counter()
        pictures = load_pictures(data, seed)
        utils.set_random_seed(seed)
        model = _compiled(pictures, settings)
        title = _title(data, pictures, model)
        fitted = _fit(model, pictures, settings, title, quiet=quiet)
        test = _test(model, pictures.test)
        if not math.isfinite(test["loss"]):
            raise _diverged(settings)  # in the very last step
        metrics = {
            "data": data,
            "test": test,
            **_of_epoch(fitted, pictures),
            "epochs": len(fitted.history["loss"]),
            "best_epoch": fitted.best_epoch + 1,
            "interrupted": fitted.interrupted,
            "settings": asdict(settings),
            "class_names": list(pictures.class_names),
            "parameters": model.count_params(),
            "seconds": round(time.perf_counter() - began, 2),
            "deepneuron": __version__,
        }
        write_results(out, model, fitted.history, metrics)
    run = Run(out, metrics, fitted.history, model)
    if fitted.interrupted:
        raise Interrupted(run)
    return run


def _folder(out: str | os.PathLike[str] | None, data: str) -> Path:
    if out is None:
        return Path("runs") / data
    if not os.fspath(out):
        raise ArgumentError("out is empty; it should name the folder for the results.")
    return Path(out)


def _check_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        allowed = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ArgumentError(
            f"{name} must be a whole number, {allowed}; received {value!r}."
        )


def _title(data: str, pictures: Pictures, model: Sequential) -> str:
    learn, choose, test = (
        len(y) for _, y in (pictures.train, pictures.validation, pictures.test)
    )
    return (
        f"{data}: {learn:,} training, {choose:,} validation and {test:,} test pictures;"
        f" {model.count_params():,} weights"
    )


def _compiled(pictures: Pictures, settings: Settings) -> Sequential:
    """The network, ready to be fitted."""
    model = make_cnn(pictures.shape, len(pictures.class_names), pictures.peak)
    batches = math.ceil(len(pictures.train[0]) / settings.batch_size)
    rate = optimizers.schedules.CosineDecay(
        float(settings.learning_rate), decay_steps=batches * settings.epochs
    )
    model.compile(
        optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


@dataclass(frozen=True)
class _Fitted:
    """What happened in `fit`; epochs count from 0."""

    history: dict[str, list[float]]
    best_epoch: int
    interrupted: bool


def _fit(
    model: Sequential,
    pictures: Pictures,
    settings: Settings,
    title: str,
    *,
    quiet: bool,
) -> _Fitted:
    """Train, and give the model the weights of its best epoch, also after a Ctrl-C."""
    history = callbacks.History()
    best = callbacks.EarlyStopping(
        monitor="val_loss", patience=settings.epochs, restore_best_weights=True
    )
    x, y = pictures.train
    interrupted = False
    try:
        with shown(title, best, quiet=quiet) as display:
            model.fit(
                x,
                y,
                batch_size=settings.batch_size,
                epochs=settings.epochs,
                validation_data=pictures.validation,
                validation_batch_size=256,
                verbose=0,
                callbacks=[
                    callbacks.TerminateOnNaN(raise_error=True),
                    history,
                    best,
                    *display,
                ],
            )
    except DivergenceError as error:
        raise _diverged(settings) from error
    except KeyboardInterrupt:
        if best.best_weights is None:
            raise Interrupted(None) from None
        interrupted = True
        model.set_weights(best.best_weights)
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return _Fitted(
        {name: history.history[name] for name in names}, best.best_epoch, interrupted
    )


def _diverged(settings: Settings) -> DivergenceError:
    return DivergenceError(
        "The loss left the finite numbers with learning_rate="
        f"{settings.learning_rate}; try a smaller one, such as {LEARNING_RATE}."
    )


def _test(model: Sequential, part: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """How the model does on pictures that nothing was chosen by."""
    x, y = part
    probabilities = model.predict(x, batch_size=256, verbose=0)  # (rows, classes)
    correct = int((probabilities.argmax(-1) == y).sum())
    chosen = probabilities[np.arange(len(y)), y].astype("float64")
    loss = float(-np.log(np.maximum(chosen, 1e-7)).mean())  # no picture costs infinity
    return {
        "accuracy": correct / len(y),
        "loss": loss,
        "correct": correct,
        "samples": len(y),
    }


def _of_epoch(fitted: _Fitted, pictures: Pictures) -> dict[str, dict[str, Any]]:
    """Loss and accuracy of the best epoch, as they stood at its end."""
    parts = {"validation": ("val_", pictures.validation), "train": ("", pictures.train)}
    return {
        part: {
            "accuracy": fitted.history[f"{prefix}accuracy"][fitted.best_epoch],
            "loss": fitted.history[f"{prefix}loss"][fitted.best_epoch],
            "samples": len(y),
        }
        for part, (prefix, (_, y)) in parts.items()
    }
