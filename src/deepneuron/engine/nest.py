"""Lists, tuples and dictionaries of values, taken apart and put together again.

>>> leaves, structure = flatten({"b": 2, "a": [1, 3]})
>>> leaves
[1, 3, 2]
>>> pack(structure, [10, 30, 20])
{'a': [10, 30], 'b': 20}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_LEAF = "leaf"  # the structure of anything that is not a container


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """The leaves from left to right (dictionaries by sorted key), and the structure.

    The structure is hashable: it may be part of a cache key.
    """
    leaves: list[Any] = []
    return leaves, _walk(tree, leaves)


def _walk(tree: Any, leaves: list[Any]) -> Any:
    if isinstance(tree, dict):
        keys = sorted(tree, key=str)
        return (dict, tuple((k, _walk(tree[k], leaves)) for k in keys))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):  # a named tuple
        return (type(tree), tuple(_walk(t, leaves) for t in tree))
    if isinstance(tree, (list, tuple)):
        kind = tuple if isinstance(tree, tuple) else list
        return (kind, tuple(_walk(t, leaves) for t in tree))
    if tree is None:
        return None
    leaves.append(tree)
    return _LEAF


def pack(structure: Any, leaves: list[Any]) -> Any:
    """Put leaves back into a structure that `flatten` returned."""
    return _build(structure, iter(leaves))


def _build(structure: Any, leaves: Any) -> Any:
    if structure is None:
        return None
    if structure == _LEAF:
        return next(leaves)
    kind, parts = structure
    if kind is dict:
        return {key: _build(part, leaves) for key, part in parts}
    items = [_build(part, leaves) for part in parts]
    return kind(*items) if hasattr(kind, "_fields") else kind(items)


def map_structure(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to every leaf.

    >>> map_structure(lambda x: 2 * x, (1, {"a": 3}))
    (2, {'a': 6})
    """
    leaves, structure = flatten(tree)
    return pack(structure, [function(leaf) for leaf in leaves])
