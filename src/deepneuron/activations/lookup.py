"""From a name to an activation function, and back."""

from __future__ import annotations

from typing import Any

from deepneuron import serialization
from deepneuron.activations import (  # noqa: F401 - known by name now
    rectifiers,
    shrinking,
    sigmoids,
    softmaxes,
    softpluses,
)
from deepneuron.activations.gated import hard_silu, silu
from deepneuron.activations.plain import linear
from deepneuron.serialization import classes_of, custom_object_scope, get_from

_MODULE = "keras.activations"
_ALIASES: dict[str, Any] = {"swish": silu, "hard_swish": hard_silu}


def get(identifier: Any) -> Any:
    """The activation function that is meant.

    Args:
        identifier: a name ("relu", "softmax" ...), a configuration, or any function
            `x -> y`, a layer too, which is returned as it is. None means linear.

    Raises:
        UnknownNameError: nothing has that name; the nearest ones are offered.

    >>> float(get("relu")(-2.0)), get(None)(-2.0)
    (0.0, -2.0)
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        name = identifier.get("config")
        if identifier.get("class_name") == "function" and _known(name):
            identifier = name
    return get_from(_MODULE, "activation", identifier, _ALIASES)


def _known(name: Any) -> bool:
    return name in classes_of(_MODULE)


def serialize(activation: Any) -> Any:
    """The bare name of one of our functions; the configuration of anything else.

    >>> serialize(silu)
    'silu'
    """
    name = getattr(activation, "__name__", None)
    if _known(name) and classes_of(_MODULE)[str(name)] is activation:
        return name
    return serialization.serialize(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation function of a name or a configuration.

    Args:
        config: what `serialize` returned.
        custom_objects: names of your own functions.

    >>> deserialize("swish") is silu
    True
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
