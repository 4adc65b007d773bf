"""Weights without the architecture, in a `.weights.h5` file."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from deepneuron.errors import NotBuiltError, SavingError
from deepneuron.saving.archive import WEIGHTS, read_archive
from deepneuron.saving.atomic import atomic_write
from deepneuron.saving.overwrite import may_write
from deepneuron.saving.state import load_state, save_state


def save_weights(
    model: Any,
    filepath: str | PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Write a model's weights (and its optimizer's state) into one file, atomically.

    Args:
        model: a built model.
        filepath: ends in `.weights.h5`.
        overwrite: see `save_model`.
        max_shard_size: only None; the weights are written into one file.
        **kwargs: none is known.

    Raises:
        SavingError: the file cannot be written.
        NotBuiltError: the model has no weights yet.
    """
    path = Path(filepath)
    if kwargs or max_shard_size is not None:
        raise SavingError(
            "save_weights writes one file; it does not know "
            f"{', '.join([*map(repr, kwargs), *['max_shard_size'][: not kwargs]])}."
        )
    if not path.name.endswith(".weights.h5"):
        raise SavingError(
            f"A file of weights ends in '.weights.h5'; received {str(path)!r}."
        )
    _check_built(model, "saved")
    if not may_write(path, overwrite):
        return
    content = save_state(model)
    with atomic_write(path) as file:
        file.write(content)


def load_weights(
    model: Any,
    filepath: str | PathLike[str],
    skip_mismatch: bool = False,
    **kwargs: Any,
) -> None:
    """Give a model the weights of a file.

    Args:
        model: a built model of the same architecture.
        filepath: a `.weights.h5` or `.keras` file.
        skip_mismatch: leave out, with a warning, the layers that do not fit.
        **kwargs: none is known.

    Raises:
        SavingError: there is no such file, it is damaged, or its weights do not fit;
            the model is then as it was.
        NotBuiltError: the model has no weights yet.
    """
    path = Path(filepath)
    if kwargs:
        raise SavingError(
            f"load_weights does not know {', '.join(map(repr, kwargs))}. Files of "
            "Keras's legacy format must be saved anew with Keras 3."
        )
    _check_built(model, "loaded")
    if path.suffix == ".keras":
        (content,) = read_archive(path, WEIGHTS)
    elif path.name.endswith(".weights.h5"):
        content = _read(path)
    else:
        raise SavingError(
            f"load_weights reads '.weights.h5' and '.keras' files; received "
            f"{str(path)!r}. A legacy '.h5' file must be saved anew with Keras 3."
        )
    load_state(model, content, repr(str(path)), skip_mismatch)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SavingError(
            f"There is no file {str(path)!r}. Check the path; the working folder is "
            f"{str(Path.cwd())!r}."
        ) from None
    except OSError as error:
        raise SavingError(f"{str(path)!r} cannot be read: {error}.") from error


def _check_built(model: Any, what: str) -> None:
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no weights yet that could be {what}. Call it on "
            "data, or build it with an input shape, first."
        )
