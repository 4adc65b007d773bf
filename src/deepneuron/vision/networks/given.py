"""Networks that the user brings: a trained one in a file, or a function that makes one.

path/to/model.keras   loaded, its end replaced if it has other classes
module:function       function((height, width, channels), classes) -> model
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepneuron import layers
from deepneuron.data.decode import Shape
from deepneuron.errors import ArgumentError
from deepneuron.models import Model, load_model
from deepneuron.vision.networks.fine_tune import leaves
from deepneuron.vision.networks.yours import import_yours

_TOLERANCE = 1e-3  # how far the sum of probabilities may be from 1


@dataclass(frozen=True)
class Given:
    """A trained network that fits the pictures.

    Attributes:
        model: not compiled; all of its layers learn.
        notes: sentences on what was changed, and on what cannot be known.
    """

    model: Any
    notes: tuple[str, ...]


# ------------------------------------------------------------------ model.keras


def given_shape(path: str | os.PathLike[str]) -> tuple[int | None, ...]:
    """(height, width, channels) that the model in a file takes; None where any will do.

    Raises:
        ArgumentError: it takes no pictures.
        SavingError: the file is no model.
    """
    return _shape_of(load_model(path, compile=False), os.fspath(path))


def load_given(path: str | os.PathLike[str], shape: Shape, classes: int) -> Given:
    """The model in a file, made to fit: pictures in, a probability for each class out.

    If its last Dense layer has another number of units, or no softmax, a new layer
    takes its place. Whoever has trained it may have divided pixels by 255 outside of
    the model; this cannot be seen, so it is only noted.

    Args:
        path: of a `.keras` file, of deepneuron or Keras.
        shape: (height, width, channels) of the pictures, from 0 to 255.
        classes: how many kinds there are.

    Raises:
        ArgumentError: it takes other pictures, or its end cannot be replaced.
        SavingError: the file is no model.
    """
    name = os.fspath(path)
    model = load_model(path, compile=False)
    wanted = _shape_of(model, name)
    if any(w not in (None, n) for w, n in zip(wanted, shape, strict=True)):
        raise ArgumentError(
            f"{name} takes pictures of {_times(wanted)} (height x width x channels), "
            f"and these are of {_times(shape)}; leave out --size, or choose another "
            "model."
        )
    notes = []
    model, note = _with_classes(model, classes, name)
    if note:
        notes.append(note)
    if not _scales_pixels(model):
        notes.append(
            "It does not begin with Rescaling or Normalization, so it is given pixels "
            "from 0 to 255 as they are; if it was trained on other ones, put the layer "
            "that makes them first."
        )
    _thaw(model)
    return Given(model, tuple(notes))


def _thaw(layer: Any) -> None:
    """Let a layer and all within it learn."""
    layer.trainable = True
    for part in getattr(layer, "layers", ()):
        _thaw(part)


def _shape_of(model: Any, name: str) -> tuple[int | None, ...]:
    if getattr(model, "_network", None) is None:
        raise ArgumentError(
            f"{name} does not say which input it takes; save a Sequential that begins "
            "with Input(shape), or Model(inputs, outputs)."
        )
    shapes = [tuple(x.shape)[1:] for x in model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 3:
        raise ArgumentError(
            f"{name} takes no pictures: one input of (height, width, channels) is "
            f"needed, and it has {' and '.join(map(str, shapes))}."
        )
    return shapes[0]


def _with_classes(model: Any, classes: int, name: str) -> tuple[Any, str]:
    """The model with one probability for each class, and what was done to it."""
    if model.output_names and len(model.outputs) != 1:
        raise ArgumentError(
            f"{name} has {len(model.outputs)} outputs; a classifier has one."
        )
    units = tuple(model.output_shape)[1:]
    if units == (classes,) and _gives_probabilities(model):
        return model, ""
    head = _last_dense(model)
    if head is None:
        raise ArgumentError(
            f"{name} has outputs of shape {units}, and {classes} probabilities are "
            "needed. Only a Dense layer at its end, followed by nothing but its "
            "activation, could be replaced."
        )
    if units == (classes,) and _is_linear(head) and model.output is head.output:
        probabilities = layers.Softmax(name=_free_name(model, "probabilities"))
        return (
            Model(model.inputs[0], probabilities(model.output), name=model.name),
            "A softmax was put behind its last layer, which has none.",
        )
    new = layers.Dense(classes, activation="softmax", name=_free_name(model, "classes"))
    return (
        Model(model.inputs[0], new(head.input), name=model.name),
        f"Its last layer ({head.units} outputs) was replaced by a new one ({classes}).",
    )


def _last_dense(model: Any) -> Any:
    """The Dense layer at the end, if only activations come after it."""
    node = model.outputs[0].node
    while node is not None:
        layer = node.op
        if isinstance(layer, layers.Dense):
            return layer
        plain = isinstance(layer, (layers.Activation, layers.Softmax, layers.Dropout))
        if not plain or len(node.inputs) != 1:
            return None
        node = node.inputs[0].node
    return None


def _is_linear(layer: Any) -> bool:
    return bool(layer.get_config()["activation"] in ("linear", None))


def _free_name(model: Any, name: str) -> str:
    taken = {layer.name for layer in model.layers}
    while name in taken:
        name += "_"
    return name


def _scales_pixels(model: Any) -> bool:
    """Whether a layer brings pixels to another range before the first that learns."""
    scaling = (layers.Rescaling, layers.Normalization, layers.BatchNormalization)
    for layer in leaves(model):
        if isinstance(layer, scaling):
            return True
        if layer.weights:
            return False
    return False


def _gives_probabilities(model: Any) -> bool:
    """Whether each row of its outputs is positive and sums to 1, for any pictures."""
    shape = (n or 32 for n in _shape_of(model, model.name))
    # The global generators are not drawn from: what is tried changes no training.
    x = np.random.Generator(np.random.Philox(key=0)).integers(0, 256, (4, *shape))
    p = model.predict(x.astype(np.uint8), verbose=0)  # (4, classes)
    return bool((p >= 0).all() and np.abs(p.sum(-1) - 1).max() < _TOLERANCE)


def _times(shape: tuple[int | None, ...]) -> str:
    return "x".join("any" if n is None else str(n) for n in shape)


# -------------------------------------------------------------- module:function


def make_by_function(name: str, shape: Shape, classes: int) -> Any:
    """The model that a user's function returns, checked.

    Args:
        name: "module:function"; the module is looked for in the current folder first,
            then wherever Python looks.
        shape: (height, width, channels), given as `input_shape`.
        classes: how many kinds there are, given as `classes`. A function that has
            neither of these names is called with both by their places.

    Raises:
        ArgumentError: there is no such module or function, it failed, or what it
            returned is no classifier of such pictures.
    """
    function = _function(name)
    try:
        model = _called(function, name, shape, classes)
    except ArgumentError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{name} failed with input_shape={shape}, classes={classes}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(model, Model):
        raise ArgumentError(
            f"{name} must return a model of deepneuron; it returned {model!r:.80} of "
            f"type {type(model).__module__}.{type(model).__name__}."
        )
    if not model.built:
        model.build((None, *shape))
    _check_model(model, name, shape, classes)
    return model


def _function(name: str) -> Callable[..., Any]:
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise ArgumentError(
            f"--model {name!r}: a module and a function are needed, such as "
            "my_networks:make."
        )
    module = import_yours(module_name, f"--model {name}")
    function = getattr(module, function_name, None)
    if not callable(function):
        own = [
            n
            for n, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
        ]
        raise ArgumentError(
            f"The module {module.__name__!r} has no function {function_name!r}; it has "
            f"{', '.join(own) or 'none'}."
        )
    return function


def _called(function: Callable[..., Any], name: str, shape: Shape, classes: int) -> Any:
    """Call it with the arguments that it takes."""
    parameters = inspect.signature(function).parameters
    values: dict[str, Any] = {"input_shape": shape, "classes": classes}
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    by_name = {k: v for k, v in values.items() if anything or k in parameters}
    try:
        if by_name:
            bound = inspect.signature(function).bind(**by_name)
        else:
            bound = inspect.signature(function).bind(*values.values())
    except TypeError as error:
        raise ArgumentError(
            f"{name} must take input_shape and classes; it takes "
            f"{inspect.signature(function)}."
        ) from error
    return function(*bound.args, **bound.kwargs)


def _check_model(model: Any, name: str, shape: Shape, classes: int) -> None:
    """That it takes such pictures, and returns a probability for each class."""
    wanted = _shape_of(model, name)
    if any(w not in (None, n) for w, n in zip(wanted, shape, strict=True)):
        raise ArgumentError(
            f"{name} returned a model for pictures of {_times(wanted)}; "
            f"Input({shape}) is needed."
        )
    output = model.output_shape
    if tuple(output) != (None, classes):
        raise ArgumentError(
            f"{name} returned a model with outputs of shape {output}; it must end "
            f'with Dense({classes}, activation="softmax").'
        )
    if not _gives_probabilities(model):
        raise ArgumentError(
            f"{name} returned a model whose outputs are no probabilities; it must end "
            f'with Dense({classes}, activation="softmax").'
        )
