"""Instructions: what the planner writes, and what native code runs. Plain data.

Their kinds:

    MAP     the rows of the batch are independent of one another
    TEAM    all threads share the work
    SERIAL  one thread does it
    PYTHON  no kernel knows it: `Op.forward` computes it, between two native calls
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor

MAP, TEAM, SERIAL, PYTHON = range(4)


@dataclass(frozen=True, eq=False)
class Rows:
    """An operand that is read or written row by row: row r belongs to sample r."""

    tensor: Tensor


@dataclass(eq=False)
class Accumulator:
    """Where a shard of the batch sums up what its rows contribute."""

    bytes: int


@dataclass(eq=False)
class Source:
    """All the samples that an input's batches are taken from."""

    number: int


@dataclass(eq=False)
class Instruction:
    """One call of a kernel.

    Attributes:
        inputs, outputs: `Rows`, tensors, Accumulators, or None for an absent one; the
            kernel knows them by number, inputs first.
        ints, floats: what else the kernel is told.
        nodes: the graph's nodes that it stands for.
        inplace: {output: input} that may share memory.
        chunk: how many rows at a time suit a MAP kernel best; 0: it does not care.
        faults: whether it may find that a step cannot go on.
        cheap: whether what a MAP kernel makes is better made again than stored.
    """

    kernel: str
    kind: int
    inputs: list[Any]
    outputs: list[Any]
    ints: list[int] = field(default_factory=list)
    floats: list[float] = field(default_factory=list)
    nodes: tuple[Node, ...] = ()
    inplace: dict[int, int] = field(default_factory=dict)
    chunk: int = 0
    faults: bool = False
    cheap: bool = False

    def reads(self) -> Iterator[tuple[Any, bool]]:
        """(tensor or Accumulator, whether row by row) of every input."""
        return _values(self.inputs)

    def writes(self) -> Iterator[tuple[Any, bool]]:
        """(tensor or Accumulator, whether row by row) of every output."""
        return _values(self.outputs)

    def __repr__(self) -> str:
        def show(operand: Any) -> str:
            tensor = operand.tensor if isinstance(operand, Rows) else operand
            if isinstance(tensor, Tensor):
                return f"{tensor.name or ''}{list(tensor.shape)}"
            return "-" if tensor is None else type(tensor).__name__.lower()

        ins, outs = (
            ", ".join(map(show, self.inputs)),
            ", ".join(map(show, self.outputs)),
        )
        return f"{outs} = {self.kernel}({ins})"


def _values(operands: list[Any]) -> Iterator[tuple[Any, bool]]:
    for operand in operands:
        if isinstance(operand, Rows):
            yield operand.tensor, True
        elif operand is not None and not isinstance(operand, Source):
            yield operand, False
