"""Checkpoint: all that a training needs to go on as if nothing had happened.

One file, written atomically after every epoch: a kill at any moment leaves either the
state before the epoch or the state after it. What else the training depends on is made
anew from the settings: the order of the pictures and their augmentation are functions
of (seed, epoch, batch), frozen layers of the epoch, the learning rate of the
optimizer's count of steps.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron.errors import DataError
from deepneuron.models import Model
from deepneuron.ops.seed_generator import global_seed_generator
from deepneuron.saving.atomic import atomic_write


@dataclass
class State:
    """How far a training has come; epochs count from 0.

    Attributes:
        epochs: how many are over.
        history: {"loss": [one value for each of them], ...}.
        best_epoch: the one with the highest validation accuracy so far.
        best_weights: the model's variables at its end; none before the first.
        pictures: what tells the pictures of this training from others.
    """

    epochs: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    best_weights: list[np.ndarray] = field(default_factory=list)
    pictures: str = ""


def save_checkpoint(path: Path, model: Model, state: State) -> None:
    """Write the model's variables, the optimizer's, and the state into one file.

    Raises:
        SavingError: it cannot be written; an older one is as it was.
    """
    told = asdict(state)
    del told["best_weights"]
    arrays = {
        **_numbered("model", [v.numpy() for v in model.variables]),
        **_numbered("optimizer", [v.numpy() for v in model.optimizer.variables]),
        **_numbered("best", state.best_weights),
        "random": np.array(json.dumps(_random_state())),
        "state": np.array(json.dumps(told)),
    }
    with atomic_write(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy's stub has a flag


def load_checkpoint(path: Path, model: Model) -> State:
    """Give a model, made and compiled as it was then, the state in the file.

    Raises:
        DataError: the file is damaged, or of another network.
    """
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)  # before any layer is frozen
    try:
        # Opened here: over a damaged file NumPy leaves its own open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            for name, variables in (
                ("model", model.variables),
                ("optimizer", optimizer.variables),
            ):
                saved = _of(arrays, name)
                for variable, value in zip(variables, saved, strict=True):
                    variable.assign(value)
            _set_random_state(json.loads(arrays["random"].item()))
            told = json.loads(arrays["state"].item())
            return State(**told, best_weights=_of(arrays, "best"))
    except FileNotFoundError:
        return State()
    except Exception as error:
        raise DataError(
            f"{path} is no checkpoint of this network ({error}). Train anew into "
            "another folder."
        ) from error


def _numbered(name: str, values: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}.{i}": value for i, value in enumerate(values)}


def _of(arrays: Any, name: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{name}.") for key in arrays.files)
    return [arrays[f"{name}.{i}"] for i in range(count)]


def _random_state() -> dict[str, Any]:
    """The generators that a user's own layer or loss might draw from."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 - see above
    return {
        "python": random.getstate(),
        "numpy": [kind, np.asarray(keys).tolist(), position, has_gauss, gauss],
        "deepneuron": global_seed_generator().state.numpy().tolist(),
    }


def _set_random_state(state: dict[str, Any]) -> None:
    version, values, gauss = state["python"]
    random.setstate((version, tuple(values), gauss))
    np.random.set_state(tuple(state["numpy"]))  # noqa: NPY002 - as above
    global_seed_generator().state.assign(np.array(state["deepneuron"], "uint32"))
