"""From a model to the arrays of its weights file, and back without halfway results."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from deepneuron.errors import SavingError
from deepneuron.saving.walk import stateful
from deepneuron.saving.weights import Entries, read_weights, write_weights


def save_state(model: Any) -> memoryview:
    """The weights of a model, its layers and its optimizer, as an HDF5 file in memory.

    Raises:
        SavingError: a weight would be missing from the file.
    """
    states: dict[str, tuple[str | None, Entries]] = {}
    saved: set[int] = set()
    for path, thing in stateful(model):
        entries: Entries = {}
        thing.save_own_variables(entries)
        name = getattr(thing, "name", None)
        states[path] = (name if isinstance(name, str) else None, entries)
        saved |= {id(v) for v in _own(thing)}
    for weight in model.weights:
        if id(weight) not in saved:
            raise SavingError(
                f"Model {model.name!r}: the weight {weight.path!r} of shape "
                f"{weight.shape} belongs to no layer, so it has no place in the file. "
                "Make it with add_weight in the layer that uses it."
            )
    return write_weights(states)


def load_state(
    model: Any, content: bytes, origin: str, skip_mismatch: bool = False
) -> None:
    """Give a model the weights of an HDF5 file.

    Args:
        model: with all of its weights made.
        content: the file.
        origin: where it comes from, for error messages.
        skip_mismatch: leave out, with a warning, the layers that do not fit.

    Raises:
        SavingError: something does not fit. The model's weights are as they were.
    """
    things = list(stateful(model))
    found = read_weights(content, [path for path, _ in things], origin)
    if not found:
        raise SavingError(
            f"{origin} holds none of the weights of model {model.name!r}. Was it saved "
            "from another model, or by other software?"
        )
    undo: list[tuple[Any, np.ndarray]] = []
    problems: list[str] = []
    for path, thing in things:
        before = [(v, v.numpy()) for v in _own(thing)]
        try:
            _load(thing, found.get(path, {}), path)
        except Exception as error:  # noqa: BLE001 - load_own_variables may be a user's
            _restore(before)
            problems.append(_sentence(thing, error))
        else:
            undo.extend(before)
    if not problems:
        return
    message = f"{origin} does not fit model {model.name!r}. {problems[0]}"
    if len(problems) > 1:
        message += f" ({len(problems) - 1} more do not fit.)"
    if skip_mismatch:
        warnings.warn(f"{message} They keep the weights they had.", stacklevel=4)
        return
    _restore(undo)
    raise SavingError(
        f"{message} Build the model exactly as it was when it was saved"
        + (", or pass skip_mismatch=True." if origin.endswith(".h5'") else ".")
    )


def _load(thing: Any, entries: Entries, path: str) -> None:
    own = _own(thing)
    is_optimizer = not hasattr(thing, "_own_variables")
    if is_optimizer and len(entries) != len(own):
        # One that was saved before the first step has no slots yet, and loses nothing.
        if int(entries.get("0", np.zeros(1)).flat[0]) > 0:
            warnings.warn(
                f"The file holds {len(entries)} values for the optimizer "
                f"{_name(thing)}, which has {len(own)} variables; it begins anew.",
                stacklevel=5,
            )
        return
    as_written = len(entries) == len(own) and all(
        str(i) in entries for i in range(len(own))
    )
    if as_written:
        for i, v in enumerate(own):
            if entries[str(i)].shape != v.shape:
                raise SavingError(
                    f"its weight {v.path!r} has the shape {v.shape}, the one in the "
                    f"file (at {path}/vars/{i}) {entries[str(i)].shape}."
                )
    elif type(thing).load_own_variables is _plain_load():
        raise SavingError(
            f"it has {len(own)} weights of its own, the file holds {len(entries)} for "
            f"it (at {path}/vars)."
        )
    thing.load_own_variables(entries)


def _plain_load() -> Any:
    from deepneuron.layers.layer import Layer

    return Layer.load_own_variables


def _own(thing: Any) -> list[Any]:
    if hasattr(thing, "_own_variables"):
        return list(thing._own_variables)
    return list(getattr(thing, "variables", ()))


def _restore(values: list[tuple[Any, np.ndarray]]) -> None:
    for variable, value in values:
        variable.assign(value)


def _name(thing: Any) -> str:
    return repr(getattr(thing, "name", "?"))


def _sentence(thing: Any, error: Exception) -> str:
    kind = "Layer" if hasattr(thing, "_own_variables") else "Optimizer"
    return f"{kind} {_name(thing)} ({type(thing).__name__}): {error}"
