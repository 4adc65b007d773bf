"""Your own classes and functions in files: Keras's names for `serialization`."""

from __future__ import annotations

from typing import Any, Self

from deepneuron import serialization
from deepneuron.serialization import custom_object_scope, register_keras_serializable


class CustomObjectScope:
    """Within this block, files may name these classes and functions.

    Args:
        custom_objects: {name: class or function}.

    >>> def double(x):
    ...     return 2 * x
    >>> with CustomObjectScope({"double": double}):
    ...     deserialize_keras_object(serialize_keras_object(double)) is double
    True
    """

    def __init__(self, custom_objects: dict[str, Any]) -> None:
        self.custom_objects = custom_objects or {}
        self._entered: list[Any] = []

    def __enter__(self) -> Self:
        scope = custom_object_scope(self.custom_objects)
        scope.__enter__()
        self._entered.append(scope)
        return self

    def __exit__(self, *error: object) -> None:
        self._entered.pop().__exit__(*error)


def get_custom_objects() -> dict[str, Any]:
    """The table of registered classes and functions; what is put into it is known."""
    return serialization._custom


def get_registered_name(obj: Any) -> str:
    """The name under which files know a class or function.

    >>> @register_keras_serializable("shop")
    ... class Scale: ...
    >>> get_registered_name(Scale)
    'shop>Scale'
    """
    return str(getattr(obj, "_registered_name", None) or obj.__name__)


def get_registered_object(
    name: str,
    custom_objects: dict[str, Any] | None = None,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """The class or function of a registered name, or None.

    Args:
        name: such as "shop>Scale".
        custom_objects: a further table to look in.
        module_objects: another one.
    """
    tables = (serialization._scope.get(), serialization._custom)
    for table in (*tables, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


def serialize_keras_object(obj: Any) -> Any:
    """Plain data that describes an object; `deserialize_keras_object` takes it back.

    Args:
        obj: a layer, optimizer, loss ..., a named function, or plain data.

    Raises:
        SavingError: it cannot be described, such as a lambda.

    >>> serialize_keras_object((1, 2))
    {'class_name': '__tuple__', 'items': [1, 2]}
    """
    return serialization.serialize(obj)


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """The object that plain data describes. Nothing is imported for it, or run.

    Args:
        config: what `serialize_keras_object` returned.
        custom_objects: {name: class or function} of your own.
        safe_mode: accepted as in Keras; loading is safe in any case.
        **kwargs: accepted as in Keras.

    Raises:
        SavingError: it names something unknown.
    """
    return serialization.deserialize(config, custom_objects)


__all__ = [
    "CustomObjectScope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "serialize_keras_object",
]
