"""Lowering: a rule for each operation says which kernel computes it, alone or fused.

    @lowers("relu_grad")
    def relu_grad(low, node):
        dy, y = node.inputs
        if not low.batched(dy, y):
            return False
        low.emit("relu_grad", MAP, [Rows(dy), Rows(y)], [Rows(node.outputs[0])], ...)
        return True

Several rules may know one operation: the last that was registered is asked first. What
no rule takes, NumPy computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from deepneuron.engine.graph import Graph, Node
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.kernels.native.program import (
    MAP,
    PYTHON,
    SERIAL,
    TEAM,
    Accumulator,
    Instruction,
    Rows,
    Source,
)

Rule = Callable[["Lowering", Node], bool]
_rules: dict[str, list[Rule]] = {}


def lowers(*operations: str) -> Callable[[Rule], Rule]:
    """Register a rule for these operations."""

    def register(rule: Rule) -> Rule:
        for name in operations:
            _rules.setdefault(name, []).append(rule)
        return rule

    return register


def order_rules(modules: list[str]) -> None:
    """Let rules be asked in one order, in whatever order their files were imported."""
    for rules in _rules.values():
        rules.sort(key=lambda rule: modules.index(rule.__module__))


class Lowering:
    """Turns the nodes of a graph into instructions.

    Args:
        seen: values that somebody looks at besides what the graph hands out.

    Attributes:
        rows: samples in the batch: the length of every batched tensor's first axis.
        instructions: what came of it, in no particular order.
    """

    def __init__(self, graph: Graph, seen: Iterable[Tensor] = ()) -> None:
        self.graph = graph
        self.instructions: list[Instruction] = []
        self.rows = next((x.shape[0] for x in graph.inputs if x.shape), 1)
        self._done: set[Node] = set()
        self._home: dict[Tensor, Tensor] = {}  # of views
        self._in_rows: set[Tensor] = set()
        self._batched = {
            t for t in graph.tensors() if t.node is None and self._may_be_a_batch(t)
        }
        self._users: dict[Tensor, list[Node]] = {}
        for node in graph.nodes:
            for x in dict.fromkeys(node.inputs):
                self._users.setdefault(x, []).append(node)
        ends = (*graph.outputs, *graph.keep, *graph.commits.values(), *seen)
        self._visible = set(ends)

    def _may_be_a_batch(self, leaf: Tensor) -> bool:
        """Inputs are batches, and so are constants as long as one (dy of a mean)."""
        is_long = bool(leaf.shape) and leaf.shape[0] == self.rows
        return is_long and not isinstance(leaf, Variable)

    def run(self) -> list[Instruction]:
        """The instructions of the whole graph."""
        for number, x in enumerate(self.graph.inputs):
            if x in self._batched:
                size = int(np.prod(x.shape[1:])) * np.dtype(x.dtype).itemsize
                self.emit("gather", MAP, [Source(number)], [Rows(x)], [size])
        for node in self.graph.nodes:
            if node in self._done:
                continue
            if node.op.view:
                self._alias(node)
                continue
            rules = reversed(_rules.get(node.op.name, ()))
            if not any(rule(self, node) for rule in rules):
                self._leave_to_numpy(node)
        return self.instructions

    def _alias(self, node: Node) -> None:
        (x,), (y,) = node.inputs[:1], node.outputs
        self._home[y] = self.home(x)
        if self.in_rows(x) and y.shape and y.shape[0] == self.rows:
            self._batched.add(y)

    def _leave_to_numpy(self, node: Node) -> None:
        self.emit(
            node.op.name, PYTHON, node.inputs, node.outputs, nodes=[node], faults=True
        )
        self._batched.update(y for y in node.outputs if self._looks_batched(node, y))

    def _looks_batched(self, node: Node, y: Tensor) -> bool:
        from_batch = any(x in self._batched for x in node.inputs)
        return from_batch and bool(y.shape) and y.shape[0] == self.rows

    # --- what rules ask

    def batched(self, *tensors: Tensor) -> bool:
        """Whether the first axis of each is that of the batch."""
        return all(t in self._batched for t in tensors)

    def in_rows(self, tensor: Tensor) -> bool:
        """Whether its memory holds sample after sample, whatever its axes are.

        So it is when (batch, time, features) is seen as (batch * time, features).
        """
        while tensor.node is not None and tensor.node.op.view:
            tensor = tensor.node.inputs[0]
        return tensor in self._in_rows or tensor in self._batched

    def done(self, node: Node) -> bool:
        """Whether an instruction stands for a node already."""
        return node in self._done

    def users(self, tensor: Tensor) -> list[Node]:
        """The nodes that read a tensor."""
        return self._users.get(tensor, [])

    def kept(self, tensor: Tensor) -> bool:
        """Whether somebody wants to see it when the step is over."""
        return tensor in self._visible

    def sole_user(self, tensor: Tensor, operation: str) -> Node | None:
        """The one node that reads a tensor, if it is such an operation."""
        users = self.users(tensor)
        if len(users) != 1 or self.kept(tensor) or users[0].op.name != operation:
            return None
        return None if users[0] in self._done else users[0]

    def home(self, tensor: Tensor) -> Tensor:
        """The tensor whose memory it is a view of; itself, if it is none."""
        return self._home.get(tensor, tensor)

    # --- what rules do

    def emit(
        self,
        kernel: str,
        kind: int,
        inputs: Iterable[Any],
        outputs: Iterable[Any],
        ints: Iterable[int] = (),
        floats: Iterable[float] = (),
        nodes: Iterable[Node] = (),
        inplace: dict[int, int] | None = None,
        chunk: int = 0,
        faults: bool = False,
        cheap: bool = False,
    ) -> Instruction:
        """Add an instruction; see `Instruction` for the arguments."""
        instruction = Instruction(
            kernel,
            kind,
            list(inputs),
            list(outputs),
            [int(i) for i in ints],
            [float(f) for f in floats],
            tuple(nodes),
            inplace or {},
            chunk,
            faults,
            cheap,
        )
        self.instructions.append(instruction)
        self._done.update(instruction.nodes)
        rows = [t for t, by_rows in instruction.writes() if by_rows]
        self._in_rows.update(rows)
        self._batched.update(t for t in rows if t.shape[0] == self.rows)
        return instruction

    @staticmethod
    def accumulator(size: int) -> Accumulator:
        """Room for a sum over the rows of a shard, of so many bytes."""
        return Accumulator(size)

    def sum_shards(self, sums: Accumulator, y: Tensor) -> None:
        """y = the sum of all shards' sums, in their order"""
        self.emit("sum_shards", TEAM, [sums], [y], [int(np.prod(y.shape))])


__all__ = ["MAP", "SERIAL", "TEAM", "Lowering", "Rows", "lowers"]
