"""The same values elsewhere: other shapes, parts, several in one, and more of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron.errors import SavingError
from deepneuron.saving.onnx_graph import END, OnnxGraph
from deepneuron.saving.onnx_rules import rule
from deepneuron.saving.onnx_trace import Order, Step, Unknown, Value


@rule("reshape", sized=True)
def _reshape(g: OnnxGraph, step: Step) -> None:
    g.view(step.inputs[0], step.outputs[0])


@rule("transpose")
def _transpose(g: OnnxGraph, step: Step) -> None:
    """Nothing is written: y is what x is, its axes known by other numbers."""
    (x,), (y,) = step.inputs, step.outputs
    axes = step.attrs["axes"]
    axes = list(range(x.rank))[::-1] if axes is None else [a % x.rank for a in axes]
    for order in g.orders(x):
        g.store(y, x.names[order], tuple(axes.index(a) for a in order))


@rule("broadcast_to", sized=True)
def _broadcast_to(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    g.store(y, g.emit("Expand", g.read(x), g.shape(y.dims)))


def _best_order(g: OnnxGraph, xs: list[Value]) -> Order:
    """An order in which most of xs are stored already."""
    votes = [order for x in xs if x.array is None for order in g.orders(x)]
    identity = xs[0].identity
    return max(votes, key=lambda order: (votes.count(order), order != identity))


@rule("concatenate_all")
def _concatenate(g: OnnxGraph, step: Step) -> None:
    xs, (y,) = step.inputs, step.outputs
    order = _best_order(g, xs)
    axis = order.index(step.attrs["axis"] % y.rank)
    names = [g.read(x, order) for x in xs]
    g.store(y, g.emit("Concat", *names, axis=axis), order)


@rule("stack_all")
def _stack(g: OnnxGraph, step: Step) -> None:
    (y,) = step.outputs
    axis = step.attrs["axis"] % y.rank
    parts = [g.unsqueeze(g.read(x), [axis]) for x in step.inputs]
    g.store(y, g.emit("Concat", *parts, axis=axis))


@rule("pad_constant")
def _pad(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    order, widths = g.orders(x)[0], step.attrs["widths"]
    pads = [int(widths[a][side]) for side in (0, 1) for a in order]
    value = g.number(step.attrs["value"], x.dtype)
    g.store(y, g.emit("Pad", x.names[order], g.whole(*pads), value), order)


@rule("repeat_each")
def _repeat_each(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    times, axis = step.attrs["repeats"], step.attrs["axis"]
    if x.dims[axis] == 1 and times > 0:
        order = g.orders(x)[0]
        repeats = [times if a == axis else 1 for a in order]
        name = g.emit("Tile", x.names[order], g.whole(*repeats))
        g.store(y, name, order)
    elif x.dtype == "float32" and x.rank == 4 and times > 0:  # pixels become larger
        order = g.orders(x)[0]
        scales = np.array([times if a == axis else 1 for a in order], "float32")
        label = f"row/{'_'.join(map(str, scales.astype(int)))}/float32"
        name = g.emit(
            "Resize",
            x.names[order],
            "",
            g.weight(scales, label),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        g.store(y, name, order)
    else:
        wide = g.unsqueeze(g.read(x), [axis + 1])
        repeats = [1] * (axis + 1) + [times] + [1] * (x.rank - axis - 1)
        tiled = g.emit("Tile", wide, g.whole(*repeats))
        spread = Value((*x.dims[: axis + 1], times, *x.dims[axis + 1 :]), x.dtype)
        g.store(spread, tiled)
        g.view(spread, y)


@rule("repeat_blocks")
def _repeat_blocks(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    g.store(y, g.emit("Tile", g.read(x), g.whole(*step.attrs["repeats"])))


# --- parts


@rule("gather")
def _gather(g: OnnxGraph, step: Step) -> None:
    (x, indices), (y,) = step.inputs, step.outputs
    name = g.emit("Gather", g.read(x), g.read(indices), axis=step.attrs["axis"])
    g.store(y, name)


@rule("gather_along")
def _gather_along(g: OnnxGraph, step: Step) -> None:
    (x, indices), (y,) = step.inputs, step.outputs
    axis = step.attrs["axis"]
    wide = (*y.dims[:axis], x.dims[axis], *y.dims[axis + 1 :])
    name, at = g.read(x), g.read(indices)
    if x.dims != wide:
        name = g.emit("Expand", name, g.shape(wide))
    if indices.dims != y.dims:
        at = g.emit("Expand", at, g.shape(y.dims))
    g.store(y, g.emit("GatherElements", name, at, axis=axis))


@rule("getitem", sized=True)
def _getitem(g: OnnxGraph, step: Step) -> None:
    """Slices first, then axes go (whole numbers) and come (None)."""
    (x,), (y,) = step.inputs, step.outputs
    parts = _spelled_out(step.attrs["key"], x.rank)
    again = _spelled_out(step.attrs_again["key"], x.rank)
    cuts: list[tuple[int, int, int, int]] = []  # (axis, start, end, step)
    kept: list[int | None] = []  # the axes of x that y has; None is a new one
    axis = 0
    for part, other in zip(parts, again, strict=True):
        if part is None:
            kept.append(None)
            continue
        if isinstance(part, slice):
            cut = _cut(step, x, axis, part, other)
            kept.append(axis)
        else:
            at = _same(step, x, axis, int(part), int(other))
            cut = (at, END if at == -1 else at + 1, 1)
        if cut not in ((0, END, 1), (0, x.dims[axis], 1)):
            cuts.append((axis, *cut))
        axis += 1
    plain = len(kept) == x.rank and None not in kept  # slices alone keep the order
    order = g.orders(x)[0] if plain else x.identity
    name = g.read(x, order)
    if cuts:
        axes, starts, ends, steps = zip(*cuts, strict=True)
        rows = starts, ends, [order.index(a) for a in axes], steps
        name = g.emit("Slice", name, *(g.whole(*row) for row in rows))
    if plain:
        g.store(y, name, order)
        return
    gone = [a for a in range(x.rank) if a not in kept]
    new = [i for i, a in enumerate(kept) if a is None]
    name = g.squeeze(name, gone) if gone else name
    g.store(y, g.unsqueeze(name, new) if new else name)


def _spelled_out(key: Any, rank: int) -> list[Any]:
    """One part for every axis of x (and None for new ones), without "..."."""
    parts = list(key) if isinstance(key, tuple) else [key]
    used = sum(part is not None and part is not Ellipsis for part in parts)
    if Ellipsis not in parts:
        parts.append(Ellipsis)
    at = parts.index(Ellipsis)
    parts[at : at + 1] = [slice(None)] * (rank - used)
    return parts


def _cut(
    step: Step, x: Value, axis: int, part: slice, again: slice
) -> tuple[int, int, int]:
    """(start, end, step) of a slice, for every size that the axis may have."""
    by = 1 if part.step is None else int(part.step)
    if by < 0:
        start = -1 if part.start is None else part.start
        end = -END if part.stop is None else part.stop
        start_again = -1 if again.start is None else again.start
        end_again = -END if again.stop is None else again.stop
    else:
        start, end = part.start or 0, END if part.stop is None else part.stop
        start_again = again.start or 0
        end_again = END if again.stop is None else again.stop
    start = _same(step, x, axis, int(start), int(start_again))
    end = _same(step, x, axis, int(end), int(end_again), end=True)
    return start, end, by


def _same(
    step: Step, x: Value, axis: int, at: int, again: int, end: bool = False
) -> int:
    """A position, counted from the end where that makes it the same for all sizes."""
    if at == again:
        return at
    n = x.dims[axis]
    if isinstance(n, Unknown) and at - n.first == again - n.second <= 0:
        behind = at - n.first
        if behind or end:
            return behind or END
    raise SavingError(
        f"{step.where} takes a part of an axis whose place depends on the size of "
        "the input; ONNX positions are fixed, or count from the end."
    )


@rule("getitem_at")
def _getitem_at(g: OnnxGraph, step: Step) -> None:
    x, *arrays = step.inputs
    parts = _spelled_out(step.attrs["key"], x.rank)
    at = [i for i, part in enumerate(parts) if part == "array"]
    rest = [part for i, part in enumerate(parts) if i not in at]
    if len(arrays) != 1 or len(at) != 1 or any(p != slice(None) for p in rest):
        raise SavingError(
            f"{step.where} takes positions along several axes at once; use ops.take "
            "along one axis."
        )
    name = g.emit("Gather", g.read(x), g.read(arrays[0]), axis=at[0])
    g.store(step.outputs[0], name)


@rule("one_hot_value")
def _one_hot(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    classes, axis = step.attrs["classes"], step.attrs["axis"] % y.rank
    shape = [classes if i == axis else 1 for i in range(y.rank)]
    numbers = g.weight(
        np.arange(classes).reshape(shape).astype(x.dtype), f"classes/{classes}"
    )
    hit = g.emit("Equal", g.unsqueeze(g.read(x), [axis]), numbers)
    g.store(y, g.cast(hit, y.dtype))


@rule("setitem", "setitem_zeros", "setitem_at", "scatter_add", "scatter_along")
def _writing(g: OnnxGraph, step: Step) -> None:
    raise SavingError(
        f"{step.where} writes into a part of an array, which is not exported to ONNX; "
        "put the parts together with ops.concatenate or ops.where."
    )
