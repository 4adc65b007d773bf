"""Neighbours in memory: one update over all weights instead of one for each.

The updates of an optimizer are the same operation, on other arrays. Where the weights
lie one behind the other, and their gradients and slots as well, all of these updates
are one call over one long array. Three steps: find such runs (of the graph), place
their arrays side by side (once), and join the calls whose arrays really are neighbours
(at every binding; another model may have taken a shared weight to another place).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from deepneuron.engine.graph import Graph, Node
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable

ALIGN = 64  # bytes of a cache line: every array begins on a new one


def room(tensor: Any) -> int:
    """The bytes that a value takes up, rounded up to whole cache lines."""
    size = int(np.prod(tensor.shape)) * np.dtype(tensor.dtype).itemsize
    return -(-size // ALIGN) * ALIGN


def update_runs(graph: Graph) -> Iterator[list[Node]]:
    """Runs of nodes that do the same to different variables, one after the other."""
    committed = set(graph.commits.values())

    def kind(node: Node) -> Any:
        updates = node.op.pointwise and any(y in committed for y in node.outputs)
        scalars = tuple(x for x in node.inputs if x.shape == ())
        dtypes = tuple(x.dtype for x in node.inputs)
        return (node.op, repr(node.attrs), scalars, dtypes) if updates else None

    running = (node for node in graph.nodes if not node.op.view)
    for key, nodes in groupby(running, kind):
        run = list(nodes)
        if key is not None and len(run) > 1:
            yield run


def columns(run: list[Node]) -> Iterator[list[Tensor]]:
    """The first inputs of a run's nodes, their second inputs, ... without scalars."""
    for column in zip(*(node.inputs for node in run), strict=True):
        if all(x.shape != () for x in column) and len(set(column)) == len(column):
            yield list(column)


def pack(variables: list[Variable]) -> None:
    """Move variables into one block of memory, unless they lie in one already."""
    if _steps([[v.array] for v in variables]) is not None:
        return
    block = np.zeros(sum(room(v) for v in variables) + ALIGN, "uint8")
    start = -block.ctypes.data % ALIGN
    for v in variables:
        size = v.array.nbytes
        v.move_to(block[start : start + size].view(v.dtype).reshape(v.shape))
        start += room(v)


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def _steps(rows: list[list[np.ndarray]]) -> list[int] | None:
    """How many elements each row's arrays lie before the next row's; None if unequal.

    Every array of a row must be followed, at one distance, by that of the next row.
    """
    steps = []
    for row, following in pairwise(rows):
        pairs = list(zip(row, following, strict=True))
        if not all(_follows(a, b) for a, b in pairs):
            return None
        distances = {(_address(b) - _address(a)) // a.itemsize for a, b in pairs}
        if len(distances) > 1:
            return None
        steps.append(distances.pop())
    return steps


def _follows(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether b lies behind a in the same block, with nothing between but a's padding.

    What belongs to others must not lie between: a call over both would write there.
    """
    return _block(a) is _block(b) and _address(b) - _address(a) == room(a)


def _block(array: np.ndarray) -> Any:
    while array.base is not None:
        array = array.base
    return array


def spans(rows: list[list[np.ndarray]]) -> list[np.ndarray] | None:
    """One long array for each column of neighbouring arrays, or None.

    Args:
        rows: for each call, its arrays of equal size.
    """
    steps = _steps(rows)
    if steps is None:
        return None
    length = sum(steps) + rows[-1][0].size
    return [
        np.lib.stride_tricks.as_strided(
            array.reshape(-1), (length,), (array.itemsize,), writeable=True
        )
        for array in rows[0]
    ]


def overlap_shifted(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays share memory without beginning at the same place."""
    first, second = _address(a), _address(b)
    apart = first + a.nbytes <= second or second + b.nbytes <= first
    return first != second and not apart


def blocks(runs: Iterable[list[Node]]) -> Iterator[list[Tensor]]:
    """The columns of runs that are no variables: gradients, to be placed together."""
    for run in runs:
        for column in columns(run):
            if not any(isinstance(x, Variable) for x in column):
                yield column
