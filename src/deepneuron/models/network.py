"""Network: the graph of layer calls between symbolic inputs and outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.engine.dtypes import is_float
from deepneuron.engine.graph import Node
from deepneuron.engine.nest import flatten, pack
from deepneuron.engine.op import Op
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ArgumentError, SavingError, ShapeError
from deepneuron.layers.call import Call
from deepneuron.layers.input_layer import InputLayer
from deepneuron.serialization import serialize


class Network:
    """Layers in the order in which they run, from `inputs` to `outputs`.

    Args:
        inputs: symbolic tensors, alone or in lists and dictionaries.
        outputs: the symbolic tensors computed from them.
        name: of the model, for error messages.

    Attributes:
        nodes: the calls of layers (and operations), producers first.
        layers: each layer once, by its distance from the outputs (as Keras lists them).
    """

    def __init__(self, inputs: Any, outputs: Any, name: str) -> None:
        self.inputs, self.outputs, self.name = inputs, outputs, name
        self.flat_inputs, self.input_structure = flatten(inputs)
        self.flat_outputs, self.output_structure = flatten(outputs)
        for x in (*self.flat_inputs, *self.flat_outputs):
            if not isinstance(x, Tensor) or x.node is None:
                raise ArgumentError(
                    f"Model {name!r}: inputs and outputs must be symbolic tensors that "
                    f"come from Input(...) and from layers; received {_short(x)}."
                )
        self.nodes, self.layers = self._sort()
        names = [layer.name for layer in self.layers]
        for layer in self.layers:
            if names.count(layer.name) > 1:
                raise ArgumentError(
                    f"Model {name!r}: {names.count(layer.name)} layers are called "
                    f"{layer.name!r}; names must differ."
                )

    def _sort(self) -> tuple[list[Node], list[Any]]:
        nodes: list[Node] = []  # producers first
        met: dict[Any, int] = {}  # layer -> when the walk met it first
        done: set[Node] = set()
        starts = set(self.flat_inputs)

        def visit(tensor: Tensor) -> None:
            node = tensor.node
            if node is None or node in done:
                return
            if tensor in starts and node.inputs:  # an input in the middle of a network
                return
            done.add(node)
            met.setdefault(node.op, len(met))
            if not node.inputs and tensor not in starts:
                raise ArgumentError(
                    f"Model {self.name!r}: its outputs depend on the input "
                    f"{node.op.name!r}, which is not among the model's inputs "
                    f"{[x.name for x in self.flat_inputs]}. (graph disconnected)"
                )
            for x in node.inputs:
                visit(x)
            nodes.append(node)

        for y in self.flat_outputs:
            visit(y)

        depth: dict[Node, int] = {}
        layer_depth: dict[Any, int] = {}
        for node in reversed(nodes):
            depth[node] = max(depth.get(node, 0), layer_depth.get(node.op, 0))
            layer_depth[node.op] = depth[node]
            for x in node.inputs:
                if x.node in done:
                    depth[x.node] = max(depth[node] + 1, depth.get(x.node, 0))
        for x in self.flat_inputs:
            if (
                x.node is not None
                and not x.node.inputs
                and x.node.op not in layer_depth
            ):
                layer_depth[x.node.op], met[x.node.op] = 0, -1
                nodes.append(x.node)
        layers = sorted(layer_depth, key=lambda op: (-layer_depth[op], met[op]))
        return nodes, [op for op in layers if not isinstance(op, Op)]

    def run(self, x: Any) -> Any:
        """The outputs for values of the inputs."""
        values: dict[Tensor, Any] = dict(
            zip(self.flat_inputs, self.match(x), strict=True)
        )
        for node in self.nodes:
            if all(y in values for y in node.outputs):
                continue
            if isinstance(node, Call):
                args, kwargs = node.arguments(values)
                returned = node.op(*args, **kwargs)
            else:  # an operation used without a layer around it
                args = [
                    values.get(t, t if t.node else t.value_or_none())
                    for t in node.inputs
                ]
                returned = node.op(*args, **node.attrs)
            values.update(zip(node.outputs, flatten(returned)[0], strict=True))
        return pack(self.output_structure, [values[y] for y in self.flat_outputs])

    def match(self, x: Any) -> list[Any]:
        """The given values in the order of the inputs, with types and axes adjusted."""
        names = [tensor.name for tensor in self.flat_inputs]
        if isinstance(x, dict) and not isinstance(self.inputs, dict):
            missing = [n for n in names if n not in x]
            if missing:
                raise ArgumentError(
                    f"Model {self.name!r} has the inputs {names}; the dictionary that "
                    f"it was given has the keys {sorted(x)}."
                )
            leaves = [x[n] for n in names]
        elif isinstance(x, dict) and isinstance(self.inputs, dict):
            missing = [k for k in self.inputs if k not in x]
            if missing:
                raise ArgumentError(
                    f"Model {self.name!r} has the inputs {sorted(self.inputs)}; the "
                    f"dictionary that it was given lacks {missing}."
                )
            leaves = flatten({k: x[k] for k in self.inputs})[0]
        else:
            leaves = flatten(x)[0]
        if len(leaves) != len(names):
            raise ArgumentError(
                f"Model {self.name!r} expects {len(names)} inputs ({names}), but "
                f"received {len(leaves)}."
            )
        return [
            self._adjust(v, t) for v, t in zip(leaves, self.flat_inputs, strict=True)
        ]

    def _adjust(self, x: Any, tensor: Tensor) -> Any:
        if not hasattr(x, "shape"):
            x = np.asarray(x)
        wanted = tensor.shape
        if len(x.shape) == len(wanted) - 1 and wanted[-1] == 1:
            x = ops.expand_dims(x, -1)
        elif len(x.shape) == len(wanted) + 1 and x.shape[-1] == 1:
            x = ops.squeeze(x, -1)
        fits = len(x.shape) == len(wanted) and all(
            m is None or n is None or n == m
            for n, m in zip(x.shape, wanted, strict=True)
        )
        if not fits:
            raise ShapeError(
                f"Model {self.name!r}: input {tensor.name!r} expects the shape "
                f"{wanted}, but received {tuple(x.shape)}. The first axis counts the "
                "samples; reshape the data, or change Input(...)."
            )
        if x.dtype != tensor.dtype and (
            is_float(tensor.dtype) or not is_float(x.dtype)
        ):
            x = ops.cast(x, tensor.dtype)
        return x

    # --- as data

    def config(self) -> dict[str, Any]:
        """Keras's description of the layers and their connections."""
        nodes = set(self.nodes)
        index = {}  # node -> its number among the uses of its layer in this network
        for layer in self.layers:
            used = [n for n in layer._inbound_nodes if n in nodes]
            index.update({n: i for i, n in enumerate(used)})
        loose = [n for n in self.nodes if not isinstance(n, Call)]
        if loose:
            raise SavingError(
                f"Model {self.name!r} uses the operation {loose[0].op.name!r} outside "
                f"of a layer (at {loose[0].source}), which cannot be saved. Put it "
                "into a layer of your own, or use a layer such as Add or Rescaling."
            )

        def history(t: Tensor) -> list[Any]:
            node = t.node
            if node is None or node not in index:
                raise SavingError(f"Model {self.name!r} begins within another model.")
            return [node.op.name, index[node], t.index]

        def argument(value: Any) -> Any:
            if isinstance(value, Tensor):
                config = {"shape": list(value.shape), "dtype": value.dtype}
                config["keras_history"] = history(value)
                return {"class_name": "__keras_tensor__", "config": config}
            if isinstance(value, (list, tuple)):
                return [argument(v) for v in value]
            if isinstance(value, dict):
                return {k: argument(v) for k, v in value.items()}
            return serialize(value)

        layers = []
        for layer in self.layers:
            data = serialize(layer)
            data["name"] = layer.name
            data["inbound_nodes"] = []
            for node in layer._inbound_nodes:
                if node in nodes and node.inputs:
                    args, kwargs = node.arguments({x: x for x in node.inputs})
                    data["inbound_nodes"].append(
                        {"args": argument(list(args)), "kwargs": argument(kwargs)}
                    )
            layers.append(data)

        def ends(tree: Any) -> Any:
            if isinstance(tree, dict):
                return {k: ends(v) for k, v in tree.items()}
            if isinstance(tree, (list, tuple)):
                return [ends(v) for v in tree]
            return history(tree)

        return {
            "layers": layers,
            "input_layers": ends(self.inputs),
            "output_layers": ends(self.outputs),
        }


def _short(x: Any) -> str:
    shape = getattr(x, "shape", None)
    return repr(x) if shape is None else f"{type(x).__name__} of shape {tuple(shape)}"


def input_of(batch_shape: Any, dtype: str, name: str | None = None) -> Tensor:
    """A fresh symbolic input."""
    return InputLayer(batch_shape=batch_shape, dtype=dtype, name=name).output
