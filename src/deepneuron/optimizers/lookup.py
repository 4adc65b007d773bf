"""From a name or a configuration to an optimizer, and back."""

from __future__ import annotations

from typing import Any

from deepneuron import serialization
from deepneuron.errors import ArgumentError
from deepneuron.optimizers import (  # noqa: F401 - known by name now
    adadelta,
    adagrad,
    adam,
    adamax,
    adamw,
    lion,
    nadam,
    rmsprop,
    sgd,
)
from deepneuron.optimizers.optimizer import Optimizer
from deepneuron.serialization import classes_of, custom_object_scope, get_from

_MODULE = "keras.optimizers"
_ALIASES: dict[str, Any] = {
    name.lower(): cls for name, cls in classes_of(_MODULE).items()
}


def get(identifier: Any) -> Any:
    """The optimizer that is meant.

    Args:
        identifier: a name ("adam", "SGD" ...), a configuration, or an optimizer, which
            is returned as it is.

    Raises:
        UnknownNameError: nothing has that name; the nearest ones are offered.
        ArgumentError: it means no optimizer.

    >>> float(get("sgd").learning_rate)
    0.009999999776482582
    """
    if isinstance(identifier, str) and identifier.lower() in _ALIASES:
        identifier = _ALIASES[identifier.lower()]
    if isinstance(identifier, dict):
        name = str(identifier.get("class_name"))
        known = _ALIASES.get(name.lower())
        right = known.__name__ if known else name
        identifier = {
            "module": _MODULE,
            "config": {},
            **identifier,
            "class_name": right,
        }
    found = get_from(_MODULE, "optimizer", identifier, _ALIASES)
    if found is None or isinstance(found, Optimizer):
        return found
    raise ArgumentError(
        f"Could not interpret optimizer identifier: {identifier!r}. Pass a name, "
        'such as "adam", or an Optimizer.'
    )


def serialize(optimizer: Any) -> Any:
    """The configuration of an optimizer, as plain data.

    >>> serialize(get("adam"))["class_name"]
    'Adam'
    """
    return serialization.serialize(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a configuration.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: names of your own classes.

    >>> deserialize({"class_name": "SGD", "config": {"momentum": 0.9}}).momentum
    0.9
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
