"""Recipe: the numbers that a training begins with, and what they were measured by.

Whoever names a number on the command line overrules it; `recipe` gives the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from deepneuron import optimizers
from deepneuron.errors import ArgumentError, UnknownNameError

DROPOUT = 0.4
FEW_STEPS = 1200
EPOCHS, MOST_EPOCHS = 20, 60
MANY_ROWS, EPOCHS_OF_MANY = 20_000, 12
BATCH_SIZE, BATCH_SIZE_OF_MANY = 32, 64
PATIENCE = 8
FINE_TUNE_SHARE = 1 / 3
FROZEN_SHARE = 0.2
RATES = {
    "adam": 0.0015,
    "adamw": 0.0015,
    "nadam": 0.0015,
    "rmsprop": 0.0007,
    "lion": 0.0003,
    "sgd": 0.03,
}
WEIGHT_DECAY = 0.01
MOMENTUM = 0.9


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, where nobody says otherwise.

    Attributes:
        epochs: passes over the training pictures, at most.
        batch_size: pictures a step.
        learning_rate: at the beginning; see `make_optimizer`.
        patience: epochs without a lower validation loss after which training ends.
        frozen_epochs: in how many epochs the body of a trained network is frozen.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    frozen_epochs: int


def recipe(
    rows: int,
    *,
    optimizer: str = "adam",
    trained: bool = False,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> Recipe:
    """The numbers for so many training pictures.

    Args:
        rows: how many there are to learn from.
        optimizer: its name, a key of RATES.
        trained: whether the network comes with weights, and is only fine-tuned.
        epochs, batch_size: what the user chose already; the others go along with it.

    Raises:
        UnknownNameError: no such optimizer.

    >>> recipe(2250)
    Recipe(epochs=20, batch_size=32, learning_rate=0.0015, patience=8, frozen_epochs=0)
    >>> recipe(600).epochs, recipe(54_000).epochs, recipe(54_000).batch_size
    (60, 12, 64)
    """
    many = rows >= MANY_ROWS
    rate = _known(optimizer)
    if batch_size is None:
        batch_size = BATCH_SIZE_OF_MANY if many else BATCH_SIZE
    if epochs is None:
        steps = math.ceil(rows / batch_size)  # in an epoch
        enough = math.ceil(FEW_STEPS / max(steps, 1))
        epochs = EPOCHS_OF_MANY if many else min(max(EPOCHS, enough), MOST_EPOCHS)
    return Recipe(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=rate * FINE_TUNE_SHARE if trained else rate,
        patience=PATIENCE,
        frozen_epochs=math.ceil(FROZEN_SHARE * epochs) if trained and epochs > 1 else 0,
    )


def make_optimizer(name: str, rate: float, steps: int) -> Any:
    """The optimizer of a name, whose rate falls to 0 along half a cosine.

        rate of step t = rate * (1 + cos(pi t / steps)) / 2

    Args:
        name: a key of RATES. "sgd" has Nesterov's momentum of 0.9, "adamw" a weight
            decay of 0.01.
        rate: that of the first step.
        steps: of the whole training, until it is 0.

    Raises:
        UnknownNameError: no such optimizer.
        ArgumentError: fewer steps than 1.

    >>> optimizer = make_optimizer("adam", 0.001, steps=100)
    >>> type(optimizer).__name__, float(optimizer.learning_rate)
    ('Adam', 0.0010000000474974513)
    """
    _known(name)
    if steps < 1:
        raise ArgumentError(f"steps must be 1 or more; received {steps}.")
    schedule = optimizers.schedules.CosineDecay(float(rate), decay_steps=steps)
    if name == "sgd":
        return optimizers.SGD(schedule, momentum=MOMENTUM, nesterov=True)
    if name == "adamw":
        return optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY)
    classes = {
        "adam": optimizers.Adam,
        "nadam": optimizers.Nadam,
        "rmsprop": optimizers.RMSprop,
        "lion": optimizers.Lion,
    }
    return classes[name](schedule)


def _known(optimizer: str) -> float:
    """The usual rate of an optimizer."""
    if optimizer not in RATES:
        raise UnknownNameError("optimizer", optimizer, RATES)
    return RATES[optimizer]
