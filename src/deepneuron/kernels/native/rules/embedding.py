"""Embedding: rows of a table by their numbers, and the gradient."""

from __future__ import annotations

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, TEAM, Lowering, Rows, lowers

LABELS = ("int32", "int64")


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


@lowers("gather")
def take_rows(low: Lowering, node: Node) -> bool:
    """y = table[t], where every sample has numbers of its own."""
    (table, t), (y,) = node.inputs, node.outputs
    if node.attrs["axis"] != 0 or low.batched(table) or not _fits(low, table, t):
        return False
    ints = [_size(t.shape[1:]), table.shape[0], _size(table.shape[1:])]
    low.emit(
        f"take_rows_{t.dtype}",
        MAP,
        [table, Rows(t)],
        [Rows(y)],
        ints,
        nodes=[node],
        faults=True,
    )
    return True


@lowers("scatter_add")
def add_to_rows(low: Lowering, node: Node) -> bool:
    """dtable = every dy added at its t."""
    (dy, t), (dtable,) = node.inputs, node.outputs
    if node.attrs["axis"] != 0 or not low.batched(dy) or not _fits(low, dy, t):
        return False
    ints = [_size(t.shape[1:]), dtable.shape[0], _size(dtable.shape[1:])]
    low.emit(
        f"add_to_rows_{t.dtype}",
        TEAM,
        [Rows(dy), Rows(t)],
        [dtable],
        ints,
        nodes=[node],
        faults=True,
    )
    return True


def _fits(low: Lowering, x: Tensor, t: Tensor) -> bool:
    return low.batched(t) and t.dtype in LABELS and x.dtype == "float32"
