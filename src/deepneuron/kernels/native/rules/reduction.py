"""Reductions: sums, means, products, extremes, over any axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.formula import TYPES
from deepneuron.kernels.native.lowering import (
    MAP,
    SERIAL,
    TEAM,
    Lowering,
    Rows,
    lowers,
)
from deepneuron.kernels.native.rules.pointwise import SMALL
from deepneuron.ops.shape import axes_of

# In the order in which cpp/kernels/reduce.cpp has them.
SUM, PRODUCT, LARGEST, SMALLEST, ANY, ALL, SUM_OF_SQUARES = range(7)
_HOW = {
    "sum": SUM,
    "mean": SUM,
    "sum_to": SUM,
    "prod": PRODUCT,
    "largest": LARGEST,
    "smallest": SMALLEST,
    "any": ANY,
    "all": ALL,
}
_WIDER = {"bool": "int32", "int8": "int32", "uint8": "uint32"}  # in sums
_PIECES = 64


@lowers(*_HOW)
def reduction(low: Lowering, node: Node) -> bool:
    """y = f of x's values along some axes"""
    (x,), (y,) = node.inputs, node.outputs
    axes = _axes(node, x)
    how = _HOW[node.op.name]
    divisor = math.prod(x.shape[a] for a in axes) if node.op.name == "mean" else 1
    return _emit(low, how, x, y, axes, divisor, [node])


@lowers("square")
def sum_of_squares(low: Lowering, node: Node) -> bool:
    """y = the sum of all squares of x; the squares are never stored"""
    (x,), (square,) = node.inputs, node.outputs
    total = low.sole_user(square, "sum")
    if total is None or x.dtype != "float32":
        return False
    axes = _axes(total, square)
    if len(axes) < len(x.shape) or not x.shape:
        return False
    y = total.outputs[0]
    return _emit(low, SUM_OF_SQUARES, x, y, axes, 1, [node, total])


def _axes(node: Node, x: Tensor) -> tuple[int, ...]:
    """The axes that vanish, or become 1."""
    if node.op.name != "sum_to":
        return tuple(axes_of(node.attrs["axis"], len(x.shape)))
    shape = node.attrs["shape"]
    lead = len(x.shape) - len(shape)
    thin = (lead + i for i, n in enumerate(shape) if n == 1 != x.shape[lead + i])
    return (*range(lead), *thin)


def _emit(
    low: Lowering,
    how: int,
    x: Tensor,
    y: Tensor,
    axes: tuple[int, ...],
    divisor: int,
    nodes: list[Node],
) -> bool:
    if not _known(how, x.dtype, y.dtype):
        return False
    if math.prod(x.shape) == 0:
        return False  # of nothing, NumPy knows what to say
    x, axes = _with_batch(low, x, axes)
    start = [how, TYPES.index(x.dtype), TYPES.index(y.dtype)]
    by_rows = low.batched(x)
    if by_rows:
        within = {a - 1 for a in axes}
        # Where the batch vanishes as well, its rows are best among those of r0.
        whole = _folded(x.shape[1:], within, [1, 1]) if 0 in axes else None
        folded = whole or _folded(x.shape[1:], within)
    else:
        folded = _folded(x.shape, set(axes))
    if folded is None:
        return False
    size = math.prod(x.shape)
    ints = [*start, *folded]
    if by_rows and 0 not in axes:
        low.emit(
            "reduce", MAP, [Rows(x)], [Rows(y)], [*ints, 1], [divisor], nodes=nodes
        )
    elif by_rows:
        sums = low.accumulator(8 * folded[0] * folded[2])
        low.emit("reduce_rows", MAP, [Rows(x)], [sums], ints, nodes=nodes)
        low.emit("reduce_shards", TEAM, [sums], [y], ints, [divisor])
    elif math.prod(y.shape) == 1 and size > SMALL:
        pieces = Tensor((_PIECES,), "int64")
        low.emit("reduce_pieces", TEAM, [x], [pieces], [*start, size], nodes=nodes)
        low.emit("join_pieces", SERIAL, [pieces], [y], start, [divisor])
    else:
        kind = TEAM if size > SMALL and folded[0] > 1 else SERIAL
        low.emit("reduce", kind, [x], [y], [*ints, 0], [divisor], nodes=nodes)
    return True


def _known(how: int, x: str, y: str) -> bool:
    if how in (ANY, ALL):
        return x == y == "bool"
    if how in (LARGEST, SMALLEST):
        return x == y and x in TYPES
    if x in _WIDER:
        return y == _WIDER[x]
    return x == y and x in ("float32", "int32", "int64", "uint32")


def _with_batch(
    low: Lowering, x: Tensor, axes: tuple[int, ...]
) -> tuple[Tensor, tuple[int, ...]]:
    """A view that hides the batch, as (rows * steps, units), as what it is a view of.

    That goes if only its last axes are kept, and they are its home's last axes as well.
    """
    home = low.home(x)
    kept = len(x.shape) - len(axes)
    if low.batched(x) or not low.batched(home) or len(home.shape) <= kept:
        return x, axes
    lasting = sorted(axes) == list(range(len(axes)))
    if lasting and home.shape[len(home.shape) - kept :] == x.shape[len(axes) :]:
        return home, tuple(range(len(home.shape) - kept))
    return x, axes


def _folded(
    shape: tuple[int, ...], reduced: set[int], first: Sequence[int] = (1,)
) -> list[int] | None:
    """(k0, r0, k1, r1): sizes of axes that are kept and reduced, in turn."""
    folded = list(first)
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        if (len(folded) % 2 == 0) == (axis in reduced):
            folded[-1] *= n
        else:
            folded.append(n)
    return folded + [1] * (4 - len(folded)) if len(folded) <= 4 else None
