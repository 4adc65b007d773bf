"""Functional: the class of `Model(inputs, outputs)`, and its way back from a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepneuron.errors import SavingError
from deepneuron.models.model import Model
from deepneuron.serialization import deserialize, keras_class


@keras_class("keras.src.models.functional", None, "keras.models", "keras")
class Functional(Model):
    """A model made of symbolic inputs and outputs; see `Model`."""


def functional_from_config(
    cls: type[Model],
    config: dict[str, Any],
    custom_objects: Any = None,
    make: Callable[[str], Any] | None = None,
) -> Model:
    """Make the layers, then call them again in the recorded order.

    Args:
        cls: the class of the model.
        config: what `get_config` returned.
        custom_objects: names of your own classes and functions.
        make: returns the layer of a name, instead of one that the config describes.
    """
    layers: dict[str, Any] = {}
    results: dict[tuple[str, int], Any] = {}  # (layer, its use) -> flat outputs
    waiting: list[tuple[str, int, Any]] = []
    for data in config["layers"]:
        name = data.get("name", data["config"].get("name"))
        layers[name] = make(name) if make else deserialize(data, custom_objects)
        nodes = data.get("inbound_nodes", [])
        if not nodes:
            results[name, 0] = [layers[name].output]
        waiting.extend((name, i, node) for i, node in enumerate(nodes))

    def value(x: Any) -> Any:
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            name, use, index = x["config"]["keras_history"]
            return results[name, use][index]
        if isinstance(x, list):
            return [value(v) for v in x]
        if isinstance(x, dict) and "class_name" not in x:
            return {k: value(v) for k, v in x.items()}
        return deserialize(x, custom_objects)

    while waiting:
        later = []
        for name, use, node in waiting:
            try:
                args, kwargs = value(node["args"]), value(node["kwargs"])
            except KeyError:  # what it is called with does not exist yet
                later.append((name, use, node))
                continue
            returned = layers[name](*args, **kwargs)
            results[name, use] = (
                list(layers[name]._inbound_nodes[-1].outputs)
                if returned is not None
                else []
            )
        if len(later) == len(waiting):
            raise SavingError(
                "The connections of the model in the file do not fit together; these "
                f"layers are called with tensors that nothing makes: "
                f"{sorted({name for name, _, _ in later})}."
            )
        waiting = later

    def ends(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {k: ends(v) for k, v in tree.items()}
        if len(tree) == 3 and isinstance(tree[0], str):
            name, use, index = tree
            return results[name, use][index]
        return [ends(v) for v in tree]

    inputs, outputs = ends(config["input_layers"]), ends(config["output_layers"])
    cls = Model if cls is Functional else cls
    model = cls(inputs=inputs, outputs=outputs, name=config.get("name"))
    if not config.get("trainable", True):
        model._trainable = False  # the layers within brought their own
    return model


__all__ = ["Functional", "functional_from_config"]
