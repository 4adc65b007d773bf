"""Convolutions, computed directly: no matrix of windows is made (cpp/conv.h)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, TEAM, Lowering, Rows, lowers
from deepneuron.kernels.native.program import Instruction
from deepneuron.ops.window import Windows, windows

_WIDEST = 16  # floats in a vector of the widest instruction set
_ENOUGH = 128  # pixels, in a few pictures, that fill tiles well


@lowers("conv2d")
def conv2d(low: Lowering, node: Node) -> bool:
    """y = x * kernel (+ bias) (relu)"""
    x, kernel = node.inputs
    if not _float32(x, kernel) or not low.batched(x):
        return False
    w = _windows(node, x.shape[1:3], kernel.shape[:2])
    packed = _packed(low, "pack_conv_kernel", x, kernel, w, node)
    bias, y, rectify, nodes = epilogue(low, node)
    low.emit(
        "conv2d",
        MAP,
        [Rows(x), packed, bias],
        [Rows(y)],
        ints=[*_numbers(x, kernel, w, node), rectify],
        nodes=nodes,
        chunk=_pictures(w),
    )
    return True


@lowers("conv2d_input_grad")
def conv2d_input_grad(low: Lowering, node: Node) -> bool:
    """dx, from dy and the kernel"""
    dy, kernel = node.inputs
    (dx,) = node.outputs
    if not _float32(dy, kernel) or not low.batched(dy):
        return False
    w = _windows(node, dx.shape[1:3], kernel.shape[:2])
    packed = _packed(low, "pack_conv_kernel_for_input", dx, kernel, w, node)
    low.emit(
        "conv2d_input_grad",
        MAP,
        [Rows(dy), packed, None],
        [Rows(dx)],
        ints=_numbers(dx, kernel, w, node),
        nodes=[node],
        chunk=_pictures(w),
    )
    return True


@lowers("depthwise_conv2d")
def depthwise_conv2d(low: Lowering, node: Node) -> bool:
    """y = x * kernel (+ bias) (relu), channel by channel"""
    x, kernel = node.inputs
    if not _float32(x, kernel) or not low.batched(x):
        return False
    w = _windows(node, x.shape[1:3], kernel.shape[:2])
    bias, y, rectify, nodes = epilogue(low, node)
    low.emit(
        "depthwise_conv2d",
        MAP,
        [Rows(x), kernel, bias],
        [Rows(y)],
        ints=[*_numbers(x, kernel, w, node), rectify],
        nodes=nodes,
        chunk=_pictures(w),
    )
    return True


@lowers("depthwise_conv2d_input_grad")
def depthwise_conv2d_input_grad(low: Lowering, node: Node) -> bool:
    """dx, from dy and the kernel"""
    dy, kernel = node.inputs
    (dx,) = node.outputs
    if not _float32(dy, kernel) or not low.batched(dy):
        return False
    w = _windows(node, dx.shape[1:3], kernel.shape[:2])
    low.emit(
        "depthwise_conv2d_input_grad",
        MAP,
        [Rows(dy), kernel],
        [Rows(dx)],
        ints=_numbers(dx, kernel, w, node),
        nodes=[node],
        chunk=_pictures(w),
    )
    return True


@lowers("conv2d_kernel_grad", "depthwise_conv2d_kernel_grad")
def kernel_grad(low: Lowering, node: Node) -> bool:
    """dkernel, from x and dy: each shard of the batch sums its own"""
    x, dy = node.inputs
    (dkernel,) = node.outputs
    if not _float32(x, dy) or not low.batched(x, dy):
        return False
    w = _windows(node, x.shape[1:3], dkernel.shape[:2])
    sums = low.accumulator(int(np.prod(dkernel.shape)) * 4)
    low.emit(
        node.op.name,
        MAP,
        [Rows(x), Rows(dy)],
        [sums],
        ints=_numbers(x, dkernel, w, node),
        nodes=[node],
        chunk=_pictures(w),
    )
    low.sum_shards(sums, dkernel)
    return True


@lowers("add")
def add_to_input_grad(low: Lowering, node: Node) -> bool:
    """dx + another gradient of x: the kernel that makes dx begins with the other one"""
    a, b = node.inputs
    if a.shape != b.shape or not _float32(a, b) or not low.batched(a, b):
        return False
    choices = []
    for i in low.instructions:
        if i.kernel not in ("conv2d_input_grad", "conv2d_winograd_grad"):
            continue
        for dx, other in ((a, b), (b, a)):
            made = i.outputs[-1] is not None and i.outputs[-1].tensor is dx
            if made and i.inputs[-1] is None and _may_begin_with(low, i, dx, other):
                choices.append((_density(i), i, other))
    if not choices:
        return False
    _, i, other = min(choices, key=lambda choice: choice[0])
    low.instructions.remove(i)
    low.emit(
        i.kernel,
        MAP,
        [*i.inputs[:-1], Rows(other)],
        [*i.outputs[:-1], Rows(node.outputs[0])],
        ints=i.ints,
        nodes=[*i.nodes, node],
        inplace={len(i.outputs) - 1: len(i.inputs) - 1},
        chunk=i.chunk,
    )
    return True


def _may_begin_with(low: Lowering, i: Instruction, dx: Tensor, other: Tensor) -> bool:
    """Whether nobody else wants dx, and nothing that `i` makes leads to the other."""
    if low.sole_user(dx, "add") is None or other is dx:
        return False
    before = other.node is not None and all(
        other.node.serial < n.serial for n in i.nodes
    )
    return before or len(i.nodes) == 1


def _density(i: Instruction) -> float:
    """How many values of dy reach one of dx: where few do, little is to be added."""
    if i.kernel != "conv2d_input_grad":
        return 9
    rows, columns, stride_y, stride_x = i.ints[3], i.ints[4], i.ints[8], i.ints[9]
    return rows * columns / (stride_y * stride_x)


# --- what they have in common


def _float32(*tensors: Tensor) -> bool:
    return all(t.dtype == "float32" for t in tensors)


def _windows(node: Node, picture: Sequence[int], size: Sequence[int]) -> Windows:
    a = node.attrs
    return windows("conv", picture, size, a["strides"], a["padding"], a["dilation"])


def _pictures(w: Windows) -> int:
    """How many small ones are worth working on together."""
    return -(-_ENOUGH // int(np.prod(w.places)))


def _numbers(x: Tensor, kernel: Tensor, w: Windows, node: Node) -> list[int]:
    """The `Convolution` of cpp/conv.h."""
    channels, depthwise = x.shape[-1], node.op.name.startswith("depthwise")
    filters = channels * kernel.shape[-1] if depthwise else kernel.shape[-1]
    groups = channels if depthwise else node.attrs["groups"]
    return [
        *(*w.picture, channels),
        *(*w.size, filters),
        *w.places,
        *(*w.strides, *w.dilation),
        *(w.padding[0][0], w.padding[1][0]),
        groups,
    ]


def _packed(
    low: Lowering, pack: str, x: Tensor, kernel: Tensor, w: Windows, node: Node
) -> Tensor:
    """The kernel, once a step laid out as the tiles read it.

    Its columns (filters on the way forward, channels on the way back) are filled up to
    whole vectors, of a width that only native code knows: there is room for the widest.
    """
    groups = node.attrs["groups"]
    channels, filters = x.shape[-1] // groups, kernel.shape[-1] // groups
    columns, others = filters, channels
    if pack == "pack_conv_kernel_for_input":
        columns, others = others, columns
    whole = -(-columns // _WIDEST) * _WIDEST
    packed = Tensor((groups * int(np.prod(w.size)) * others * whole,), "float32")
    low.emit(pack, TEAM, [kernel], [packed], ints=_numbers(x, kernel, w, node))
    return packed


def epilogue(
    low: Lowering, node: Node
) -> tuple[Tensor | None, Tensor, bool, list[Node]]:
    """Bias and relu behind a convolution: (bias, result, whether relu, nodes)."""
    (y,), nodes = node.outputs, [node]
    bias: Tensor | None = None
    add = low.sole_user(y, "add")
    if add is not None:
        for other in add.inputs:
            if other is not y and other.shape == y.shape[-1:] and _float32(other):
                bias = other
        if bias is not None:
            (y,) = add.outputs
            nodes.append(add)
    relu = low.sole_user(y, "relu")
    if relu is not None:
        (y,) = relu.outputs
        nodes.append(relu)
    return bias, y, relu is not None, nodes


__all__ = ["epilogue"]
