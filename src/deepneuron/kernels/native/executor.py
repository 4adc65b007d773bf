"""NativeExecutor: a plan with memory of its own, run by native code.

Two ways to run it:

    run(inputs)                one step; what the graph hands out is copied out
    run_steps(samples, order)  many steps without Python, on rows of the samples
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from deepneuron.engine.executor import Executor
from deepneuron.engine.registry import registry
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.engine.workspace import Workspace, activate
from deepneuron.errors import DivergenceError
from deepneuron.kernels.native import _native
from deepneuron.kernels.native.memory import CHUNK, FULL, SHARD
from deepneuron.kernels.native.plan import NativePlan
from deepneuron.kernels.native.program import PYTHON, Instruction, Source
from deepneuron.kernels.native.watch import NOT_FINITE


class Snapshot(NamedTuple):
    """A state to go back to: weights, slots, moving statistics, seeds, counters."""

    step: int
    values: list[np.ndarray]


class NativeExecutor:
    """Runs a NativePlan. One thread may use it at a time; others make their own.

    Args:
        plan: what to run.
        isa: the instruction set.
    """

    def __init__(self, plan: NativePlan, isa: str) -> None:
        self.plan, self.isa = plan, isa
        self._memory = memory = plan.memory
        self._operands = {
            i: [memory.operand(x) for x in (*i.inputs, *i.outputs)]
            for region in plan.regions
            for i in region.instructions
        }
        for t in (*plan.graph.outputs, *plan.graph.keep):
            memory.place(t)
        self._program = self._encode()
        size = memory.sizes[FULL]
        block: Any = (ctypes.c_char * max(size, 1)).from_address(self._program.full())
        self._full = np.frombuffer(block, "uint8")
        self._workspace = Workspace()
        self._rows = np.arange(plan.rows)
        self._inputs = [np.empty(x.shape, x.dtype) for x in plan.graph.inputs]
        self._judge: Executor | None = None
        self.fault = 0
        self._bind()

    def _encode(self) -> Any:
        plan, sizes = self.plan, self._memory.sizes
        program = _native.Program(
            plan.threads,
            plan.shards,
            plan.rows,
            sizes[FULL],
            sizes[CHUNK],
            sizes[SHARD],
            len(self._memory.arrays),
        )
        first = 0
        for number, region in enumerate(plan.regions):
            if region.kind == PYTHON:
                program.add_region(PYTHON, 0, first, first, False)
                continue
            for i in region.instructions:
                program.add(self.isa, i.kernel, self._operands[i], i.ints, i.floats)
            last = first + len(region.instructions)
            following = plan.regions[number + 1 :][:1]
            meet = not following or following[0].epoch != region.epoch
            program.add_region(region.kind, region.chunk, first, last, meet)
            first = last
        return program

    def _bind(self) -> None:
        """Tell native code where the arrays of Python lie."""
        self._moved = Variable.moved
        numbers = {x: n for n, x in enumerate(self.plan.graph.inputs)}
        self._arrays: list[np.ndarray] = []
        self._given: list[tuple[int, int]] = []  # (array, input that it holds)
        for number, what in enumerate(self._memory.arrays):
            if isinstance(what, Variable):
                array = what.array
            elif isinstance(what, Source) or what in numbers:
                given = what.number if isinstance(what, Source) else numbers[what]
                self._given.append((number, given))
                array = self._inputs[given]
            else:
                array = np.ascontiguousarray(what.value_or_none())
            self._arrays.append(array)
            self._program.bind(number, _address(array))
        self._outputs = [self._array(t) for t in self.plan.graph.outputs]

    def _bind_inputs(self, arrays: Sequence[np.ndarray]) -> None:
        for number, given in self._given:
            self._arrays[number] = arrays[given]
            self._program.bind(number, _address(arrays[given]))

    # --- running

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """One step on the arrays of one batch; copies of the graph's outputs."""
        for buffer, array in zip(self._inputs, inputs, strict=True):
            np.copyto(buffer, array)
        if self._moved != Variable.moved:
            self._bind()
        if self._steps(self._rows, 1) == 0:
            if self.fault == NOT_FINITE:
                raise DivergenceError(
                    "A loss or a gradient of this step is NaN or infinite; nothing was "
                    "updated."
                )
            return self._run_judge(inputs)
        return self.outputs()

    def run_steps(self, samples: Sequence[np.ndarray], order: np.ndarray) -> int:
        """As many whole steps as `order` has batches; how many of them were made.

        Args:
            samples: for each input of the graph all samples, contiguous, of its type.
            order: (steps * rows,) int64, which sample each row of each batch is.

        Returns:
            Fewer than were asked for, if a step found that it cannot go on: `run` on
            that batch then raises an error that says why.
        """
        if self._moved != Variable.moved:
            self._bind()
        self._bind_inputs(samples)
        try:
            return self._steps(order, len(order) // self.plan.rows)
        finally:
            self._bind_inputs(self._inputs)  # an executor keeps no samples alive

    def _steps(self, order: np.ndarray, count: int) -> int:
        region, done = 0, 0
        self.fault = 0
        while done < count:
            rest = order[done * self.plan.rows :]
            steps, stopped, self.fault = self._program.run(
                region, count - done, _address(rest)
            )
            done += steps
            region = 0
            if self.fault:
                return done
            if stopped >= 0:
                self._call_numpy(self.plan.regions[stopped].instructions[0])
                region = stopped + 1
                if region == len(self.plan.regions):
                    done, region = done + 1, 0
                    self._program.step += 1
        return done

    def _call_numpy(self, i: Instruction) -> None:
        outs = tuple(self._array(y) for y in i.outputs)
        node = i.nodes[0]
        activate(self._workspace)
        try:
            with np.errstate(all="ignore"):
                registry[i.kernel].forward(
                    *(self._array(x) for x in i.inputs),
                    **node.attrs,
                    out=outs[0] if len(outs) == 1 else outs,
                )
        except Exception as error:
            error.add_note(f"in {node.op.name} ({node.path}, {node.source})")
            raise
        finally:
            self._workspace.release()
            activate(None)

    def _run_judge(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The step with NumPy, which raises the error that a kernel only noticed."""
        self._judge = self._judge or Executor(self.plan.judge)
        return self._judge.run(inputs)

    # --- going back

    def snapshot(self) -> Snapshot:
        """The state before the next step: what variables hold, and its number."""
        variables = self._variables()
        return Snapshot(self._program.step, [v.array.copy() for v in variables])

    def restore(self, snapshot: Snapshot) -> None:
        """Go back: the same steps on the same batches then give the same bits."""
        for variable, value in zip(self._variables(), snapshot.values, strict=True):
            variable.array[...] = value
        self._program.step = snapshot.step

    def _variables(self) -> list[Variable]:
        return [what for what in self._memory.arrays if isinstance(what, Variable)]

    # --- what came of it

    @property
    def step(self) -> int:
        """How many steps this executor has made."""
        return self._program.step

    def outputs(self) -> list[np.ndarray]:
        """Copies of the graph's outputs after the last step."""
        return [y.copy() for y in self._outputs]

    def kept(self) -> list[np.ndarray]:
        """Copies of the values that the graph was told to keep, of the last step."""
        return [self._array(t).copy() for t in self.plan.graph.keep]

    def _array(self, tensor: Tensor) -> np.ndarray:
        """The memory of a value; CHUNK has none that could be looked at."""
        space, offset = self._memory.place(tensor)
        if space == FULL:
            dtype = np.dtype(tensor.dtype)
            end = offset + int(np.prod(tensor.shape)) * dtype.itemsize
            return self._full[offset:end].view(dtype).reshape(tensor.shape)
        return self._arrays[space - 3].reshape(tensor.shape)


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])
