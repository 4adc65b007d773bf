"""Graph -> Plan: what runs, in which order, in which memory. Plain data.

Passes, each a function below: views share their source's memory; commits and in-place
operations write where their input lay; every other value gets bytes of one arena, and
bytes are used again once nobody reads them.

A Plan holds instructions over numbered buffers and no Python closures, so that any
executor can run it. `python -m deepneuron.engine.plan` shows a small one.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from deepneuron.engine.graph import Graph, Node
from deepneuron.engine.neighbours import blocks, columns, room, update_runs
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable

ARENA, INPUT, VARIABLE, CONSTANT = "arena", "input", "variable", "constant"


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
        packs: variables that should lie side by side, so that their updates can be one.
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
    packs: list[list[Variable]] = field(default_factory=list)

    whole = True  # many steps can follow one another without the caller

    def __str__(self) -> str:
        lines = [f"arena: {self.arena:,} bytes"]
        for instruction in self.instructions:
            ins = ", ".join(self._show(i) for i in instruction.inputs)
            outs = ", ".join(self._show(i) for i in instruction.outputs)
            line = f"{outs:<30} = {instruction.kernel}({ins})"
            path = instruction.nodes[0].path
            lines.append(f"{line}  # {path}" if path else line)
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
    runs = list(update_runs(graph))
    offsets, arena = first_fit(homes.intervals(list(blocks(runs))))
    plan = _Encoder(graph, homes, offsets, arena).encode()
    for column in (column for run in runs for column in columns(run)):
        variables = [x for x in column if isinstance(x, Variable)]
        if len(variables) == len(column):
            plan.packs.append(variables)
    return plan


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

    def intervals(self, together: list[list[Tensor]]) -> list[Interval]:
        """Everything that needs room in the arena; what belongs together as one."""
        alive = {
            y: (i, self.last[y])
            for i, node in enumerate(self.graph.nodes)
            for y in node.outputs
            if self.of(y) is y
        }
        result = []
        for tensors in together:
            members = list(dict.fromkeys(map(self.of, tensors)))
            if len(members) == len(tensors) and all(t in alive for t in members):
                times = [alive.pop(t) for t in members]
                first, last = min(t[0] for t in times), max(t[1] for t in times)
                result.append(Interval(members, first, last))
        return result + [Interval([t], *times) for t, times in alive.items()]


class Interval(NamedTuple):
    """Values side by side, and the instructions between which they are alive."""

    tensors: list[Tensor]
    first: int
    last: int


def first_fit(intervals: list[Interval]) -> tuple[dict[Tensor, int], int]:
    """Offsets such that what is alive at one time never overlaps; large ones first.

    Returns:
        The offset of every tensor in bytes, and how many bytes there are in all.
    """
    sizes = [sum(map(room, interval.tensors)) for interval in intervals]
    placed: list[tuple[int, int, int, int]] = []  # (start, end, first, last), sorted
    offsets: dict[Tensor, int] = {}
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        tensors, first, last = intervals[i]
        at = 0
        for start, end, born, died in placed:
            if died < first or last < born:
                continue
            if at + sizes[i] <= start:
                break
            at = max(at, end)
        insort(placed, (at, at + sizes[i], first, last))
        for tensor in tensors:
            offsets[tensor] = at
            at += room(tensor)
    return offsets, max((end for _, end, _, _ in placed), default=0)


class _Encoder:
    """Writes a graph down as numbered buffers, and instructions over them."""

    def __init__(
        self, graph: Graph, homes: _Homes, offsets: dict[Tensor, int], arena: int
    ) -> None:
        self.graph, self.homes, self.offsets = graph, homes, offsets
        self.plan = Plan(arena=arena)
        self._numbers: dict[Tensor, int] = {}
        self._inputs = {x: i for i, x in enumerate(graph.inputs)}
        self._variables: dict[Variable, int] = {}
        self._constants: dict[Tensor, int] = {}

    def encode(self) -> Plan:
        graph, plan, number = self.graph, self.plan, self._number
        plan.inputs = [number(x) for x in graph.inputs]
        plan.instructions = [self._instruction(n) for n in graph.nodes if not n.op.view]
        plan.outputs = [number(t) for t in graph.outputs]
        plan.kept = [number(t) for t in graph.keep]
        for variable, value in graph.commits.items():
            target = self._place_of_variable(variable)
            in_place = self.homes.of(value) is variable
            if not (in_place and variable in self.homes.placed_commits):
                plan.commits.append((number(value), target))
        return plan

    def _instruction(self, node: Node) -> Instruction:
        return Instruction(
            node.op.name,
            tuple(self._number(x) for x in node.inputs),
            tuple(self._number(y) for y in node.outputs),
            node.attrs,
            (node,),
        )

    def _number(self, tensor: Tensor) -> int:
        """The number of the buffer that a value lies in."""
        if tensor not in self._numbers:
            space, place = self._place(self.homes.of(tensor))
            self._numbers[tensor] = len(self.plan.buffers)
            self.plan.buffers.append(Buffer(space, place, tensor.shape, tensor.dtype))
        return self._numbers[tensor]

    def _place(self, home: Tensor) -> tuple[str, int]:
        if home.node is not None:
            return ARENA, self.offsets[home]
        if isinstance(home, Variable):
            return VARIABLE, self._place_of_variable(home)
        if home in self._inputs:
            return INPUT, self._inputs[home]
        value = home.value_or_none()
        if value is None:
            raise RuntimeError(f"{home!r} is read by the graph, but nothing makes it.")
        if home not in self._constants:
            self._constants[home] = len(self.plan.constants)
            self.plan.constants.append(np.array(value))
        return CONSTANT, self._constants[home]

    def _place_of_variable(self, variable: Variable) -> int:
        if variable not in self._variables:
            self._variables[variable] = len(self.plan.variables)
            self.plan.variables.append(variable)
        return self._variables[variable]


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
