"""NativePlan: graph -> instructions -> regions -> places. Plain data, made once.

Five passes, each in a file of its own:

    rewrites   another graph with the same values
    lowering   nodes -> instructions, fused where a kernel allows
    schedule   instructions -> regions between meetings of the threads
    fusion     chains of elementwise operations -> one instruction
    memory     values -> bytes
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from deepneuron.engine.graph import Graph
from deepneuron.engine.plan import Plan, make_plan
from deepneuron.engine.rewrites import rewrite
from deepneuron.kernels.native import rules
from deepneuron.kernels.native.fusion import fuse
from deepneuron.kernels.native.lowering import Lowering
from deepneuron.kernels.native.memory import CHUNK, FULL, SHARD, Memory
from deepneuron.kernels.native.program import MAP, PYTHON, SERIAL, TEAM
from deepneuron.kernels.native.schedule import Schedule
from deepneuron.kernels.native.watch import Records, Watch

SMALL = 1 << 21  # multiplications and values; below, one thread alone is faster
_KINDS = {MAP: "map", TEAM: "team", SERIAL: "serial", PYTHON: "python"}


class NativePlan:
    """A graph as native code runs it.

    Args:
        graph: what a captured step computes.
        threads: how many threads there are.
        watch: what to record, and when to stop.

    Attributes:
        rows: samples in a batch.
        shards: parts of the batch that are summed apart; their number does not depend
            on the threads that take them, up to two.
    """

    def __init__(self, graph: Graph, threads: int, watch: Watch | None = None) -> None:
        rules.load()
        self.given = graph
        self.graph = graph = rewrite(graph)
        low = Lowering(graph, watch.guarded(graph) if watch else ())
        low.run()
        self.records = Records(watch, graph) if watch else None
        if self.records:
            self.records.lower(low, graph)
        self.rows = low.rows
        large = work(graph) >= SMALL
        self.threads = threads if large else 1
        self.shards = max(1, min(_shards(threads) if large else 1, self.rows))
        self.schedule = Schedule(low, graph)
        fuse(self.schedule, {low.home(t) for t in (*graph.outputs, *graph.keep)})
        self.regions = self.schedule.regions
        self.memory = Memory(self.schedule, graph, self.shards)

    @property
    def whole(self) -> bool:
        """Whether a step runs without Python in between."""
        return all(region.kind != PYTHON for region in self.regions)

    @cached_property
    def judge(self) -> Plan:
        """The NumPy plan of the same graph; it knows every error by its sentence."""
        return make_plan(self.given)

    def kernels(self) -> list[str]:
        """The kernels that a step calls, in order; NumPy's begin with `numpy.`"""
        return [
            f"numpy.{i.kernel}" if region.kind == PYTHON else i.kernel
            for region in self.regions
            for i in region.instructions
        ]

    def __str__(self) -> str:
        full, chunk, shard = (self.memory.sizes[s] for s in (FULL, CHUNK, SHARD))
        lines = [
            f"{self.threads} threads, {self.shards} shards of {self.rows} rows",
            f"bytes: {full:,}, {chunk:,} a thread, {shard:,} a shard",
        ]
        for region in self.regions:
            at_once = f" of {region.chunk} rows" if region.chunk else ""
            lines.append(f"{region.epoch:>3} {_KINDS[region.kind]}{at_once}")
            lines += [f"      {i!r}" for i in region.instructions]
        return "\n".join(lines)


def _shards(threads: int) -> int:
    """A power of two that keeps all threads busy."""
    return max(2, 1 << (threads - 1).bit_length())


def work(graph: Graph) -> int:
    """About how many multiplications and values a graph takes."""
    total = 0
    for node in graph.nodes:
        size = sum(int(np.prod(y.shape)) for y in node.outputs)
        total += size * _depth(node)
    return total


def _depth(node: Any) -> int:
    """How many products make one value of an operation."""
    name, shapes = node.op.name, [x.shape for x in node.inputs]
    if name in ("gemm", "matmul"):
        m, n = node.outputs[0].shape[-2:]
        a, b = (int(np.prod(shape[-2:])) for shape in shapes[:2])
        return max(1, round((a * b / max(m * n, 1)) ** 0.5))
    if name in ("conv2d", "conv2d_input_grad"):
        return int(np.prod(shapes[1][:2])) * min(shapes[1][2:])
    if name == "conv2d_kernel_grad":
        return int(np.prod(shapes[1][:3]))
    return 1
