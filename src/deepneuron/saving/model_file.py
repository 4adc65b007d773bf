"""A whole model in one file: Keras's v3 format, `.keras`."""

from __future__ import annotations

import json
import warnings
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from deepneuron._version import __version__
from deepneuron.errors import SavingError
from deepneuron.layers.layer import Layer
from deepneuron.saving.archive import (
    CONFIG,
    METADATA,
    WEIGHTS,
    read_archive,
    write_archive,
)
from deepneuron.saving.atomic import atomic_write
from deepneuron.saving.overwrite import may_write
from deepneuron.saving.state import load_state, save_state
from deepneuron.serialization import custom_object_scope, deserialize, serialize

_FORMAT_OF = "3.15.1"  # the version of Keras that files are checked against


def save_model(
    model: Any,
    filepath: str | PathLike[str],
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Write architecture, weights and optimizer into one file that Keras reads as well.

    The file appears whole or not at all: an older one survives any failure.

    Args:
        model: a built model.
        filepath: ends in `.keras`.
        overwrite: False to be asked before a file is replaced; without a terminal to
            ask on, that is an error.
        zipped: None or True, the form of the file.
        **kwargs: `include_optimizer`, accepted as in Keras; no other.

    Raises:
        SavingError: the file cannot be written, or the model holds what no file can.

    >>> import tempfile
    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((3,)), dn.layers.Dense(2)])
    >>> path = Path(tempfile.mkdtemp()) / "model.keras"
    >>> save_model(model, path)
    >>> load_model(path).count_params()
    8
    """
    kwargs.pop("include_optimizer", None)
    if kwargs:
        raise SavingError(f"save_model does not know {', '.join(map(repr, kwargs))}.")
    _check_model(model)
    path = Path(filepath)
    _check_name(path, "saving")
    if zipped is False:
        raise SavingError(
            "zipped=False would write a folder, which cannot be replaced in one go. "
            "deepneuron writes one file: leave zipped as None."
        )
    if not may_write(path, overwrite):
        return
    if not model.built:
        warnings.warn(
            f"Model {model.name!r} has not been built, so the file will hold no "
            "weights. Call it on data, or build it, before saving.",
            stacklevel=2,
        )
    members: dict[str, bytes | memoryview] = {
        METADATA: _to_json(_metadata(), model),
        CONFIG: _to_json(serialize(model), model),
        WEIGHTS: save_state(model),
    }
    with atomic_write(path) as file:
        write_archive(file, members)


def load_model(
    filepath: str | PathLike[str],
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """The model in a `.keras` file, whether deepneuron or Keras has written it.

    Nothing that the file contains is run, and nothing that it names is imported:
    classes are those of deepneuron, those registered with
    `register_keras_serializable`, and those in `custom_objects`.

    Args:
        filepath: ends in `.keras`; or the folder that such a file was unzipped into.
        custom_objects: {name: class or function} of your own.
        compile: whether to compile the model as it was, with the optimizer's state.
        safe_mode: accepted as in Keras. False does not make loading unsafe either.

    Returns:
        The model.

    Raises:
        SavingError: there is no such file, it is damaged or of another kind, it names
            an unknown class, or its weights do not fit its layers.
    """
    path = Path(filepath)
    if not path.is_dir():
        _check_name(path, "loading")
    text, weights = read_archive(path, CONFIG, WEIGHTS)
    config = _parse(text, path)
    with custom_object_scope(custom_objects or {}):
        model = _model_from(config, compile, path)
        load_state(model, weights, repr(str(path)))
    return model


def _model_from(config: dict[str, Any], compile: bool, path: Path) -> Any:
    compiled = config.pop("compile_config", None)
    try:
        model = deserialize(config)
    except SavingError as error:
        raise SavingError(f"{str(path)!r} cannot be loaded: {error}") from error
    except Exception as error:
        raise SavingError(
            f"{str(path)!r} describes a model that cannot be made: {_say(error)}"
        ) from error
    if not isinstance(model, Layer) or not hasattr(model, "compile_from_config"):
        raise SavingError(
            f"{str(path)!r} describes a {type(model).__name__}, not a model."
        )
    if compile and compiled:
        try:
            model.compile_from_config(compiled)
        except Exception as error:
            raise SavingError(
                f"{str(path)!r}: the model cannot be compiled as it was: {_say(error)} "
                "Pass what is missing in custom_objects, or compile=False."
            ) from error
    return model


def _say(error: Exception) -> str:
    text = str(error) if isinstance(error, ValueError) else repr(error)
    return text if text.endswith(".") else f"{text}."


def _metadata() -> dict[str, str]:
    now = datetime.now().astimezone()
    return {
        "keras_version": _FORMAT_OF,
        "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
        "deepneuron_version": __version__,
    }


def _to_json(data: Any, model: Any) -> bytes:
    try:
        return json.dumps(data).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise SavingError(
            f"Model {model.name!r} cannot be described as JSON ({error}). Let "
            "get_config return numbers, strings, lists and dictionaries."
        ) from error


def _parse(text: bytes, path: Path) -> dict[str, Any]:
    try:
        config = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SavingError(
            f"{str(path)!r}: {CONFIG} is not JSON ({error}). The file is damaged, "
            "or no model in Keras's v3 format."
        ) from error
    if not isinstance(config, dict) or not {"class_name", "config"} <= set(config):
        raise SavingError(f"{str(path)!r}: {CONFIG} does not describe a model.")
    _refuse_code(config, path)
    return config


def _refuse_code(config: Any, path: Path) -> None:
    """Keras keeps lambdas as marshalled byte code. It is never run here."""
    waiting = [config]
    while waiting:
        data = waiting.pop()
        if isinstance(data, dict):
            if data.get("class_name") == "__lambda__":
                raise SavingError(
                    f"{str(path)!r} contains a lambda as compiled Python code, which "
                    "deepneuron never runs. Put a named function or a layer of your "
                    "own in its place, save the model again, and load it with "
                    "custom_objects={name: function}."
                )
            waiting.extend(data.values())
        elif isinstance(data, list):
            waiting.extend(data)


def _check_model(model: Any) -> None:
    if not isinstance(model, Layer) or not hasattr(model, "compile_from_config"):
        raise SavingError(
            f"save_model takes a model; it received a {type(model).__name__}."
        )


def _check_name(path: Path, task: str) -> None:
    if path.suffix == ".keras":
        return
    advice = 'Name it "model.keras".'
    if path.name.endswith(".weights.h5"):
        advice = "For weights alone, use model.save_weights and model.load_weights."
    elif path.suffix in (".h5", ".hdf5") and task == "loading":
        advice = (
            "This is Keras's legacy format; load it with Keras and save it again with "
            'model.save("model.keras").'
        )
    elif path.suffix in (".h5", ".hdf5"):
        advice = 'Keras\'s legacy format is not written. Name it "model.keras".'
    elif task == "loading" and not path.exists():
        advice = f"Nor is there such a file or folder. {advice}"
    raise SavingError(
        f"A model file ends in '.keras'; {task} received {str(path)!r}. {advice}"
    )
