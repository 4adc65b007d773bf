"""Softmax and its logarithm along the last axis, each above its slope."""

from __future__ import annotations

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, Lowering, Rows, lowers


def lines_of(x: Tensor, axis: int = -1) -> list[int] | None:
    """[lines in a row, values of a line], if the axis is the last and not the batch."""
    if x.ndim < 2 or axis % x.ndim != x.ndim - 1 or x.shape[-1] == 0:
        return None
    lines = 1
    for n in x.shape[1:-1]:
        lines *= n
    return [lines, x.shape[-1]]


@lowers("softmax", "log_softmax", "softmax_grad", "log_softmax_grad")
def softmax(low: Lowering, node: Node) -> bool:
    """Line by line. A gradient reads all of a line before it writes any of it."""
    (y,), axis = node.outputs, node.attrs["axis"]
    if not low.batched(*node.inputs) or not isinstance(axis, int):
        return False
    if any((x.shape, x.dtype) != (y.shape, "float32") for x in node.inputs):
        return False
    sizes = lines_of(y, axis)
    if sizes is None:
        return False
    low.emit(
        node.op.name,
        MAP,
        [Rows(x) for x in node.inputs],
        [Rows(y)],
        sizes,
        nodes=[node],
        inplace={0: 0},
    )
    return True
