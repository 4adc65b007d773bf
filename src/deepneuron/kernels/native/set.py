"""The native kernel set, as the engine knows kernel sets."""

from __future__ import annotations

from deepneuron.engine.graph import Graph
from deepneuron.kernels.native import _native
from deepneuron.kernels.native.executor import NativeExecutor
from deepneuron.kernels.native.plan import NativePlan
from deepneuron.kernels.native.watch import Watch


class NativeKernels:
    """Plans for native code, and what runs them."""

    name = "native"

    def __init__(self, isa: str, threads: int) -> None:
        self.isa, self.threads = isa, threads

    def plan(self, graph: Graph, watch: Watch | None = None) -> NativePlan:
        return NativePlan(graph, self.threads, watch)

    def executor(self, plan: NativePlan) -> NativeExecutor:
        if _native.threads() < self.threads:
            _native.set_threads(self.threads)
        return NativeExecutor(plan, self.isa)
