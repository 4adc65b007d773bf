"""Runs a Plan with NumPy: every instruction one call, bound to its arrays beforehand.

A step copies its inputs in, calls the kernels, copies what was asked for out, and
commits. It allocates nothing else: the arena and the scratch memory stay. Two ways:

    run(inputs)                one step on the arrays of a batch
    run_steps(samples, order)  many steps, on rows of the samples
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from deepneuron.engine.neighbours import overlap_shifted, pack, spans
from deepneuron.engine.plan import ARENA, CONSTANT, INPUT, Buffer, Instruction, Plan
from deepneuron.engine.registry import registry
from deepneuron.engine.variable import Variable
from deepneuron.engine.workspace import Workspace, activate


class _Call(NamedTuple):
    """An instruction with its arrays."""

    instruction: Instruction
    inputs: tuple[np.ndarray, ...]
    outs: tuple[np.ndarray, ...]

    def bound(self) -> Callable[[], Any]:
        op, outs = registry[self.instruction.kernel], self.outs
        out = outs[0] if len(outs) == 1 else outs
        return op.bind(*self.inputs, **self.instruction.attrs, out=out)

    def kind(self) -> Any:
        """Equal for calls that might become one; unique for all others."""
        if not registry[self.instruction.kernel].pointwise:
            return id(self)
        scalars = tuple(id(a) for a in self.inputs if a.shape == ())
        return self.instruction.kernel, repr(self.instruction.attrs), scalars

    def joined_with(self, others: list[_Call]) -> _Call | None:
        """One call over this call's arrays and the others' right behind them."""
        calls = [self, *others]
        rows = [[a for a in (*c.inputs, *c.outs) if a.shape != ()] for c in calls]
        same = all(len({a.size for a in row}) == 1 for row in rows)
        long = spans(rows) if same else None
        if long is None:
            return None
        arrays = iter(long)
        every = tuple(
            a if a.shape == () else next(arrays) for a in (*self.inputs, *self.outs)
        )
        inputs, outs = every[: len(self.inputs)], every[len(self.inputs) :]
        if any(overlap_shifted(x, y) for x in inputs for y in outs):
            return None  # one call reads what another one writes
        return self._replace(inputs=inputs, outs=outs)


class Executor:
    """A plan with memory of its own. One thread may run it at a time.

    Args:
        plan: what to run.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.workspace = Workspace()
        self._arena = np.empty(plan.arena, "uint8")
        self._inputs = [
            np.empty(plan.buffers[i].shape, plan.buffers[i].dtype) for i in plan.inputs
        ]
        self._results: list[np.ndarray] = []
        for variables in plan.packs:
            pack(variables)
        self._bind()

    def _bind(self) -> None:
        """Give every buffer its array and every instruction its arguments."""
        plan = self.plan
        self._moved = Variable.moved
        self._variables = [v.array for v in plan.variables]
        arrays = [self._array(buffer) for buffer in plan.buffers]
        self._calls = self._join([self._call(i, arrays) for i in plan.instructions])
        self._bound = [call.bound() for call in self._calls]
        self._outputs = [arrays[i] for i in plan.outputs]
        self._kept = [arrays[i] for i in plan.kept]
        self._commits = [(arrays[i], self._variables[v]) for i, v in plan.commits]

    def _array(self, buffer: Buffer) -> np.ndarray:
        if buffer.space == ARENA:
            dtype = np.dtype(buffer.dtype)
            end = buffer.place + int(np.prod(buffer.shape)) * dtype.itemsize
            return self._arena[buffer.place : end].view(dtype).reshape(buffer.shape)
        home = {INPUT: self._inputs, CONSTANT: self.plan.constants}.get(
            buffer.space, self._variables
        )
        return home[buffer.place].reshape(buffer.shape)

    def _call(self, instruction: Instruction, arrays: list[np.ndarray]) -> _Call:
        return _Call(
            instruction,
            tuple(arrays[i] for i in instruction.inputs),
            tuple(arrays[i] for i in instruction.outputs),
        )

    @staticmethod
    def _join(calls: list[_Call]) -> list[_Call]:
        """Make one call of updates whose arrays are neighbours."""
        joined: list[_Call] = []
        for _, group in groupby(calls, _Call.kind):
            run = list(group)
            whole = len(run) > 1 and run[0].joined_with(run[1:])
            joined.extend([whole] if whole else run)
        return joined

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """One step.

        Args:
            inputs: an array for each input of the graph; they are copied in.

        Returns:
            Copies of the graph's outputs.
        """
        for buffer, array in zip(self._inputs, inputs, strict=True):
            np.copyto(buffer, array)
        with self._ready():
            self._compute()
            self._commit()
        return self._results

    def run_steps(self, samples: Sequence[np.ndarray], order: np.ndarray) -> int:
        """A step for every batch in `order`; how many they were.

        Args:
            samples: for each input of the graph all samples, of its type.
            order: (steps * rows,) int64, which sample each row of each batch is.
        """
        batches = order.reshape(-1, len(self._inputs[0]))
        both = list(zip(samples, self._inputs, strict=True))
        with self._ready():
            for n, numbers in enumerate(batches, start=1):
                for x, batch in both:
                    # "clip" lets NumPy write straight into the batch
                    x.take(numbers, 0, batch, "clip")
                self._compute()
                self._commit(results=n == len(batches))
        return len(batches)

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """Variables where they lie now, scratch memory, NaN a value like others."""
        if self._moved != Variable.moved:
            self._bind()
        activate(self.workspace)
        try:
            with np.errstate(all="ignore"):
                yield
        finally:
            self.workspace.release()
            activate(None)

    def _compute(self) -> None:
        release = self.workspace.release
        done = 0
        try:
            for call in self._bound:
                call()
                release()
                done += 1
        except Exception as error:
            node = self._calls[done].instruction.nodes[0]
            error.add_note(f"in {node.op.name} ({node.path}, {node.source})")
            raise

    def _commit(self, results: bool = True) -> None:
        # Read all before writing any: two variables may be exchanging their values.
        values = [value.copy() for value, _ in self._commits]
        if results:
            self._results = [output.copy() for output in self._outputs]
        for value, (_, variable) in zip(values, self._commits, strict=True):
            np.copyto(variable, value)

    def outputs(self) -> list[np.ndarray]:
        """The graph's outputs in the last step of `run_steps`."""
        return self._results

    def kept(self) -> list[np.ndarray]:
        """Copies of the values that the graph was told to keep, of the last step."""
        return [array.copy() for array in self._kept]
