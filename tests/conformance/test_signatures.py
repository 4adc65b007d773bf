"""Every public name that Keras has, too: the same arguments, order and defaults."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

import deepneuron as dn
from tests.peers import keras

PACKAGES = [
    "activations", "callbacks", "config", "constraints", "datasets.fashion_mnist",
    "datasets.mnist", "initializers", "layers", "losses", "metrics", "models", "ops",
    "ops.image", "optimizers", "optimizers.schedules", "random", "regularizers",
    "saving", "utils",
]  # fmt: skip

METHODS = {
    "Model": [
        "compile", "compute_loss", "compute_metrics", "count_params", "evaluate",
        "export", "fit", "get_layer", "get_weights", "load_weights", "predict",
        "predict_on_batch", "reset_metrics", "save", "save_weights", "set_weights",
        "summary", "test_on_batch", "to_json", "train_on_batch",
    ],
    "Sequential": ["add", "pop", "fit", "evaluate", "predict"],
    "Layer": ["add_loss", "count_params", "get_weights", "set_weights"],
    "Optimizer": ["apply", "apply_gradients", "exclude_from_weight_decay"],
    "Metric": ["add_variable", "add_weight", "reset_state", "result", "update_state"],
    "Loss": ["__call__", "call"],
}  # fmt: skip

# Where ours differs on purpose.
EXCEPTIONS = {
    "SeedGenerator": "Keras's **kwargs are for its own subclasses",
    "plot_model": "drawn with matplotlib: Graphviz's splines do not exist",
}


def find(root, path):
    for part in path.split("."):
        root = getattr(root, part)
    return root


def parameters(function):
    """(name, kind, default) of each; a default that is no plain value counts as one."""
    plain = (bool, int, float, str, tuple, type(None))
    return [
        (p.name, p.kind, p.default if isinstance(p.default, plain) else type(p.default))
        for p in inspect.signature(function).parameters.values()
        if p.name != "self"
    ]


def test_arguments_and_defaults_are_those_of_keras():
    compared, wrong = 0, []
    for path in PACKAGES:
        theirs, ours = find(keras(), path), find(dn, path)
        for name in dir(ours):
            theirs_one = getattr(theirs, name, None)
            if name.startswith("_") or theirs_one is None or name in EXCEPTIONS:
                continue
            if isinstance(theirs_one, ModuleType) or not callable(theirs_one):
                continue
            if inspect.isclass(theirs_one):
                theirs_one = theirs_one.__init__
            ours_one = getattr(ours, name)
            ours_one = ours_one.__init__ if inspect.isclass(ours_one) else ours_one
            compared += 1
            if parameters(theirs_one) != parameters(ours_one):
                wrong.append((path, name, parameters(theirs_one), parameters(ours_one)))
    assert wrong == []
    assert compared > 400


@pytest.mark.parametrize("name", METHODS)
def test_methods_take_what_those_of_keras_take(name):
    theirs, ours = getattr(keras(), name), getattr(dn, name)
    for method in METHODS[name]:
        if f"{name}.{method}" not in EXCEPTIONS:
            expected = parameters(getattr(theirs, method))
            assert parameters(getattr(ours, method)) == expected, method


def test_no_exception_is_left_over():
    """An exception that holds no more hides the next difference."""
    for name in EXCEPTIONS:
        if "." in name:
            theirs, ours = find(keras(), name), find(dn, name)
        else:
            places = [p for p in PACKAGES if hasattr(find(dn, p), name)]
            theirs, ours = (
                getattr(find(root, places[0]), name) for root in (keras(), dn)
            )
        theirs, ours = (f.__init__ if inspect.isclass(f) else f for f in (theirs, ours))
        assert parameters(theirs) != parameters(ours), name
