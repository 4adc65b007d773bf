"""From a name or a configuration to a regularizer, and back."""

from __future__ import annotations

from typing import Any

from deepneuron import serialization
from deepneuron.naming import to_snake_case
from deepneuron.regularizers import l1_l2, orthogonal  # noqa: F401 - known by name now
from deepneuron.serialization import classes_of, custom_object_scope, get_from

_MODULE = "keras.regularizers"
_ALIASES: dict[str, Any] = {
    **{to_snake_case(name): cls for name, cls in classes_of(_MODULE).items()},
    "l1_l2": l1_l2.L1L2,
}


def get(identifier: Any) -> Any:
    """The regularizer that is meant.

    Args:
        identifier: a name ("l2", "L1L2" ...), a configuration, a class, or any function
            `weight -> penalty`, which is returned as it is.

    Raises:
        UnknownNameError: nothing has that name; the nearest ones are offered.

    >>> get("l2").l2
    0.01
    """
    if isinstance(identifier, dict):
        identifier = {"module": _MODULE, **identifier}
    return get_from(_MODULE, "regularizer", identifier, _ALIASES)


def serialize(regularizer: Any) -> Any:
    """The configuration of a regularizer, as plain data.

    >>> serialize(get("l2"))["config"]
    {'l2': 0.01}
    """
    return serialization.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a configuration.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: names of your own classes.

    >>> deserialize({"class_name": "L1", "config": {"l1": 0.5}}).l1
    0.5
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
