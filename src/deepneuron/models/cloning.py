"""clone_model: the same architecture again, with fresh weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepneuron.errors import ArgumentError
from deepneuron.layers.input_layer import InputLayer
from deepneuron.layers.layer import Layer
from deepneuron.models.functional import functional_from_config
from deepneuron.models.model import Model
from deepneuron.models.sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model with the same layers and connections, but weights of its own.

    Args:
        model: a Sequential or functional model.
        input_tensors: symbolic tensors to begin with, instead of fresh inputs.
        clone_function: makes the new layer from an old one; by default an equal one.
        call_function: not supported; only None.
        recursive: whether `clone_function` is asked for layers of models within, too.
        **kwargs: none is known.

    Raises:
        ArgumentError: a subclassed model, or an argument that is not known.

    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((4,)), dn.layers.Dense(2)])
    >>> clone = clone_model(model)
    >>> clone.count_params(), clone.layers[0] is model.layers[0]
    (10, False)
    """
    if kwargs or call_function is not None:
        name = next(iter(kwargs), "call_function")
        raise ArgumentError(f"clone_model does not know {name!r}; use clone_function.")
    if not isinstance(model, Sequential) and getattr(model, "_network", None) is None:
        raise ArgumentError(
            "clone_model takes a Sequential or functional model, whose layers it can "
            f"see; received {model!r}. A subclassed model is made anew by its class."
        )

    def clone(layer: Layer) -> Any:
        if isinstance(layer, InputLayer):
            return type(layer).from_config(layer.get_config())
        if recursive and isinstance(layer, Model):
            return clone_model(layer, clone_function=clone_function, recursive=True)
        if clone_function is not None:
            return clone_function(layer)
        return type(layer).from_config(layer.get_config())

    twin: Any
    if isinstance(model, Sequential):
        twin = Sequential([clone(layer) for layer in model._stack], name=model.name)
    else:
        layers = {layer.name: clone(layer) for layer in model.layers}
        config = model.get_config()
        twin = functional_from_config(type(model), config, make=layers.__getitem__)
    if input_tensors is not None:
        twin = Model(input_tensors, twin(input_tensors), name=model.name)
    return twin


__all__ = ["clone_model"]
