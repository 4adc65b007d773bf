"""The tree in the docstring of `errors` is the tree that there is."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from deepneuron import errors


def drawn():
    """{class: (its parent, the built-in that stands beside it)} of the docstring."""
    tree, path = {}, []
    for line in errors.__doc__.splitlines():
        found = re.match(r"    ([│ ├└─]*)([A-Z]\w+)(?: \((\w+)\))?", line)
        if not found:
            continue
        depth = len(found[1]) // 4
        path[depth:] = [found[2]]
        tree[found[2]] = (path[depth - 1] if depth else None, found[3])
    return tree


CLASSES = dict(inspect.getmembers(errors, inspect.isclass))
OURS = {name: cls for name, cls in CLASSES.items() if cls.__module__ == errors.__name__}


def test_the_tree_of_errors_is_the_one_that_is_drawn():
    tree = drawn()
    assert set(tree) == set(OURS)
    for name, (parent, builtin) in tree.items():
        ours = [b.__name__ for b in OURS[name].__bases__ if b.__name__ in OURS]
        others = [b.__name__ for b in OURS[name].__bases__ if b.__name__ not in OURS]
        assert ours == ([parent] if parent else [])
        if parent:
            assert others == ([builtin] if builtin else [])


@pytest.mark.parametrize("name", OURS)
def test_errors_cross_processes(name):
    arguments = ("layer", "dens", ["dense"]) if "UnknownName" in name else ("text",)
    error = OURS[name](*arguments)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is type(error)
    assert str(again) == str(error) != ""


def test_unknown_names_offer_the_nearest_ones():
    error = errors.UnknownNameError("loss", "mae_", ["huber", "mae", "hinge"])
    assert str(error) == "Unknown loss: 'mae_'. Did you mean 'mae'?"
    error = errors.UnknownNameError("loss", "zzz", ["mse", "mae"])
    assert str(error) == "Unknown loss: 'zzz'. Known are: mae, mse."
    assert str(errors.UnknownNameError("layer", 3, [])).endswith("Known are: none.")
