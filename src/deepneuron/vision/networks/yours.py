"""Modules of the user: Python files with networks or layers, run because he asked."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType

from deepneuron.errors import ArgumentError


def import_yours(name: str, option: str) -> ModuleType:
    """A module from the current folder, or from wherever Python looks.

    Args:
        name: "my_networks" or "my_networks.py".
        option: how it was named, for the error.

    Raises:
        ArgumentError: there is no such module, or it fails.
    """
    name = name.removesuffix(".py")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in (name, name.split(".", maxsplit=1)[0]):
            raise ArgumentError(f"{name}.py could not be imported: {error}.") from error
        raise ArgumentError(
            f"There is no module {name!r}, neither in {here} nor on Python's path, for "
            f"{option}."
        ) from error
    except Exception as error:
        raise ArgumentError(
            f"The module {name!r} could not be imported: {type(error).__name__}: "
            f"{error}"
        ) from error
    finally:
        sys.path.remove(here)


def know_classes_of(name: str) -> None:
    """Import a module, and let model files name the classes and functions in it.

    A model file is data: it says which layers it needs, and never brings their code.

    Raises:
        ArgumentError: there is no such module, or it fails.
    """
    from deepneuron.saving import get_custom_objects

    module = import_yours(name, f"--import {name}")
    own = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) or inspect.isfunction(value)
        if value.__module__ == module.__name__
    }
    get_custom_objects().update(own)
