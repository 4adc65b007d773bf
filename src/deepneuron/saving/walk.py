"""Who has state in a model, and under which path Keras files it.

    layers/<class>[_n]      the layers of a model, numbered within their class
    <attribute>             what a layer or model of yours keeps in an attribute
    <attribute>/<class>     ... and in a list or dictionary there
    optimizer

The path does not use the layers' names: those that nobody chose differ from run to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from deepneuron.layers.layer import Layer
from deepneuron.naming import to_snake_case

_CONTAINERS = (list, tuple, dict)
_SEEN_ELSEWHERE = {"_stack"}  # where Sequential keeps its layers


def stateful(model: Any) -> Iterator[tuple[str, Any]]:
    """(path, object) for the model, its layers and optimizer; each object once.

    Args:
        model: a Layer (usually a model).
    """
    yield from _visit(model, "", set())


def _visit(thing: Any, path: str, met: set[int]) -> Iterator[tuple[str, Any]]:
    if id(thing) in met:
        return
    met.add(id(thing))
    yield path, thing
    for attribute, value in _attributes(thing):
        place = f"{path}/{attribute}" if path else attribute
        if _has_state(value):
            yield from _visit(value, place, met)
        elif isinstance(value, _CONTAINERS):
            yield from _visit_container(value, place, met, set())


def _visit_container(
    container: Any, path: str, met: set[int], opened: set[int]
) -> Iterator[tuple[str, Any]]:
    if id(container) in opened:
        return
    opened.add(id(container))
    used: Counter[str] = Counter()
    for value in container.values() if isinstance(container, dict) else container:
        if _has_state(value):
            place = f"{path}/{_numbered(to_snake_case(type(value).__name__), used)}"
            yield from _visit(value, place, met)
        elif isinstance(value, _CONTAINERS):
            place = f"{path}/{_numbered('container', used)}"
            yield from _visit_container(value, place, met, opened)


def _numbered(name: str, used: Counter[str]) -> str:
    used[name] += 1
    return f"{name}_{used[name] - 1}" if used[name] > 1 else name


def _has_state(value: Any) -> bool:
    return hasattr(value, "save_own_variables") and not isinstance(value, type)


def _attributes(thing: Any) -> Iterator[tuple[str, Any]]:
    """By name, private ones last, as in Keras; a functional model's layers first."""
    if not isinstance(thing, Layer):
        return
    ours = {"layers", "optimizer"} & set(dir(thing))
    if getattr(thing, "_network", None) is not None:
        yield "layers", thing.layers  # type: ignore[attr-defined]  # it is a model
        ours -= {"layers"}
    for name in sorted(ours | _names(thing), key=lambda n: (n.startswith("_"), n)):
        try:
            yield name, getattr(thing, name)
        except Exception:  # noqa: BLE001, S112 - a property that has no value now
            continue


def _names(layer: Layer) -> set[str]:
    """The attributes that a user's class adds to those that every layer has."""
    names = set(vars(layer)) - layer._not_tracked - _SEEN_ELSEWHERE
    for cls in type(layer).__mro__:
        if cls.__module__.split(".")[0] not in ("deepneuron", "builtins"):
            names |= set(vars(cls)) - _every_layer_has()
    return {name for name in names if not name.startswith("__")}


@cache
def _every_layer_has() -> frozenset[str]:
    return frozenset(dir(Layer(name="any")))
