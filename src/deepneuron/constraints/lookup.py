"""From a name or a configuration to a constraint, and back."""

from __future__ import annotations

from typing import Any

from deepneuron import serialization
from deepneuron.constraints import max_norm, min_max_norm, non_neg, unit_norm  # noqa: F401 - known by name now
from deepneuron.naming import to_snake_case
from deepneuron.serialization import classes_of, custom_object_scope, get_from

_MODULE = "keras.constraints"
_ALIASES: dict[str, Any] = {
    to_snake_case(name): cls for name, cls in classes_of(_MODULE).items()
}


def get(identifier: Any) -> Any:
    """The constraint that is meant.

    Args:
        identifier: a name ("max_norm", "MaxNorm" ...), a configuration, a class, or any
            function `weight -> weight`, which is returned as it is.

    Raises:
        UnknownNameError: nothing has that name; the nearest ones are offered.

    >>> get("max_norm").max_value
    2
    """
    if isinstance(identifier, dict):
        identifier = {"module": _MODULE, **identifier}
    return get_from(_MODULE, "constraint", identifier, _ALIASES)


def serialize(constraint: Any) -> Any:
    """The configuration of a constraint, as plain data.

    >>> serialize(get("unit_norm"))["config"]
    {'axis': 0}
    """
    return serialization.serialize(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a configuration.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: names of your own classes.

    >>> deserialize({"class_name": "UnitNorm", "config": {"axis": 1}}).axis
    1
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
