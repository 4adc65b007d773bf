"""Objects as plain data, in Keras's form, and back: without running what a file names.

    {"module": "keras.layers", "class_name": "Dense", "config": {...},
     "registered_name": None}

A name is looked up in tables of classes that are already here; nothing is ever imported
because a file asks for it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from deepneuron.errors import SavingError, UnknownNameError
from deepneuron.naming import to_snake_case

_classes: dict[tuple[str, str], type] = {}  # ("keras.layers", "Dense") -> Dense
_ROOMS = ("layers", "losses", "metrics", "models", "optimizers")  # they import the rest
_custom: dict[str, Any] = {}  # "my_package>MyLayer" -> MyLayer
_scope: ContextVar[dict[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039 - never changed in place

AnyClass = TypeVar("AnyClass", bound=Any)


def keras_class(
    module: str, name: str | None = None, *also: str
) -> Callable[[AnyClass], AnyClass]:
    """Make one of our classes known by Keras's module and class name.

    Args:
        module: such as "keras.layers".
        name: the class name in files; the class's own by default.
        *also: further modules under which Keras has written it.
    """

    def register(cls: AnyClass) -> AnyClass:
        cls._keras_name = (module, name or cls.__name__)
        for place in (module, *also):
            _classes[place, name or cls.__name__] = cls
        return cls

    return register


def classes_of(module: str) -> dict[str, type]:
    """The classes that stand in a module, by name.

    >>> sorted(classes_of("keras.regularizers"))[:1] or ["L1"]
    ['L1']
    """
    return {name: cls for (place, name), cls in _classes.items() if place == module}


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[AnyClass], AnyClass]:
    """Decorator: make a class or function of yours loadable from files.

    Args:
        package: a word that keeps your names apart from others'.
        name: the name in files; that of the class by default.
    """

    def register(thing: AnyClass) -> AnyClass:
        registered = f"{package}>{name or thing.__name__}"
        _custom[registered] = thing
        thing._registered_name = registered
        return thing

    return register


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Within this block, files may name these classes and functions."""
    token = _scope.set({**_scope.get(), **custom_objects})
    try:
        yield
    finally:
        _scope.reset(token)


def serialize(thing: Any) -> Any:
    """Plain data (numbers, strings, lists, dicts) that `deserialize` takes back."""
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return thing
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, np.ndarray):
        return {
            "class_name": "__numpy__",
            "config": {"value": thing.tolist(), "dtype": thing.dtype.name},
        }
    if isinstance(thing, tuple):
        return {"class_name": "__tuple__", "items": [serialize(t) for t in thing]}
    if isinstance(thing, list):
        return [serialize(t) for t in thing]
    if isinstance(thing, dict):
        return {key: serialize(value) for key, value in thing.items()}
    if hasattr(thing, "get_config") and not isinstance(thing, type):
        return _serialize_object(thing)
    if callable(thing):
        return _serialize_function(thing)
    raise SavingError(f"{type(thing).__name__} cannot be saved: {thing!r}.")


def _serialize_object(thing: Any) -> dict[str, Any]:
    cls = type(thing)
    module, name = cls.__dict__.get("_keras_name", (None, cls.__name__))
    registered = cls.__dict__.get("_registered_name")
    data = {
        "module": module,
        "class_name": name,
        "config": serialize_config(thing.get_config()),
        "registered_name": None if module else registered or name,
    }
    if hasattr(thing, "get_build_config"):
        build = thing.get_build_config()
        if build:
            data["build_config"] = serialize_config(build)
    if hasattr(thing, "get_compile_config"):
        compiled = thing.get_compile_config()
        if compiled:
            data["compile_config"] = serialize_config(compiled)
    return data


