"""Graph -> Plan: what runs, in which order, in which memory. Plain data.

Passes, each a function below: views share their source's memory; commits and in-place
operations write where their input lay; every other value gets bytes of one arena, and
bytes are used again once nobody reads them.

A Plan holds instructions over numbered buffers and no Python closures, so that any
executor can run it. `python -m deepneuron.engine.plan` shows a small one.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepneuron.engine.graph import Graph, Node
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable

ARENA, INPUT, VARIABLE, CONSTANT = "arena", "input", "variable", "constant"
_ALIGN = 64  # bytes of a cache line


@dataclass(frozen=True)
class Buffer:
    """Where one value lies.

    Attributes:
        space: "arena", "input", "variable" or "constant".
        place: the first byte in the arena, or the position in the plan's list of
            inputs, variables or constants.
    """

    space: str
    place: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Instruction:
    """One call of a kernel; inputs and outputs are numbers of buffers.

    Attributes:
        nodes: the graph's nodes that it stands for.
    """

    kernel: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: dict[str, Any]
    nodes: tuple[Node, ...]


@dataclass
class Plan:
    """Instructions, the buffers they work on, and what goes in and comes out.

    Attributes:
        arena: bytes of memory for everything between inputs and outputs.
        commits: (buffer, variable) pairs still to be copied when the step is over; most
            commits need no copy, because they were written in place.
        outputs, kept: buffers of the graph's outputs and of its kept values.
    """

    instructions: list[Instruction] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    arena: int = 0
    inputs: list[int] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    constants: list[np.ndarray] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    commits: list[tuple[int, int]] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"arena: {self.arena:,} bytes"]
        for instruction in self.instructions:
            ins = ", ".join(self._show(i) for i in instruction.inputs)
            outs = ", ".join(self._show(i) for i in instruction.outputs)
            path = instruction.nodes[0].path
            lines.append(f"{outs:<30} = {instruction.kernel}({ins})  # {path}")
        for source, variable in self.commits:
            lines.append(f"{self.variables[variable].name} := {self._show(source)}")
        return "\n".join(lines)

    def _show(self, index: int) -> str:
        b = self.buffers[index]
        place = {
            ARENA: f"@{b.place}",
            INPUT: f"input{b.place}",
            CONSTANT: "constant",
        }.get(b.space) or self.variables[b.place].name
        return f"{place}{list(b.shape)}"


def make_plan(graph: Graph) -> Plan:
    """Place every value of a graph in memory and list the calls that compute it."""
    homes = _Homes(graph)
    homes.share_views()
    homes.find_last_uses()
    homes.share_in_place()
    offsets, arena = first_fit(list(homes.intervals()))
    return _encode(graph, homes, offsets, arena)


class _Homes:
    """Which tensor's memory each tensor lives in, and when that memory is last read."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.home: dict[Tensor, Tensor] = {}
        self.last: dict[Tensor, int] = {}
        self.born: dict[Tensor, int] = {}
        self.placed_commits: set[Variable] = set()
        self.leaves = {t for t in graph.tensors() if t.node is None}

    def of(self, tensor: Tensor) -> Tensor:
        return self.home.get(tensor, tensor)

    def share_views(self) -> None:
        for i, node in enumerate(self.graph.nodes):
            for y in node.outputs:
                self.born[y] = i
                if node.op.view:
                    self.home[y] = self.of(node.inputs[0])

    def find_last_uses(self) -> None:
        graph = self.graph
        for i, node in enumerate(graph.nodes):
            for y in node.outputs:
                self.last.setdefault(self.of(y), i)
            for x in node.inputs:
                self.last[self.of(x)] = i
        for t in (*graph.outputs, *graph.keep, *graph.commits.values()):
            self.last[self.of(t)] = len(graph.nodes)  # read when all is over

    def share_in_place(self) -> None:
        """Let a node write its output where an input lay that nobody reads again."""
        targets = {t: v for v, t in self.graph.commits.items()}
        for i, node in enumerate(self.graph.nodes):
            for k, positions in node.op.inplace.items():
                y = node.outputs[k]
                for p in positions:
                    x = node.inputs[p]
                    home = self.of(x)
                    twins = sum(self.of(other) is home for other in node.inputs)
                    if (x.shape, x.dtype) != (y.shape, y.dtype) or twins > 1:
                        continue
                    if self.last[home] != i or self._taken(home, node):
                        continue
                    if home in self.leaves and targets.get(y) is not home:
                        continue  # inputs, constants and other variables stay whole
                    if isinstance(home, Variable):
                        self.placed_commits.add(home)
                    self._move(y, home)
                    break

    def _taken(self, home: Tensor, node: Node) -> bool:
        return any(self.of(y) is home for y in node.outputs)

    def _move(self, y: Tensor, home: Tensor) -> None:
        self.last[home] = max(self.last[home], self.last.pop(y))
        for tensor, at in self.home.items():
            if at is y:
                self.home[tensor] = home
        self.home[y] = home

    def intervals(self) -> Iterator[tuple[Tensor, int, int, int]]:
        """(tensor, bytes, first, last) of everything that needs room in the arena."""
        for i, node in enumerate(self.graph.nodes):
            for y in node.outputs:
                if self.of(y) is y:
                    size = int(np.prod(y.shape)) * np.dtype(y.dtype).itemsize
                    yield y, size, i, self.last[y]


