"""Capture: run a function once on symbolic tensors, and keep what it wrote down."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from deepneuron.engine import scope
from deepneuron.engine.convert import as_tensor
from deepneuron.engine.dtypes import result_type
from deepneuron.engine.graph import Graph
from deepneuron.engine.kernels import NUMPY, KernelSet, Runner
from deepneuron.engine.nest import flatten, pack
from deepneuron.engine.tensor import Tensor


def capture(
    function: Callable[..., Any], *args: Any, keep: Callable[[Graph], Any] | None = None
) -> tuple[Graph, Any]:
    """The graph of `function(*args)`, and the structure of what it returns.

    Args:
        function: Python code over tensors; it runs once.
        *args: arrays, or lists, tuples and dictionaries of arrays; only shapes and
            types matter.
        keep: chooses, of the finished graph, the values that a run must not overwrite.

    >>> import numpy as np, deepneuron as dn
    >>> graph, _ = capture(lambda x: dn.ops.exp(x) + 1.0, np.zeros(3, "float32"))
    >>> [node.op.name for node in graph.nodes]
    ['exp', 'add']
    """
    leaves, structure = flatten(args)
    inputs = [Tensor(x.shape, x.dtype, name=f"input_{i}") for i, x in enumerate(leaves)]
    with scope.use(scope.Capture()) as captured:
        result = function(*pack(structure, inputs))
    outputs, output_structure = flatten(result)
    outputs = [as_tensor(y) for y in outputs]
    graph = Graph(inputs, outputs, captured.updates)
    if keep is not None:
        graph = Graph(inputs, outputs, captured.updates, keep(graph))
    return graph, output_structure


class _Compiled:
    """A plan, the structure of its result, and the executors free to run it."""

    def __init__(self, graph: Graph, structure: Any, kernels: KernelSet) -> None:
        self.plan, self.structure, self.kernels = (
            kernels.plan(graph),
            structure,
            kernels,
        )
        self._free: list[Runner] = []
        self._lock = threading.Lock()

    def run(self, leaves: list[np.ndarray]) -> Any:
        with self.executor() as executor:
            return pack(self.structure, executor.run(leaves))

    @contextmanager
    def executor(self) -> Iterator[Runner]:
        """One that is free; a second thread gets one with memory of its own."""
        with self._lock:
            executor = self._free.pop() if self._free else None
        executor = executor or self.kernels.executor(self.plan)
        try:
            yield executor
        finally:
            with self._lock:
                self._free.append(executor)


def _array(x: Any) -> np.ndarray:
    """x as an array; a Python number has the type that it has in Keras."""
    number = isinstance(x, (int, float))
    return np.asarray(x, result_type(type(x))) if number else np.asarray(x)


class Function:
    """A function over tensors that is captured and planned once per shape of its input.

    What the function reads from Python (an attribute of a layer, a global) is read when
    it is captured, and is a constant from then on, unless `key` tells of it.

    Args:
        function: Python code over tensors.
        key: returns what else the graph depends on, such as which weights are frozen.
        kernels: returns the kernel set that runs it; asked at every call.
        most: how many plans, each with its memory, are kept; beyond, the one that was
            not used for the longest time is made anew when its shape comes again.

    >>> import numpy as np, deepneuron as dn
    >>> double = Function(lambda x: x + x)
    >>> double(np.ones(2, "float32"))
    array([2., 2.], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        key: Callable[[], Hashable] = lambda: None,
        kernels: Callable[[], KernelSet] = lambda: NUMPY,
        most: int = 32,
    ) -> None:
        self.function, self.key, self.kernels, self.most = function, key, kernels, most
        self._plans: OrderedDict[Hashable, _Compiled] = OrderedDict()  # by last use
        self._plans_lock = threading.Lock()
        self._capture_lock = threading.RLock()  # others go on running meanwhile

    def __call__(self, *args: Any) -> Any:
        """Run on arrays, or on lists, tuples and dictionaries of arrays."""
        leaves, structure = flatten(args)
        leaves = [_array(x) for x in leaves]
        return self._compiled(leaves, structure).run(leaves)

    def _compiled(self, leaves: list[Any], structure: Any) -> _Compiled:
        """The plan for leaves of these shapes and types."""
        kernels = self.kernels()
        shapes = (kernels, structure, tuple((x.shape, x.dtype) for x in leaves))
        compiled = self._find((*shapes, self.key()))
        if compiled is None:
            with self._capture_lock:
                compiled = self._find((*shapes, self.key()))
                if compiled is None:
                    graph, result = capture(self.function, *pack(structure, leaves))
                    compiled = _Compiled(graph, result, kernels)
                    # The key is asked again: capturing may have built layers.
                    self._keep((*shapes, self.key()), compiled)
        return compiled

    def many(self, samples: list[np.ndarray], structure: Any, rows: int) -> Any:
        """What makes many steps at once, if the kernel set can.

        Args:
            samples: the leaves of all samples that batches are made of.
            structure: of a batch.
            rows: samples in a batch.

        Returns:
            None, or a function of the samples' numbers, (steps * rows,) int64. It
            returns what the last of the steps did.
        """
        if not all(x.flags.c_contiguous and len(x) >= rows > 0 for x in samples):
            return None
        batch = [x[:rows] for x in samples]
        leaves, batch_structure = flatten((pack(structure, batch),))
        compiled = self._compiled(leaves, batch_structure)
        if not getattr(compiled.plan, "whole", False):
            return None

        def run(order: np.ndarray) -> Any:
            with compiled.executor() as free:
                executor: Any = free
                while True:
                    done = executor.run_steps(samples, order)
                    order = order[done * rows :]
                    if not len(order):
                        return pack(compiled.structure, executor.outputs())
                    # A step that native code would not make: this one says why, or
                    # makes it.
                    result = executor.run([x[order[:rows]] for x in samples])
                    order = order[rows:]
                    if not len(order):
                        return pack(compiled.structure, result)

        return run

    def _find(self, signature: Hashable) -> _Compiled | None:
        with self._plans_lock:
            compiled = self._plans.get(signature)
            if compiled is not None:
                self._plans.move_to_end(signature)
            return compiled

    def _keep(self, signature: Hashable, compiled: _Compiled) -> None:
        with self._plans_lock:
            self._plans[signature] = compiled
            if len(self._plans) > self.most:
                self._plans.popitem(last=False)
