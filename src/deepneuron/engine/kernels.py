"""A KernelSet plans graphs and runs the plans.

The NumPy set calls `Op.forward` for everything. It is also the judge of every faster
set, and computes what that one has no kernel for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from deepneuron.engine.executor import Executor
from deepneuron.engine.graph import Graph
from deepneuron.engine.plan import Plan, make_plan
from deepneuron.engine.rewrites import rewrite


class Runner(Protocol):
    """A plan with memory of its own; one thread may use it at a time."""

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """One step; copies of the graph's outputs."""


class KernelSet(Protocol):
    """What a captured step runs on."""

    name: str

    def plan(self, graph: Graph) -> Any:
        """What has to be known to run a graph, found out once."""

    def executor(self, plan: Any) -> Runner:
        """A plan with memory of its own."""


class NumpyKernels:
    """`Op.forward` of every operation, on memory that was planned beforehand."""

    name = "numpy"
    executor = staticmethod(Executor)

    @staticmethod
    def plan(graph: Graph) -> Plan:
        return make_plan(rewrite(graph, exact=True))


NUMPY = NumpyKernels()