def first_fit(
    intervals: list[tuple[Tensor, int, int, int]],
) -> tuple[dict[Tensor, int], int]:
    """Offsets such that what is alive at the same time never overlaps; large ones first."""
    placed: list[tuple[int, int, int, int]] = []
    offsets: dict[Tensor, int] = {}
    for tensor, size, first, last in sorted(intervals, key=lambda i: -i[1]):
        room = -(-size // _ALIGN) * _ALIGN
        at = 0
        for start, end, born, died in placed:  # sorted by start
            if died < first or last < born:
                continue
            if at + room <= start:
                break
            at = max(at, end)
        insort(placed, (at, at + room, first, last))
        offsets[tensor] = at
    return offsets, max((end for _, end, _, _ in placed), default=0)


def _encode(
    graph: Graph, homes: _Homes, offsets: dict[Tensor, int], arena: int
) -> Plan:
    plan = Plan(arena=arena)
    numbers: dict[Tensor, int] = {}
    positions: dict[Tensor, int] = {x: i for i, x in enumerate(graph.inputs)}

    def leaf(home: Tensor) -> tuple[str, int]:
        if isinstance(home, Variable):
            if home not in positions:
                positions[home] = len(plan.variables)
                plan.variables.append(home)
            return VARIABLE, positions[home]
        if home in inputs:
            return INPUT, positions[home]
        value = home.value_or_none()
        if value is None:
            raise RuntimeError(f"{home!r} is read by the graph, but nothing makes it.")
        if home not in positions:
            positions[home] = len(plan.constants)
            plan.constants.append(np.array(value))
        return CONSTANT, positions[home]

    def number(tensor: Tensor) -> int:
        if tensor not in numbers:
            home = homes.of(tensor)
            space, place = (
                leaf(home) if home.node is None else (ARENA, offsets[home])
            )
            numbers[tensor] = len(plan.buffers)
            plan.buffers.append(Buffer(space, place, tensor.shape, tensor.dtype))
        return numbers[tensor]

    inputs = set(graph.inputs)
    plan.inputs = [number(x) for x in graph.inputs]
    for node in graph.nodes:
        if not node.op.view:
            plan.instructions.append(
                Instruction(
                    node.op.name,
                    tuple(number(x) for x in node.inputs),
                    tuple(number(y) for y in node.outputs),
                    node.attrs,
                    (node,),
                )
            )
    plan.outputs = [number(t) for t in graph.outputs]
    plan.kept = [number(t) for t in graph.keep]
    for variable, value in graph.commits.items():
        target = leaf(variable)[1]
        if not (variable in homes.placed_commits and homes.of(value) is variable):
            plan.commits.append((number(value), target))
    return plan


def _demo() -> None:
    from deepneuron import ops
    from deepneuron.engine.capture import capture
    from deepneuron.engine.gradients import gradients

    kernel = Variable(np.ones((3, 2)), dtype="float32", name="kernel")
    bias = Variable(np.zeros(2), dtype="float32", name="bias")

    def step(x: Any, y: Any) -> Any:
        loss = ops.mean(ops.square(ops.relu(x @ kernel + bias) - y))
        for variable, gradient in zip(
            (kernel, bias), gradients(loss, [kernel, bias]), strict=True
        ):
            variable.assign(variable - 0.1 * gradient)
        return loss

    x, y = np.zeros((4, 3), "float32"), np.zeros((4, 2), "float32")
    graph, _ = capture(step, x, y)
    print("graph\n" + "\n".join(f"  {node}" for node in graph.nodes))
    print("plan\n  " + str(make_plan(graph)).replace("\n", "\n  "))


if __name__ == "__main__":
    _demo()
