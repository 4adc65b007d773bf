"""Order: which instructions run between two meetings of the threads.

An instruction must come after those that make what it reads, and whoever writes a
Variable after all who read it. Between most of these pairs the threads have to meet.
Not between two MAP instructions that hand a value on row by row: there, each thread
goes on with its own rows. And not between two SERIAL ones.

The number of meetings in front of an instruction is its epoch. The MAP instructions of
an epoch make one region, through which a few rows at a time are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deepneuron.engine.graph import Graph
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.kernels.native.lowering import Lowering
from deepneuron.kernels.native.program import (
    MAP,
    PYTHON,
    SERIAL,
    TEAM,
    Instruction,
    Rows,
)


@dataclass
class Region:
    """Instructions of one kind without a meeting between them."""

    kind: int
    epoch: int
    instructions: list[Instruction]
    chunk: int = 0  # rows at a time; 0: a whole shard


class Schedule:
    """Instructions in regions.

    Attributes:
        in_place: {tensor: the Variable whose memory it is written to}.
    """

    def __init__(self, low: Lowering, graph: Graph) -> None:
        self.low, self.instructions = low, low.instructions
        self.maker: dict[Any, Instruction] = {}
        for instruction in self.instructions:
            for value, _ in instruction.writes():
                self.maker[self.root(value)] = instruction
        self.in_place: dict[Tensor, Variable] = {}
        self.place_commits(graph)
        order = self.arrange()
        if self.make_again(graph):
            order = self.arrange()
        self.regions = self.gather(order)

    def root(self, value: Any) -> Any:
        return self.low.home(value) if isinstance(value, Tensor) else value

    # --- variables

    def place_commits(self, graph: Graph) -> None:
        """Let new values be written into their Variables; copy where that is too early.

        It is too early where the old value is read after (or in an order that does not
        suit) the new one is there.
        """
        copies: list[tuple[Tensor, Variable]] = []
        position = self._positions(graph)
        for variable, value in graph.commits.items():
            maker = self.maker.get(value)
            made = value.node is not None and maker is not None
            made = made and value not in self.in_place  # it may have two Variables
            if made and self._may_overwrite(maker, value, variable, position):
                self.in_place[value] = variable
            else:
                copies.append((value, variable))
        for value, variable in copies:
            between = Tensor(variable.shape, variable.dtype)
            written = Tensor(variable.shape, variable.dtype)
            size = [variable.array.nbytes]
            for x, y in ((value, between), (between, written)):
                self.low.emit("copy", SERIAL, [x], [y], size)
                self.maker[y] = self.instructions[-1]
            self.in_place[written] = variable

    def _positions(self, graph: Graph) -> dict[Any, tuple[int, int]]:
        """An instruction stands where the last of its nodes stood."""
        number = {node: n for n, node in enumerate(graph.nodes)}
        positions, last = {}, 0
        for n, i in enumerate(self.instructions):
            last = max((number[node] for node in i.nodes), default=last)
            positions[i] = last, n
        return positions

    def _may_overwrite(
        self, maker: Any, value: Tensor, variable: Variable, position: dict[Any, Any]
    ) -> bool:
        if self.root(value) is not value:
            return False
        for number, operand in enumerate(maker.inputs):
            if self.root(getattr(operand, "tensor", operand)) is variable:
                outputs = [getattr(y, "tensor", y) for y in maker.outputs]
                if number not in _may_share(maker, outputs.index(value)):
                    return False
        readers = (i for i in self.instructions if self._reads(i, variable))
        return all(i is maker or position[i] < position[maker] for i in readers)

    def _reads(self, instruction: Instruction, variable: Variable) -> bool:
        return any(self.root(x) is variable for x, _ in instruction.reads())

    # --- order

    def arrange(self) -> list[Instruction]:
        """Find which comes before which, an order that suits, and epochs."""
        self.before = self.dependencies()
        order = self.topological()
        self.epoch = self.epochs(order)
        return order

    def make_again(self, graph: Graph) -> bool:
        """Let what is cheap be made again where it is read, instead of stored.

        A value that a region on the way back reads would have to be written to memory
        on the way forward, and to stay there. If what it was made of is kept anyway,
        then each region makes its own, a few rows at a time, in the nearest cache.
        """
        ends = (*graph.outputs, *graph.keep, *graph.commits.values())
        seen = {self.root(t) for t in ends}
        readers: dict[Any, list[tuple[Instruction, Any]]] = {}
        for i in self.instructions:
            for x in i.inputs:
                value = self.root(getattr(x, "tensor", x))
                readers.setdefault(value, []).append((i, x))
        before = len(self.instructions)
        for i in self.instructions[:before]:
            if not i.cheap or (value := i.outputs[0].tensor) in seen:
                continue
            here = self.epoch[i]
            sources = [self.root(x.tensor) for x in i.inputs if isinstance(x, Rows)]
            kept = min(  # what is itself made again is there in this epoch alone
                max((self.epoch[j] for j, _ in readers.get(x, ())), default=here)
                for x in sources
            )
            users = readers.get(value, [])
            if all(
                isinstance(x, Rows) and x.tensor is value and self.epoch[j] <= kept
                for j, x in users
            ):
                self._make_for_each(i, value, [j for j, _ in users])
        return len(self.instructions) > before

    def _make_for_each(
        self, maker: Instruction, value: Tensor, users: list[Instruction]
    ) -> None:
        """A copy of the maker for every epoch but its own, read by the users there."""
        made = {self.epoch[maker]: value}
        for j in users:
            if self.epoch[j] not in made:
                again = made[self.epoch[j]] = Tensor(value.shape, value.dtype)
                i = maker
                self.maker[again] = self.low.emit(
                    i.kernel, MAP, i.inputs, [Rows(again)], i.ints, i.floats, i.nodes
                )
            mine = made[self.epoch[j]]
            j.inputs = [
                Rows(mine) if isinstance(x, Rows) and x.tensor is value else x
                for x in j.inputs
            ]

    def dependencies(self) -> dict[Instruction, dict[Instruction, bool]]:
        """{instruction: {one that comes before: whether they must meet in between}}"""
        before: dict[Instruction, dict[Instruction, bool]] = {}
        readers: dict[Any, list[Instruction]] = {}
        for i in self.instructions:
            earlier = before.setdefault(i, {})
            for value, by_rows in i.reads():
                root = self.root(value)
                readers.setdefault(root, []).append(i)
                maker = self.maker.get(root)
                if maker is None or maker is i:
                    continue
                handed_on = by_rows and (root, True) in list(maker.writes())
                meet = not (
                    (i.kind == maker.kind == MAP and handed_on)
                    or i.kind == maker.kind == SERIAL
                )
                earlier[maker] = earlier.get(maker, False) or meet
        for value, variable in self.in_place.items():
            for i in readers.get(variable, ()):
                _wait(before, self.maker[value], i)
        # A step that fails must not have changed anything. What fails later than some
        # update (it depends on it) comes as early as it can.
        writers = [self.maker[value] for value in self.in_place]
        may_fail = [i for i in self.instructions if i.faults and i not in writers]
        for writer in dict.fromkeys(writers):
            for i in may_fail:
                if not _reaches(before, i, writer):
                    _wait(before, writer, i)
        return before

    def topological(self) -> list[Instruction]:
        """Makers first; otherwise as they were emitted."""
        order: list[Instruction] = []
        state: dict[Instruction, int] = {}
        for first in self.instructions:
            stack = [first]
            while stack:
                i = stack[-1]
                if state.get(i) == 2:
                    stack.pop()
                    continue
                state[i] = 1
                waiting = [j for j in self.before[i] if state.get(j) != 2]
                if not waiting:
                    state[i] = 2
                    order.append(i)
                    stack.pop()
                elif any(state.get(j) == 1 for j in waiting):
                    raise RuntimeError(f"{i!r} waits for itself.")
                else:
                    stack.extend(waiting)
        return order

    def epochs(self, order: list[Instruction]) -> dict[Instruction, int]:
        """As early as possible; MAP as late as its readers allow, for long regions."""
        epoch: dict[Instruction, int] = {}
        for i in order:
            epoch[i] = max(
                (epoch[j] + meet for j, meet in self.before[i].items()), default=0
            )
        latest: dict[Instruction, int] = {}
        for i in reversed(order):
            if i.kind == MAP and i in latest:
                epoch[i] = max(epoch[i], latest[i])
            for j, meet in self.before[i].items():
                bound = epoch[i] - meet
                latest[j] = min(latest.get(j, bound), bound)
        return epoch

    def gather(self, order: list[Instruction]) -> list[Region]:
        """Regions, in the order in which they run."""
        ranked = sorted(order, key=lambda i: (self.epoch[i], i.kind))
        regions: list[Region] = []
        for i in ranked:
            last = regions[-1] if regions else None
            alone = i.kind == PYTHON
            if (
                last
                and not alone
                and (last.kind, last.epoch) == (i.kind, self.epoch[i])
            ):
                last.instructions.append(i)
            else:
                regions.append(Region(i.kind, self.epoch[i], [i]))
        return regions


def _wait(before: Any, later: Instruction, earlier: Instruction) -> None:
    """Let an instruction come after another one, without a value between them."""
    if later is not earlier:
        both_serial = later.kind == earlier.kind == SERIAL
        before[later].setdefault(earlier, not both_serial)


def _reaches(before: Any, later: Instruction, earlier: Instruction) -> bool:
    """Whether one has to wait for the other, perhaps over others."""
    seen, waiting = {later}, [later]
    while waiting:
        for j in before[waiting.pop()]:
            if j is earlier:
                return True
            if j not in seen:
                seen.add(j)
                waiting.append(j)
    return False


def _may_share(maker: Instruction, output: int) -> tuple[int, ...]:
    """The inputs whose memory an output may be written to."""
    if maker.kind == PYTHON:
        return maker.nodes[0].op.inplace.get(output, ())
    return (maker.inplace[output],) if output in maker.inplace else ()


__all__ = ["MAP", "PYTHON", "SERIAL", "TEAM", "Region", "Schedule"]
