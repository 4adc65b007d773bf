"""One use of a layer in a functional model: a Node whose operation is a layer."""

from __future__ import annotations

from typing import Any

from deepneuron.engine.graph import Node, _serial
from deepneuron.engine.nest import flatten, pack
from deepneuron.engine.scope import current_path, user_line
from deepneuron.engine.tensor import Tensor


class Call(Node):
    """What a layer was called with, and the tensors that stand for what it returned.

    Attributes:
        args, kwargs: the arguments of the call; tensors within them stand for values.
        outputs: fresh tensors with this call as their producer.
        result: `outputs` in the structure that the layer returned.
    """

    __slots__ = ("_leaves", "_structure", "result")

    def __init__(self, layer: Any, args: Any, kwargs: Any, returned: Any) -> None:
        leaves, self._structure = flatten((args, kwargs))
        self._leaves = leaves
        self.op, self.attrs = layer, {}
        self.inputs = tuple(x for x in leaves if isinstance(x, Tensor))
        self.path, self.source, self.serial = current_path(), user_line(), next(_serial)
        values, structure = flatten(returned)
        self.outputs = tuple(
            Tensor(y.shape, y.dtype, name=layer.name, node=self, index=i)
            for i, y in enumerate(values)
        )
        self.result = pack(structure, list(self.outputs))

    def arguments(self, values: dict[Tensor, Any]) -> tuple[Any, dict[str, Any]]:
        """(args, kwargs) with values in the place of tensors."""
        leaves = [values[x] if isinstance(x, Tensor) else x for x in self._leaves]
        args, kwargs = pack(self._structure, leaves)
        return args, kwargs
