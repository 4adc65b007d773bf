"""What a class or function takes, as its signature says."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

signature = lru_cache(maxsize=4096)(inspect.signature)


def parameters(cls: type) -> list[str]:
    """The arguments that a class and its bases take, in `__init__`."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" in base.__dict__:
            kinds = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
            names |= {
                p.name: None
                for p in kinds
                if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
            }
            if all(p.kind is not p.VAR_KEYWORD for p in kinds):
                break
    return [name for name in names if name != "self"]


def bound_arguments(cls: type, args: Any, kwargs: Any) -> dict[str, Any]:
    """{argument of `__init__`: what it is given}; nothing if it cannot be called so."""
    try:
        bound = signature(cls.__init__).bind(None, *args, **kwargs)  # type: ignore[misc]
    except TypeError:
        return {}  # __init__ will say it better
    values = dict(list(bound.arguments.items())[1:])
    for name, parameter in signature(cls.__init__).parameters.items():  # type: ignore[misc]
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(values.pop(name, {}))
        elif parameter.kind is parameter.VAR_POSITIONAL:
            values.pop(name, None)
    return values
