"""Many values become one: sums, extremes, positions, softmax, products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron.errors import SavingError
from deepneuron.saving.onnx_graph import OnnxGraph
from deepneuron.saving.onnx_rules import is_whole, rule
from deepneuron.saving.onnx_trace import Step, Unknown, Value

_KINDS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "largest": "ReduceMax",
    "smallest": "ReduceMin",
    "prod": "ReduceProd",
    "all": "ReduceMin",
    "any": "ReduceMax",
}


def _axes(axis: Any, rank: int) -> list[int]:
    if axis is None:
        return list(range(rank))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return sorted({a % rank for a in axes})


@rule(*_KINDS)
def _reduce(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    axes, keep = _axes(step.attrs["axis"], x.rank), bool(step.attrs["keepdims"])
    if not axes:
        name = g.read(x)
        g.store(y, name if x.dtype == y.dtype else g.cast(name, y.dtype))
        return
    order = g.orders(x)[0]
    name = x.names[order]
    logic = step.op.name in ("all", "any")
    if logic:
        name = g.cast(name if x.dtype == "bool" else g.cast(name, "bool"), "int32")
    elif x.dtype != y.dtype:
        name = g.cast(name, y.dtype)
    name = reduce(g, _KINDS[step.op.name], name, [order.index(a) for a in axes], keep)
    name = g.cast(name, "bool") if logic else name
    left = order if keep else [a for a in order if a not in axes]
    rank = {a: i for i, a in enumerate(sorted(left))}
    g.store(y, name, tuple(rank[a] for a in left))


def reduce(g: OnnxGraph, kind: str, x: str, axes: list[int], keep: bool) -> str:
    """Emit a reduction; where the axes stand depends on the opset."""
    axes = sorted(axes)
    if kind == "ReduceSum" or g.opset >= 18:
        return g.emit(kind, x, g.whole(*axes), keepdims=int(keep))
    return g.emit(kind, x, axes=axes, keepdims=int(keep))


@rule("sum_to", sized=True)
def _sum_to(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    lead = x.rank - y.rank
    thin = [lead + i for i, n in enumerate(y.dims) if n == 1 != x.dims[lead + i]]
    name = g.read(x)
    if thin:
        name = reduce(g, "ReduceSum", name, thin, keep=True)
    if lead:
        name = reduce(g, "ReduceSum", name, list(range(lead)), keep=False)
    g.store(y, name)


@rule("argmax", "argmin")
def _position(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    kind = "ArgMax" if step.op.name == "argmax" else "ArgMin"
    axis, keep = step.attrs["axis"], bool(step.attrs["keepdims"])
    name = g.read(x)
    if axis is None:
        name = g.emit("Reshape", name, g.whole(-1))
        found = g.emit(kind, name, axis=0, keepdims=0)
        found = g.unsqueeze(found, list(range(x.rank))) if keep else found
    else:
        (axis,) = _axes(axis, x.rank)
        found = g.emit(kind, name, axis=axis, keepdims=int(keep))
    g.store(y, g.cast(found, y.dtype))


@rule("argsort_along")
def _argsort(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    (axis,) = _axes(step.attrs["axis"], x.rank)
    _, order = g.emit(
        "TopK",
        g.read(x),
        g.size(x.dims[axis]),
        outputs=2,
        axis=axis,
        largest=int(step.attrs["descending"]),
        sorted=1,
    )
    g.store(y, g.cast(order, y.dtype))


@rule("cumulative_sum")
def _cumulative_sum(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    (axis,) = _axes(step.attrs["axis"], x.rank)
    name = g.read(x) if x.dtype == y.dtype else g.cast(g.read(x), y.dtype)
    g.store(y, g.emit("CumSum", name, g.number(axis, "int64")))


# --- shares that sum to 1


@rule("softmax", "log_softmax")
def _softmax(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    axes = _axes(step.attrs["axis"], x.rank)
    order = g.orders(x)[0]
    name, at = x.names[order], [order.index(a) for a in axes]
    log = step.op.name == "log_softmax"
    if len(at) == 1:
        kind = "LogSoftmax" if log else "Softmax"
        g.store(y, g.emit(kind, name, axis=at[0]), order)
        return
    below = g.emit("Sub", name, reduce(g, "ReduceMax", name, at, keep=True))
    powers = g.emit("Exp", below)
    total = reduce(g, "ReduceSum", powers, at, keep=True)
    if log:
        g.store(y, g.emit("Sub", below, g.emit("Log", total)), order)
    else:
        g.store(y, g.emit("Div", powers, total), order)


@rule("sparsemax")
def _sparsemax(g: OnnxGraph, step: Step) -> None:
    """y = max(x - tau, 0); tau is the largest of (sum of the k largest - 1) / k"""
    (x,), (y,) = step.inputs, step.outputs
    (axis,) = _axes(step.attrs["axis"], x.rank)
    n = x.dims[axis]
    if isinstance(n, Unknown):
        raise SavingError(f"{step.where}: the size of its axis must be known.")
    name = g.read(x)
    falling, _ = g.emit("TopK", name, g.whole(n), outputs=2, axis=axis)
    sums = g.emit("CumSum", falling, g.number(axis, "int64"))
    shape = [n if i == axis else 1 for i in range(x.rank)]
    counts = g.weight(np.arange(1, n + 1).astype(x.dtype).reshape(shape))
    taus = g.emit("Div", g.emit("Sub", sums, g.number(1, x.dtype)), counts)
    tau = reduce(g, "ReduceMax", taus, [axis], keep=True)
    g.store(y, g.emit("Relu", g.emit("Sub", name, tau)))


@rule("layer_norm")
def _layer_norm(g: OnnxGraph, step: Step) -> None:
    x, gamma, beta = step.inputs
    name = g.emit(
        "LayerNormalization",
        g.read(x),
        g.read(gamma),
        g.read(beta),
        axis=-1,
        epsilon=float(step.attrs["epsilon"]),
    )
    g.store(step.outputs[0], name)


# --- products


@rule("gemm")
def _gemm(g: OnnxGraph, step: Step) -> None:
    (a, b), (y,) = step.inputs, step.outputs
    ta, tb = step.attrs["ta"], step.attrs["tb"]
    rows = a.origin
    if rows is not None and _is_stack(rows, a) and not ta and b.rank == 2:
        # (batch, ..., k) was made (rows, k) for one large product; ONNX need not.
        stack = Value((*rows.dims[:-1], y.dims[-1]), y.dtype)
        g.store(stack, g.emit("MatMul", g.read(rows), _matrix(g, b, tb)))
        g.view(stack, y)
    elif a.rank == b.rank == 2 and not is_whole(a):
        # A weight is turned round here, once.
        right = _matrix(g, b, tb) if b.array is not None else g.read(b)
        turned = {"transA": int(ta)} if ta else {}
        if tb and b.array is None:
            turned["transB"] = 1
        g.store(y, g.emit("Gemm", g.read(a), right, **turned))
    else:
        g.store(y, g.emit("MatMul", _matrix(g, a, ta), _matrix(g, b, tb)))


def _is_stack(rows: Value | None, a: Value) -> bool:
    return (
        rows is not None
        and rows.rank > 2
        and a.rank == 2
        and rows.dims[-1] == a.dims[-1]
        and rows.array is None
    )


def _matrix(g: OnnxGraph, x: Value, turned: bool) -> str:
    """The name of x, its last two axes exchanged if asked for."""
    *lead, i, j = x.identity
    return g.read(x, (*lead, j, i)) if turned else g.read(x)


@rule("einstein_sum")
def _einsum(g: OnnxGraph, step: Step) -> None:
    names = [g.read(x) for x in step.inputs]
    name = g.emit("Einsum", *names, equation=step.attrs["subscripts"])
    g.store(step.outputs[0], name)
