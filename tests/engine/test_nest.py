"""Nested values come apart and together again."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from deepneuron.engine.nest import flatten, map_structure, pack


class Point(NamedTuple):
    x: Any
    y: Any


leaves = st.integers() | st.text(max_size=3) | st.floats(allow_nan=False)
trees = st.recursive(
    leaves | st.none(),
    lambda children: (
        st.lists(children, max_size=3)
        | st.lists(children, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), children, max_size=3)
        | st.builds(Point, children, children)
    ),
    max_leaves=12,
)


@given(trees)
def test_what_was_taken_apart_comes_together(tree: Any) -> None:
    parts, structure = flatten(tree)
    assert pack(structure, parts) == tree
    hash(structure)  # it is part of keys
    assert flatten(pack(structure, parts)) == (parts, structure)


@given(trees)
def test_the_structure_does_not_depend_on_the_leaves(tree: Any) -> None:
    parts, structure = flatten(tree)
    numbers = list(range(len(parts)))
    assert flatten(pack(structure, numbers)) == (numbers, structure)
    assert flatten(map_structure(lambda leaf: [leaf], tree))[0] == parts


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5))
def test_the_order_in_which_a_dictionary_was_filled_does_not_matter(d: Any) -> None:
    assert flatten(dict(reversed(d.items()))) == flatten(d)


def test_kinds_of_containers_are_told_apart() -> None:
    structures = [
        flatten(t)[1] for t in ([1, 2], (1, 2), Point(1, 2), {"a": 1, "b": 2})
    ]
    assert len(set(structures)) == 4
    assert isinstance(map_structure(abs, Point(-1, -2)), Point)
    assert flatten(None) == ([], None)
    assert flatten({"b": None, "a": []}) == ([], flatten({"a": [], "b": None})[1])
