"""Watch: what a plan records of its steps, and when it stops by itself.

All of it happens in native code, between the other instructions. A step that the guard
stops has changed nothing: it can be made again, with more of it kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from deepneuron.engine.graph import Graph
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import TEAM, Lowering

NOT_FINITE = 2  # what a run reports where the guard stopped it


def losses_and_gradients(graph: Graph) -> list[Tensor]:
    """What a guard looks at unless it is told: floats handed out or read by updates."""
    updates = {value.node for value in graph.commits.values() if value.node}
    read = (x for node in graph.nodes if node in updates for x in node.inputs)
    made = (x for x in read if x.node is not None and x.shape)
    return [t for t in dict.fromkeys((*graph.outputs, *made)) if t.dtype == "float32"]


@dataclass(frozen=True)
class Watch:
    """How a run is watched.

    Attributes:
        every: record the graph's kept values in each step whose number this divides;
            0 records nothing.
        last: so many records are held; then the oldest is overwritten.
        guard: chooses the values of a graph that have to be finite; None guards
            nothing.
    """

    every: int = 1
    last: int = 16
    guard: Callable[[Graph], Iterable[Tensor]] | None = losses_and_gradients

    def guarded(self, graph: Graph) -> tuple[Tensor, ...]:
        """The values that have to be finite."""
        return tuple(self.guard(graph)) if self.guard else ()


class Records:
    """The places that kept values are recorded in.

    Attributes:
        arrays: for each kept value, (last, *shape).
    """

    def __init__(self, watch: Watch, graph: Graph) -> None:
        self.watch = watch
        self.arrays = [np.zeros((watch.last, *t.shape), t.dtype) for t in graph.keep]

    def lower(self, low: Lowering, graph: Graph) -> None:
        """Emit the instructions that record and guard."""
        watch = self.watch
        if watch.every:
            for value, array in zip(graph.keep, self.arrays, strict=True):
                place = Tensor(array.shape, value.dtype, value=array)
                ints = [array[0].nbytes, watch.every, watch.last]
                low.emit("record", TEAM, [value, place], [], ints)
        for value in watch.guarded(graph):
            low.emit(
                "guard", TEAM, [value], [], [int(np.prod(value.shape))], faults=True
            )

    def at(self, step: int) -> list[np.ndarray]:
        """The kept values of a step, as views.

        Raises:
            KeyError: the step was not recorded.
        """
        if step < 0 or not self.watch.every or step % self.watch.every:
            raise KeyError(step)
        return [a[step // self.watch.every % self.watch.last] for a in self.arrays]


__all__ = ["NOT_FINITE", "Records", "Watch", "losses_and_gradients"]
