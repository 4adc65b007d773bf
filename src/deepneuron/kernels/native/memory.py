"""Memory: where every value of a schedule lies.

    CHUNK   made and read within one MAP region: for a few rows, in each thread's cache
    SHARD   sums over the rows of a shard
    FULL    everything else that a step makes, for the whole batch
    ARRAYS  what Python owns: variables, constants, inputs

Values that are not needed at the same time share bytes. Time is counted in instructions
within a region, and in epochs outside of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from deepneuron.engine.graph import Graph
from deepneuron.engine.neighbours import ALIGN
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.kernels.native.program import (
    MAP,
    Accumulator,
    Instruction,
    Rows,
    Source,
)
from deepneuron.kernels.native.schedule import Region, Schedule

ABSENT, FULL, CHUNK, SHARD, ARRAYS = -1, 0, 1, 2, 3
CACHE = 1 << 19  # bytes of a region's values that should stay in a core's own cache
ROOMY = 2  # times as many, where a kernel wants more rows than fit
_FOREVER = 1 << 60


class Place(NamedTuple):
    """The first byte of a value, in one of the spaces."""

    space: int
    offset: int


class Memory:
    """Places for all values of a schedule.

    Attributes:
        arrays: what Python has to bind: variables, constants and sources, in order.
        sizes: {space: bytes}.
    """

    def __init__(self, schedule: Schedule, graph: Graph, shards: int) -> None:
        self.schedule, self.graph = schedule, graph
        self.rows, self.shards = schedule.low.rows, shards
        self.arrays: list[Any] = []
        self._number: dict[Any, int] = {}
        self._place: dict[Any, Place] = {}
        self._shared: dict[Tensor, Any] = {}  # written where an input lay
        self.sizes = {FULL: 0, CHUNK: 0, SHARD: 0}
        self._look_around()
        self._share_in_place()
        self._place_chunks()
        self._place_rest()

    # --- what there is, and who reads it

    def _look_around(self) -> None:
        schedule = self.schedule
        self.region: dict[Instruction, Region] = {}
        self.position: dict[Instruction, int] = {}
        for region in schedule.regions:
            for i in region.instructions:
                self.region[i] = region
                self.position[i] = len(self.position)
        self.readers: dict[Any, list[tuple[Instruction, bool]]] = {}
        for i in self.position:
            for value, by_rows in i.reads():
                self.readers.setdefault(schedule.root(value), []).append((i, by_rows))
        graph = self.graph
        ends = (*graph.outputs, *graph.keep)
        self.visible = {schedule.root(t) for t in ends}

    def _fits_a_chunk(self, value: Any, maker: Instruction) -> bool:
        """Whether a value need not outlive the rows that are being worked on."""
        if maker.kind != MAP or value in self.visible:
            return False
        if not any(v is value and by_rows for v, by_rows in maker.writes()):
            return False
        region = self.region[maker]
        return all(
            by_rows and self.region[i] is region
            for i, by_rows in self.readers.get(value, ())
        )

    def _share_in_place(self) -> None:
        """Let an instruction write where an input lay that nobody reads again."""
        root = self.schedule.root
        self.chunked = {
            value
            for value, maker in self.schedule.maker.items()
            if isinstance(value, Tensor)
            and value not in self.schedule.in_place
            and self._fits_a_chunk(value, maker)
        }
        for i in self.position:
            for output, number in i.inplace.items():
                y, x = _tensor(i.outputs[output]), root(_tensor(i.inputs[number]))
                if y in self.chunked and x in self.chunked and y not in self._shared:
                    last = max(
                        self.position[j] for j, _ in self.readers[self._final(x)]
                    )
                    same = _bytes(x) == _bytes(y)
                    if same and last == self.position[i] and not self._taken(x, i):
                        self._share(y, x)

    def _final(self, value: Any) -> Any:
        return self._shared.get(value, value)

    def _taken(self, x: Any, instruction: Instruction) -> bool:
        """Whether another output of the instruction lies there already."""
        outputs = (_tensor(y) for y in instruction.outputs if y is not None)
        return any(self._final(y) is self._final(x) for y in outputs)

    def _share(self, y: Tensor, x: Any) -> None:
        home = self._final(x)
        self._shared[y] = home
        self.readers[home] = [*self.readers[home], *self.readers.get(y, ())]

    # --- places

    def _place_chunks(self) -> None:
        """A number of rows for each region such that what they need stays in cache."""
        root = self.schedule.root
        for region in self.schedule.regions:
            if region.kind != MAP:
                continue
            spans = []
            for i in region.instructions:
                for value, _ in i.writes():
                    if value in self.chunked and root(value) not in self._shared:
                        ends = [
                            self.position[j] for j, _ in self.readers.get(value, ())
                        ]
                        last = max(ends, default=self.position[i])
                        spans.append((value, self.position[i], last))
            row_bytes = {value: self._row_bytes(value) for value, _, _ in spans}
            _, each = first_fit((v, row_bytes[v], a, b) for v, a, b in spans)
            region.chunk = self._rows_at_a_time(region, each)
            offsets, size = first_fit(
                (v, _aligned(region.chunk * row_bytes[v]), a, b) for v, a, b in spans
            )
            self._place.update({v: Place(CHUNK, o) for v, o in offsets.items()})
            self.sizes[CHUNK] = max(self.sizes[CHUNK], size)

    def _rows_at_a_time(self, region: Region, bytes_each: int) -> int:
        shard = max(1, -(-self.rows // self.shards))
        fitting = max(1, CACHE // max(bytes_each, 1))
        wanted = max((i.chunk for i in region.instructions), default=0)
        wanted = min(wanted, max(1, ROOMY * CACHE // max(bytes_each, 1)))
        rows = max(min(fitting, shard), min(wanted, shard), 1)
        pieces = -(-shard // rows)  # of equal size
        return -(-shard // pieces)

    def _place_rest(self) -> None:
        epoch = self.schedule.epoch
        spans: dict[int, list[tuple[Any, int, int, int]]] = {FULL: [], SHARD: []}
        for value, maker in self.schedule.maker.items():
            if value in self._place or value in self._shared:
                continue
            if value in self.schedule.in_place:
                self._place[value] = self._array(self.schedule.in_place[value])
                continue
            ends = (epoch[i] for i, _ in self.readers.get(value, ()))
            last = (
                _FOREVER if value in self.visible else max(ends, default=epoch[maker])
            )
            space = SHARD if isinstance(value, Accumulator) else FULL
            size = _aligned(_bytes(value))
            spans[space].append((value, size, epoch[maker], last))
        for space, some in spans.items():
            offsets, self.sizes[space] = first_fit(some)
            self._place.update({v: Place(space, o) for v, o in offsets.items()})

    def _array(self, what: Any) -> Place:
        if what not in self._number:
            self._number[what] = len(self.arrays)
            self.arrays.append(what)
        return Place(ARRAYS + self._number[what], 0)

    def _row_bytes(self, tensor: Tensor) -> int:
        """What one sample takes; a tensor's first axis may be (batch * time)."""
        return _bytes(tensor) // max(self.rows, 1)

    # --- answers

    def place(self, value: Any) -> Place:
        """Where a value lies: one that is made, a leaf, or a Source."""
        if isinstance(value, Source):
            return self._array(value)
        root = self._final(self.schedule.root(value))
        if root not in self._place:
            self._place[root] = self._array(root)
        return self._place[root]

    def operand(self, operand: Any) -> tuple[int, int, int]:
        """(space, offset, step) as native code wants them."""
        if operand is None:
            return ABSENT, 0, 0
        if isinstance(operand, Rows):
            return *self.place(operand.tensor), self._row_bytes(operand.tensor)
        return *self.place(operand), 0


def first_fit(
    spans: Iterable[tuple[Any, int, int, int]],
) -> tuple[dict[Any, int], int]:
    """Offsets for (value, bytes, first, last), where what is alive never overlaps."""
    placed: list[tuple[int, int, int, int]] = []
    offsets: dict[Any, int] = {}
    for value, size, first, last in sorted(spans, key=lambda span: -span[1]):
        at = 0
        for start, end, born, died in sorted(placed):
            if died < first or last < born:
                continue
            if at + size <= start:
                break
            at = max(at, end)
        placed.append((at, at + size, first, last))
        offsets[value] = at
    return offsets, max((end for _, end, _, _ in placed), default=0)


def _tensor(operand: Any) -> Any:
    return operand.tensor if isinstance(operand, Rows) else operand


def _bytes(value: Any) -> int:
    if isinstance(value, Accumulator):
        return value.bytes
    return int(np.prod(value.shape)) * np.dtype(value.dtype).itemsize


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


__all__ = ["ARRAYS", "CHUNK", "FULL", "SHARD", "Memory", "Place", "Variable"]