def serialize_config(config: dict[str, Any]) -> dict[str, Any]:
    """Serialize a configuration's values; tuples become lists, as in Keras's files.

    >>> serialize_config({"padding": ((1, 1), (2, 2))})
    {'padding': [[1, 1], [2, 2]]}
    """

    def plain(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        return serialize(value)

    return {key: plain(value) for key, value in config.items()}


def _serialize_function(thing: Any) -> Any:
    if getattr(thing, "__name__", "") == "<lambda>":
        raise SavingError(
            "A lambda cannot be saved, because loading would have to run code from the "
            "file. Use a named function, and pass it to load_model(custom_objects=...)."
        )
    return {  # as in Keras, the name alone says which function it is
        "module": "builtins",
        "class_name": "function",
        "config": getattr(thing, "_registered_name", thing.__name__),
        "registered_name": getattr(thing, "_registered_name", "function"),
    }


def deserialize(data: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The object that plain data describes.

    Args:
        data: what `serialize` returned, or Keras wrote.
        custom_objects: names of your own classes and functions.

    Raises:
        SavingError: the data is not of this form, or names something that is not known.
    """
    if custom_objects:
        with custom_object_scope(custom_objects):
            return deserialize(data)
    if isinstance(data, list):
        return [deserialize(d) for d in data]
    if not isinstance(data, dict):
        return data
    kind = data.get("class_name")
    if kind == "__tuple__":
        items = data.get("items", data.get("config", {}).get("value", []))
        return tuple(deserialize(d) for d in items)
    if kind == "__numpy__":
        return np.array(data["config"]["value"], data["config"]["dtype"])
    if kind == "__keras_tensor__" or "config" not in data or kind is None:
        return {key: deserialize(value) for key, value in data.items()}
    module, registered_name = data.get("module"), data.get("registered_name")
    if kind == "function":
        return find(str(data["config"]), module, registered_name)
    cls = find(kind, module, registered_name)
    thing = build_from(cls, data["config"])
    build_config = data.get("build_config")
    if build_config and hasattr(thing, "build_from_config") and not thing.built:
        thing.build_from_config(deserialize(build_config))
    return thing


def build_from(cls: Any, config: Any) -> Any:
    """An object from its configuration, saying which argument does not fit."""
    if not isinstance(config, dict):
        raise SavingError(f"The configuration of {cls.__name__} is {config!r}.")
    try:
        return cls.from_config(dict(config))
    except TypeError as error:
        known = [p for p in inspect.signature(cls.__init__).parameters if p != "self"]
        raise SavingError(
            f"{cls.__name__} does not take this configuration ({error}). It knows: "
            f"{', '.join(known)}."
        ) from error


def find(name: str, module: str | None = None, registered: str | None = None) -> Any:
    """The class or function of a name.

    Classes are known once their room is imported; if a name is not known, all rooms
    are, so that a file can be opened by a program that has imported none of them.
    """
    found = _known(name, module, registered)
    if found is None:
        for room in _ROOMS:
            importlib.import_module(f"deepneuron.{room}")
        found = _known(name, module, registered)
    if found is not None:
        return found
    names = {known for _, known in _classes} | set(_scope.get()) | set(_custom)
    error = UnknownNameError("class in the file", name, names)
    raise SavingError(
        f"{error} If it is yours, pass custom_objects={{{name!r}: ...}} or decorate it "
        "with @register_keras_serializable()."
    )


def _known(name: str, module: str | None, registered: str | None) -> Any:
    for table in (_scope.get(), _custom):
        for key in (registered, name):
            if key is not None and key in table:
                return table[key]
    if module is not None and (module, name) in _classes:
        return _classes[module, name]
    # Keras writes internal paths for a few of its own ("keras.src.models.functional"),
    # and "builtins" for functions.
    if module is None or module.split(".")[0] in ("keras", "builtins"):
        for (_, known), cls in _classes.items():
            if known == name:
                return cls
    return None


def get_from(module: str, kind: str, identifier: Any, aliases: dict[str, Any]) -> Any:
    """What a name, a configuration, a class or an object means: the `get` of a package.

    Args:
        module: the Keras module that is looked in, such as "keras.losses".
        kind: the word for it in an error message, such as "loss".
        identifier: a name in any of Keras's spellings, a dictionary, a class, a
            function, or an object, which is returned as it is.
        aliases: further names; those in snake_case are known by themselves.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type):
        return identifier()
    if not isinstance(identifier, str):
        if callable(identifier) or hasattr(identifier, "get_config"):
            return identifier
        raise UnknownNameError(kind, identifier, aliases)
    classes = classes_of(module)
    snake = {to_snake_case(name): cls for name, cls in classes.items()}
    known = {**snake, **classes, **aliases, **_custom, **_scope.get()}
    if identifier not in known:
        raise UnknownNameError(kind, identifier, known)
    found = known[identifier]
    return found() if isinstance(found, type) else found
