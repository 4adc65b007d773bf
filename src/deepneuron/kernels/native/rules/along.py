"""Along one axis, whichever it is; for the last one, others may know a quicker way."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, Lowering, Rows, lowers

_LABELS = ("int32", "int64")


def _around(low: Lowering, x: Tensor, axis: object) -> list[int] | None:
    """[values before the axis, along it, behind it] in a row; None: it is no such."""
    if not low.batched(x) or not isinstance(axis, int) or not math.prod(x.shape):
        return None
    axis %= len(x.shape)
    before, after = x.shape[1:axis], x.shape[axis + 1 :]
    return [math.prod(before), x.shape[axis], math.prod(after)] if axis else None


@lowers("argmax", "argmin")
def position(low: Lowering, node: Node) -> bool:
    """y = the first position of an extreme"""
    (x,), (y,) = node.inputs, node.outputs
    sizes = _around(low, x, node.attrs["axis"])
    if sizes is None or x.dtype != "float32":
        return False
    ints = [*sizes, node.op.name == "argmin"]
    low.emit("position", MAP, [Rows(x)], [Rows(y)], ints, nodes=[node])
    return True


@lowers("argsort_along")
def order(low: Lowering, node: Node) -> bool:
    """y = the positions that put x in order"""
    (x,), (y,) = node.inputs, node.outputs
    sizes = _around(low, x, node.attrs["axis"])
    if sizes is None or x.dtype != "float32":
        return False
    ints = [*sizes, node.attrs["descending"]]
    low.emit("order", MAP, [Rows(x)], [Rows(y)], ints, nodes=[node])
    return True


@lowers("gather_along", "scatter_along")
def at_places(low: Lowering, node: Node) -> bool:
    """y = x at places along the axis; and the way back"""
    (x, t), (y,) = node.inputs, node.outputs
    takes, axis = node.op.name == "gather_along", node.attrs["axis"]
    whole, part = (x, y) if takes else (y, x)
    if not low.batched(x, t) or t.dtype not in _LABELS or part.shape != t.shape:
        return False
    sizes = _around(low, x, axis)
    known = ("float32", "int32") if takes else ("float32",)
    if sizes is None or x.dtype not in known or not math.prod(y.shape):
        return False
    axis %= len(x.shape)
    if any(
        n != m
        for i, (n, m) in enumerate(zip(whole.shape, t.shape, strict=True))
        if i != axis
    ):
        return False
    ints = [sizes[0], whole.shape[axis], sizes[2], t.shape[axis]]
    low.emit(
        f"{'take' if takes else 'add'}_along_{t.dtype}",
        MAP,
        [Rows(x), Rows(t)],
        [Rows(y)],
        ints,
        nodes=[node],
        faults=True,
    )
    return True


@lowers("gather", "scatter_add")
def at_same_places(low: Lowering, node: Node) -> bool:
    """y = x at places that are those of every sample; and the way back"""
    (x, t), (y,) = node.inputs, node.outputs
    takes, axis = node.op.name == "gather", node.attrs["axis"]
    sizes = _around(low, x, axis)
    known = ("float32", "int32") if takes else ("float32",)
    if sizes is None or x.dtype not in known or not math.prod(y.shape):
        return False
    if t.dtype != "int32":
        return False
    before, behind = sizes[0], y.shape[axis + (len(t.shape) if takes else 1) :]
    n = x.shape[axis] if takes else y.shape[axis]
    low.emit(
        "take_same" if takes else "add_same",
        MAP,
        [Rows(x), t],
        [Rows(y)],
        [before, n, math.prod(behind), math.prod(t.shape)],
        nodes=[node],
        faults=True,
    )
    return True


@lowers("one_hot_value")
def one_hot(low: Lowering, node: Node) -> bool:
    """y = 1 at the number of the class"""
    (t,), (y,) = node.inputs, node.outputs
    axis = node.attrs["axis"] % len(y.shape)
    known = t.dtype in _LABELS and y.dtype in ("float32", "int32")
    if not low.batched(t) or not known or not math.prod(y.shape) or axis == 0:
        return False
    before, after = math.prod(y.shape[1:axis]), math.prod(y.shape[axis + 1 :])
    one = int(np.ones((), y.dtype).view("int32"))
    ints = [before, y.shape[axis], after, one]
    low.emit(f"one_hot_{t.dtype}", MAP, [Rows(t)], [Rows(y)], ints, nodes=[node])
    return True


@lowers("cumulative_sum")
def cumulative_sum(low: Lowering, node: Node) -> bool:
    """y[i] = x[0] + ... + x[i]"""
    return _of_floats(low, node, "cumulative_sum")


@lowers("softmax")
def softmax(low: Lowering, node: Node) -> bool:
    """y = e^x / sum of e^x"""
    return _of_floats(low, node, "softmax_along")


@lowers("softmax_grad")
def softmax_grad(low: Lowering, node: Node) -> bool:
    """dx = y (dy - sum of y dy)"""
    return _of_floats(low, node, "softmax_along_grad")


def _of_floats(low: Lowering, node: Node, kernel: str) -> bool:
    """A kernel on arrays of one shape, each line along the axis for itself."""
    (y,) = node.outputs
    sizes = _around(low, node.inputs[0], node.attrs["axis"])
    fits = all((x.shape, x.dtype) == (y.shape, "float32") for x in node.inputs)
    if sizes is None or not fits or not low.batched(*node.inputs):
        return False
    inputs = [Rows(x) for x in node.inputs]
    low.emit(kernel, MAP, inputs, [Rows(y)], sizes, nodes=[node])
    return True
