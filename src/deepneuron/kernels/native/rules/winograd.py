"""Convolutions with kernels of 3x3 that Winograd's algorithm makes cheaper.

What it is stands in cpp/winograd.h. These rules say no where it does not fit or does
not pay; then those of `convolution.py` are asked.

Where an input is not finite, the whole tile of outputs that sees it may be NaN (in
dx, the window of a tile), also where NumPy finds finite values; but no other tile.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import NamedTuple

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, TEAM, Lowering, Rows, lowers
from deepneuron.kernels.native.rules.convolution import epilogue
from deepneuron.ops.window import windows

_VECTOR = 16  # floats in a vector of the widest instruction set


def tile_sizes() -> tuple[int, ...]:
    """Rows of outputs in a tile that may be used.

    DEEPNEURON_WINOGRAD=0 turns the algorithm off, 4 or 6 leaves that size alone.
    """
    wanted = os.environ.get("DEEPNEURON_WINOGRAD", "")
    return {"0": (), "4": (4,), "6": (6,)}.get(wanted, (4, 6))


@lowers("conv2d")
def conv2d(low: Lowering, node: Node) -> bool:
    """y = x * kernel (+ bias) (relu)"""
    (x, kernel), (y,) = node.inputs, node.outputs
    plan = _plan(low, node, x, kernel, y) if low.batched(x) else None
    if plan is None:
        return False
    channels, filters = kernel.shape[2:]
    u = Tensor((plan.positions, channels, filters))
    sizes = [channels, filters, plan.out]
    low.emit("winograd_kernel", TEAM, [kernel], [u, None], sizes)
    bias, y, with_relu, nodes = epilogue(low, node)
    low.emit(
        "conv2d_winograd",
        MAP,
        [Rows(x), u, bias],
        [Rows(y)],
        [*plan.numbers, with_relu],
        nodes=nodes,
        chunk=plan.chunk,
    )
    return True


@lowers("conv2d_input_grad", "conv2d_kernel_grad")
def conv2d_gradients(low: Lowering, node: Node) -> bool:
    """dx and dkernel of one dy: both at once, or the one that is wanted"""
    dy = _roles(node)[2]
    nodes = {n.op.name: n for n in (node, _partner(low, node)) if n is not None}
    for_input = nodes.get("conv2d_input_grad")
    for_kernel = nodes.get("conv2d_kernel_grad")
    plan = _plan(low, node, *_roles(node))
    if plan is None or not low.batched(dy):
        return False
    channels, filters = _roles(node)[1].shape[2:]
    sizes = [channels, filters, plan.out]
    x = dx = ut = du = None
    if for_kernel is not None:
        x, dkernel, _ = _roles(for_kernel)
        if not low.batched(x):
            return False
        du = low.accumulator(plan.positions * channels * filters * 4)
    if for_input is not None:
        dx, kernel, _ = _roles(for_input)
        ut = Tensor((plan.positions, filters, channels))
        low.emit("winograd_kernel", TEAM, [kernel], [None, ut], sizes)
    low.emit(
        "conv2d_winograd_grad",
        MAP,
        [_rows(x), Rows(dy), ut, None],
        [du, _rows(dx)],
        plan.numbers,
        nodes=nodes.values(),
        chunk=plan.chunk,
    )
    if du is not None:
        low.emit("winograd_reduce", TEAM, [du], [dkernel], sizes)
    return True


# --- which nodes belong together


def _roles(gradient: Node) -> tuple[Tensor, Tensor, Tensor]:
    """(x or dx, kernel or dkernel, dy), whichever go in or come out."""
    a, b = gradient.inputs
    (result,) = gradient.outputs
    return (result, b, a) if gradient.op.name == "conv2d_input_grad" else (a, result, b)


def _partner(low: Lowering, node: Node) -> Node | None:
    """The other gradient from the same dy; of a convolution of the same sizes at least.

    What goes into it must be there before the node, or else it could depend on that.
    """
    x, kernel, dy = _roles(node)
    names = {"conv2d_input_grad", "conv2d_kernel_grad"} - {node.op.name}
    for other in low.users(dy):
        if other.op.name not in names or low.done(other):
            continue
        its_x, its_kernel, its_dy = _roles(other)
        same = (
            its_dy is dy
            and (its_x.shape, its_kernel.shape) == (x.shape, kernel.shape)
            and other.attrs["padding"] == node.attrs["padding"]
        )
        sources = [t.node for t in other.inputs if t.node is not None]
        if same and all(source.serial < node.serial for source in sources):
            return other
    return None


def _rows(tensor: Tensor | None) -> Rows | None:
    return None if tensor is None else Rows(tensor)


# --- whether it fits, whether it pays, and what the kernels are told


class _Plan(NamedTuple):
    """The numbers of `Shape` in cpp/kernels/winograd.cpp; pictures in a chunk."""

    numbers: list[int]
    chunk: int
    out: int  # rows and columns of outputs in a tile

    @property
    def positions(self) -> int:
        """Values of a transformed tile, or of a transformed kernel."""
        return (self.out + 2) ** 2


def _plan(
    low: Lowering, node: Node, x: Tensor, kernel: Tensor, y: Tensor
) -> _Plan | None:
    """How to convolve pictures like x with kernels like this one; None: directly."""
    attrs, (*size, channels, filters) = node.attrs, kernel.shape
    fits = (
        tuple(size) == (3, 3)
        and tuple(attrs["strides"]) == tuple(attrs["dilation"]) == (1, 1)
        and attrs["groups"] == 1
        and channels % _VECTOR == filters % _VECTOR == 0
        and all(t.dtype == "float32" for t in (x, kernel, y))
    )
    if not fits:
        return None
    w = windows("conv", x.shape[1:3], (3, 3), (1, 1), attrs["padding"])
    direct = 9 * low.rows * math.prod(w.places) * channels * filters
    costs = {
        out: _cost(low.rows, w.places, channels, filters, out) for out in tile_sizes()
    }
    out = min(costs, key=costs.__getitem__, default=0)
    if not out or costs[out] >= direct:
        return None
    (top, _), (left, _) = w.padding
    block = _block(channels, filters, out)
    numbers = [*w.picture, channels, filters, top, left, *w.places, out, block]
    return _Plan(numbers, -(-block // _tiles(w.places, out)), out)


def _tiles(places: Sequence[int], out: int) -> int:
    return math.prod(-(-n // out) for n in places)


def _block(channels: int, filters: int, out: int) -> int:
    """Tiles to work on at once: so many that fetching the large kernel is worth it."""
    size = channels * filters
    return 32 if size < 1 << 14 else 64 if size < 1 << 16 else 128


def _cost(
    rows: int, places: Sequence[int], channels: int, filters: int, out: int
) -> float:
    """How many multiplications would take as long.

    To transform a value of a tile takes as long as 16 of them, in tiles of 6x6 outputs
    20; one of the kernel (and to sum its gradient) as long as 24. Since tiles of 6x6
    round more coarsely, a tenth of the time must be won by them. Against the direct
    kernels, on one thread, forward / both gradients, on AVX-512 and on AVX2, this
    predicts

        3x3, batch 64            predicted    AVX-512        AVX2
        16 -> 16 on 32x32        1.3          1.3 / 2.4      1.0 / 1.4
        32 -> 64 on 11x11, 6x6   2.1          2.4 / 2.6      1.9 / 2.2
        64 -> 64 on 16x16        2.6          2.1 / 2.5      2.4 / 2.1
        128 -> 128 on 8x8        3.0          3.1 / 2.7      1.4 / 2.1
        64 -> 64 on 5x5          1.0          1.3 / 1.2      1.0 / 1.1
        64 -> 64 on 2x2          0.5          0.7 / 0.8      0.9 / 0.8
        the same on 16x16, batch 1    1.3     1.7 / 1.9      1.3 / 1.3
        128 -> 128 on 8x8, batch 2    0.9     1.1 / 1.5      0.8 / 0.7
    """
    size, positions = channels * filters, (out + 2) ** 2
    transform, rounding = (16, 1.0) if out == 4 else (20, 1.1)
    tile = size + transform * (channels + filters)
    return rounding * positions * (rows * _tiles(places, out) * tile + 24 * size)


__all__: list[str] = ["tile_sizes"]
