"""Values that only change their places: transposed, cut out, repeated, joined, padded.

NumPy knows best which place its views lead to. So each rule makes, of arrays without
memory, the views that `forward` would copy from and to; their strides are the program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import (
    MAP,
    SERIAL,
    TEAM,
    Lowering,
    Rows,
    lowers,
)
from deepneuron.kernels.native.rules.pointwise import SMALL

_AXES = 5  # that the kernel walks along
_NOWHERE = np.zeros((), "int8")


class Part(NamedTuple):
    """y's places = x's places: two views of one shape."""

    x: Tensor
    source: Any
    target: Any


def places(x: Tensor) -> Any:
    """An array without memory behind it, each place of one byte a value of x."""
    steps = [math.prod(x.shape[axis + 1 :]) for axis in range(len(x.shape))]
    return as_strided(_NOWHERE, x.shape, steps)


def places_at(x: Tensor, key: Any) -> Any:
    """Those that x[key] leads to; always a view, even where it is one value."""
    keys = key if isinstance(key, tuple) else (key,)
    return places(x)[keys if Ellipsis in keys else (*keys, Ellipsis)]


@lowers("transpose")
def transpose(low: Lowering, node: Node) -> bool:
    """y[j, i] = x[i, j]"""
    (x,), (y,) = node.inputs, node.outputs
    source = np.transpose(places(x), node.attrs["axes"])
    return arrange(low, node, [Part(x, source, places(y))])


@lowers("getitem")
def getitem(low: Lowering, node: Node) -> bool:
    """y = x[key]"""
    (x,), (y,) = node.inputs, node.outputs
    source = places_at(x, node.attrs["key"])
    return arrange(low, node, [Part(x, source, places(y))])


@lowers("setitem_zeros")
def setitem_zeros(low: Lowering, node: Node) -> bool:
    """y = 0 everywhere, but y[key] = x"""
    (x,), (y,) = node.inputs, node.outputs
    target = places_at(y, node.attrs["key"])
    return arrange(low, node, [Part(x, places(x), target)], fill=0)


@lowers("setitem")
def setitem(low: Lowering, node: Node) -> bool:
    """y = x, but y[key] = the update"""
    (x, update), (y,) = node.inputs, node.outputs
    target = places_at(y, node.attrs["key"])
    source = np.broadcast_to(places(update), target.shape)
    parts = [Part(x, places(x), places(y)), Part(update, source, target)]
    return arrange(low, node, parts)


@lowers("pad_constant")
def pad_constant(low: Lowering, node: Node) -> bool:
    """y = x, and `value` in a margin"""
    (x,), (y,) = node.inputs, node.outputs
    margins = zip(x.shape, node.attrs["widths"], strict=True)
    target = places(y)[tuple(slice(before, before + n) for n, (before, _) in margins)]
    return arrange(low, node, [Part(x, places(x), target)], fill=node.attrs["value"])


@lowers("repeat_each")
def repeat_each(low: Lowering, node: Node) -> bool:
    """y = x, every element `repeats` times along an axis"""
    (x,), (y,) = node.inputs, node.outputs
    repeats, axis = node.attrs["repeats"], node.attrs["axis"]
    before = (slice(None),) * (axis % len(x.shape))
    target = places(y)
    parts = [
        Part(x, places(x), target[(*before, slice(i, None, repeats))])
        for i in range(repeats)
    ]
    return arrange(low, node, parts)


@lowers("repeat_blocks")
def repeat_blocks(low: Lowering, node: Node) -> bool:
    """y = all of x, repeated along every axis"""
    (x,), (y,) = node.inputs, node.outputs
    target, parts = places(y), []
    for block in np.ndindex(*node.attrs["repeats"]):
        begins = zip(block, x.shape, strict=True)
        place = tuple(slice(i * n, i * n + n) for i, n in begins)
        parts.append(Part(x, places(x), target[place]))
    return arrange(low, node, parts)


@lowers("concatenate_all")
def concatenate_all(low: Lowering, node: Node) -> bool:
    """y = the xs one after the other along an axis"""
    (y,) = node.outputs
    axis = node.attrs["axis"] % len(y.shape)
    target, parts, start = np.moveaxis(places(y), axis, 0), [], 0
    for x in node.inputs:
        end = start + x.shape[axis]
        parts.append(Part(x, places(x), np.moveaxis(target[start:end], 0, axis)))
        start = end
    return arrange(low, node, parts)


@lowers("stack_all")
def stack_all(low: Lowering, node: Node) -> bool:
    """y[i] = xs[i], along a new axis"""
    (y,) = node.outputs
    slices = np.moveaxis(places(y), node.attrs["axis"], 0)
    pairs = zip(node.inputs, slices, strict=True)
    return arrange(low, node, [Part(x, places(x), to) for x, to in pairs])


# --- from views to an instruction

_MOST_PARTS = 32


def arrange(
    low: Lowering, node: Node, parts: Sequence[Part], fill: float | None = None
) -> bool:
    """y = the parts, each at its place, and `fill` where there is none."""
    (y,) = node.outputs
    size = np.dtype(y.dtype).itemsize
    parts = [p for p in parts if p.source.size]
    known = size in (1, 4, 8) and all(p.x.dtype == y.dtype for p in parts)
    if not known or not math.prod(y.shape) or not 0 < len(parts) <= _MOST_PARTS:
        return False
    by_rows = all(_runs_along_rows(low, part, y) for part in parts)
    shape = y.shape[1:] if by_rows else y.shape
    bits = 0 if fill is None else _bits(fill, y.dtype)
    ints = [size, by_rows, len(parts), fill is not None, bits, math.prod(shape)]
    for part in parts:
        walk = _walk(part, y, by_rows)
        if walk is None:
            return False
        ints += walk
    if by_rows:
        inputs = [Rows(p.x) for p in parts]
        low.emit("arrange", MAP, inputs, [Rows(y)], ints, nodes=[node])
        return True
    # Threads share one part; of several, one may lie over what another has written.
    shared = len(parts) == 1 and fill is None and math.prod(shape) > SMALL
    kind = TEAM if shared else SERIAL
    is_batch = y.shape[0:1] == (low.rows,) and low.batched(parts[0].x)
    low.emit(
        "arrange",
        kind,
        [p.x for p in parts],
        [Rows(y) if is_batch else y],
        ints,
        nodes=[node],
    )
    return True


def _runs_along_rows(low: Lowering, part: Part, y: Tensor) -> bool:
    """Whether sample r of y is made of sample r of x, and of nothing else."""
    x, source, target = part
    if not low.batched(x) or y.shape[:1] != (low.rows,):
        return False
    pairs = ((x, source), (y, target))
    return source.ndim == target.ndim and all(
        view.shape[:1] == (low.rows,)
        and view.strides[0] == math.prod(t.shape[1:])
        and 0 <= _first(view) < max(view.strides[0], 1)
        for t, view in pairs
    )


def _first(view: Any) -> int:
    """The number of the value that a view begins with."""
    begin = _NOWHERE.__array_interface__["data"][0]
    return int(view.__array_interface__["data"][0]) - int(begin)


def _walk(part: Part, y: Tensor, by_rows: bool) -> list[int] | None:
    """Sizes, strides in x, strides in y, and where to begin; None: too many axes."""
    _, source, target = part
    first = [_first(source), _first(target)]
    if by_rows:
        source, target = source[0], target[0]
    axes = [
        (n, a, b)
        for n, a, b in zip(source.shape, source.strides, target.strides, strict=True)
        if n > 1
    ]
    axes.sort(key=lambda axis: -abs(axis[2]))
    joined: list[tuple[int, int, int]] = []
    for n, a, b in axes:
        if joined and joined[-1][1:] == (a * n, b * n):
            joined[-1] = (joined[-1][0] * n, a, b)
        else:
            joined.append((n, a, b))
    if len(joined) > _AXES:
        return None
    # Neighbours in x and neighbours in y: these two axes are walked along in tiles.
    near = next((i for i, axis in enumerate(joined[:-1]) if axis[1] == 1), None)
    if near is not None:
        joined.insert(len(joined) - 1, joined.pop(near))
    # The first axis is shared among threads, the last two are those of the tiles.
    lead = joined[: max(len(joined) - 2, 0)][:1]
    joined = lead + [(1, 0, 0)] * (_AXES - len(joined)) + joined[len(lead) :]
    sizes, a, b = zip(*joined, strict=True)
    return [*sizes, *a, *b, *first]


def _bits(value: float, dtype: Any) -> int:
    """The bytes of a number, as a whole number."""
    number = np.array(value).astype(dtype)
    return int(number.view(f"i{number.itemsize}"))
