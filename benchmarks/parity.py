"""The same network, trained by deepneuron and by Keras: do they end equally good?

    python -m benchmarks.parity fashion-mnist FOLDER
    python -m benchmarks.parity mnist FOLDER --seeds 3 --train 20000 --test 5000

FOLDER holds the four IDX files of the set, plain or gzipped. For each seed deepneuron
makes the network and saves it, Keras (on JAX) opens the file, and both train the same
initial weights on the same batches in the same order, with the same optimizer and rate.
Dropout is the only thing that differs: each draws from its own generator. Nothing is
augmented, and both are tested after the last epoch. The difference of the means should
be within half a point.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np

import deepneuron as dn
from deepneuron.data import read_idx_split
from deepneuron.vision.networks import NETWORKS
from deepneuron.vision.recipe import make_optimizer, recipe

BAR = 0.5  # points


class Set(NamedTuple):
    """Pictures (rows, height, width, 1) and labels (rows,), to learn and to test."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(folder: Path, train: int, test: int) -> Set:
    """The first rows of each part."""
    (x, y), (x_test, y_test) = read_idx_split(folder)
    return Set(
        x[:train, ..., None],
        y[:train].astype(np.int64),
        x_test[:test, ..., None],
        y_test[:test].astype(np.int64),
    )


def in_order(pictures: Set, seed: int, epochs: int) -> np.ndarray:
    """The order of the rows in each epoch, (epochs, rows)."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(len(pictures.y)) for _ in range(epochs)])


def trained(model: Any, optimizer: Any, pictures: Set, order: Any, batch: int) -> float:
    """The accuracy in the test after training, in percent; for ours and for Keras's."""
    model.compile(optimizer, loss="sparse_categorical_crossentropy")
    for rows in order:
        model.fit(
            pictures.x[rows],
            pictures.y[rows],
            batch_size=batch,
            shuffle=False,
            verbose=0,
        )
    p = model.predict(pictures.x_test, batch_size=256, verbose=0)
    return 100 * float((p.argmax(-1) == pictures.y_test).mean())


def keras_optimizer(name: str, rate: float, steps: int) -> Any:
    """Keras's, made from the configuration of ours."""
    import keras

    config = dn.optimizers.serialize(make_optimizer(name, rate, steps))
    return keras.optimizers.deserialize(config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="of the set, for the heading")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", choices=sorted(NETWORKS), default="cnn")
    parser.add_argument("--optimizer", default="adam")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=2_000)
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()
    import keras

    pictures = load(arguments.folder, arguments.train, arguments.test)
    chosen = recipe(
        len(pictures.y),
        network=arguments.model,
        optimizer=arguments.optimizer,
        epochs=arguments.epochs,
    )
    steps = chosen.epochs * math.ceil(len(pictures.y) / chosen.batch_size)
    how = arguments.optimizer, chosen.learning_rate, steps
    print(
        f"{arguments.name}, {arguments.model}: {len(pictures.y):,} training and "
        f"{len(pictures.y_test):,} test pictures, {chosen}, {arguments.optimizer}"
    )
    print(f"{'seed':>4} {'ours':>7} {'Keras':>7} {'seconds':>9} {'seconds':>9}")
    scores: list[tuple[float, float]] = []
    for seed in range(arguments.seeds):
        dn.utils.set_random_seed(seed)
        keras.utils.set_random_seed(seed)
        model = NETWORKS[arguments.model](pictures.x.shape[1:], 10)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            model.save(path)
            twin = keras.models.load_model(path)
        order = in_order(pictures, seed, chosen.epochs)
        times = [time.perf_counter()]
        ours = trained(model, make_optimizer(*how), pictures, order, chosen.batch_size)
        times.append(time.perf_counter())
        theirs = trained(
            twin, keras_optimizer(*how), pictures, order, chosen.batch_size
        )
        times.append(time.perf_counter())
        scores.append((ours, theirs))
        spent = np.diff(times)
        print(
            f"{seed:>4} {ours:>6.2f}% {theirs:>6.2f}% {spent[0]:9.1f} {spent[1]:9.1f}",
            flush=True,
        )
    a, b = (statistics.mean(score) for score in zip(*scores, strict=True))
    verdict = "within" if abs(a - b) <= BAR else "NOT within"
    print(
        f"mean {a:>6.2f}% {b:>6.2f}%  difference {a - b:+.2f}, {verdict} {BAR} points"
    )


if __name__ == "__main__":
    main()
