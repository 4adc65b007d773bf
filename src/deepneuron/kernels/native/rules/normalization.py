"""Batch and layer normalisation."""

from __future__ import annotations

from typing import Any

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, SERIAL, TEAM, Lowering, Rows, lowers


def _sizes(x: Tensor) -> list[int]:
    """[values of a row / channels, channels]"""
    lines = 1
    for n in x.shape[1:-1]:
        lines *= n
    return [lines, x.shape[-1]]


def _padded(channels: int) -> int:
    """So many that vectors of sums need no special end, as kernels have it."""
    return -(-channels // 16) * 16


def _are_floats(*tensors: Tensor) -> bool:
    return all(t.dtype == "float32" for t in tensors)


def _is_empty(x: Tensor) -> bool:
    return 0 in x.shape


# --- over the batch


@lowers("batch_norm")
def batch_norm(low: Lowering, node: Node) -> bool:
    """Sums, what follows from them, and values: also `+ residual` and a relu behind."""
    (x, gamma, beta), (y, mean, variance) = node.inputs, node.outputs
    if not low.batched(x) or x.ndim < 2 or not _are_floats(x, gamma, beta):
        return False
    if _is_empty(x):
        return False
    sizes, channels = _sizes(x), x.shape[-1]
    epsilon = [node.attrs["epsilon"]]
    sums = low.accumulator((8 + 8 + 4) * _padded(channels))
    scale = Tensor((channels,), "float32")
    low.emit("batch_norm_sums", MAP, [Rows(x)], [sums], sizes, nodes=[node])
    low.emit(
        "batch_norm_finish",
        SERIAL,
        [sums, gamma],
        [mean, variance, scale],
        sizes,
        epsilon,
        nodes=[node],
    )
    nodes, residual, result = [node], None, y
    add = low.sole_user(result, "add")
    if add is not None:
        others = [t for t in add.inputs if t is not result]
        if len(others) == 1 and low.batched(*others) and _alike(others[0], y):
            residual, result = others[0], add.outputs[0]
            nodes.append(add)
    relu = low.sole_user(result, "relu")
    if relu is not None:
        result = relu.outputs[0]
        nodes.append(relu)
    low.emit(
        "batch_norm_apply",
        MAP,
        [Rows(x), mean, scale, beta, None if residual is None else Rows(residual)],
        [Rows(result)],
        [*sizes, relu is not None],
        nodes=nodes,
        inplace={0: 0},
        cheap=residual is None,
    )
    return True


def _alike(x: Tensor, y: Tensor) -> bool:
    return (x.shape, x.dtype) == (y.shape, y.dtype)


@lowers("batch_norm_grad")
def batch_norm_grad(low: Lowering, node: Node) -> bool:
    """Sums, what follows from them, and dx."""
    return _batch_norm_grad(low, node, node.inputs[0], [None] * 3, [node])


@lowers("relu_grad")
def masked_batch_norm_grad(low: Lowering, node: Node) -> bool:
    """The same with a relu's mask in front, applied in both passes over dy."""
    (dy, y), (masked,) = node.inputs, node.outputs
    grad = low.sole_user(masked, "batch_norm_grad")
    if grad is None or masked in grad.inputs[1:]:
        return False
    if not low.batched(y) or not _alike(dy, y):
        return False
    return _batch_norm_grad(low, grad, dy, _passed_on(low, y, grad), [node, grad])


def _passed_on(low: Lowering, y: Tensor, grad: Node) -> list[Any]:
    """[y, scale, beta]: y itself, or else what it follows from, given x and mean.

    To read x is enough then; nobody has to store y, or to read it twice.
    """
    for i in low.instructions:
        if i.kernel == "batch_norm_apply" and i.outputs[0].tensor is y:
            x, mean, scale, beta, residual = i.inputs
            same = x.tensor is grad.inputs[1] and mean is grad.inputs[3]
            if same and residual is None:
                return [None, scale, beta]
    return [Rows(y), None, None]


def _batch_norm_grad(
    low: Lowering, node: Node, dy: Tensor, passed_on: list[Any], nodes: list[Node]
) -> bool:
    _, x, gamma, mean, variance = node.inputs
    dx, dgamma, dbeta = node.outputs
    if not low.batched(dy, x) or x.ndim < 2 or not _are_floats(dy, *node.inputs):
        return False
    if _is_empty(x) or not _alike(dy, x):
        return False
    sizes, channels = _sizes(x), x.shape[-1]
    sums = low.accumulator((8 + 8) * _padded(channels))
    factors = Tensor((3, channels), "float32")
    y, scale, beta = passed_on
    values = [Rows(dy), y, Rows(x), mean, scale, beta]
    low.emit("batch_norm_grad_sums", MAP, values, [sums], sizes, nodes=nodes)
    low.emit(
        "batch_norm_grad_finish",
        SERIAL,
        [sums, gamma, variance],
        [dgamma, dbeta, factors],
        sizes,
        [node.attrs["epsilon"]],
        nodes=nodes,
    )
    low.emit(
        "batch_norm_grad_apply",
        MAP,
        [*values, factors],
        [Rows(dx)],
        sizes,
        nodes=nodes,
        inplace={0: 0},
    )
    return True


# --- sample by sample


@lowers("layer_norm")
def layer_norm(low: Lowering, node: Node) -> bool:
    """Every line of features by itself."""
    (x, gamma, beta), outputs = node.inputs, node.outputs
    if not low.batched(x) or x.ndim < 2 or not _are_floats(x, gamma, beta):
        return False
    if _is_empty(x):
        return False
    low.emit(
        "layer_norm",
        MAP,
        [Rows(x), gamma, beta],
        [Rows(y) for y in outputs],
        _sizes(x),
        [node.attrs["epsilon"]],
        nodes=[node],
    )
    return True


@lowers("layer_norm_grad")
def layer_norm_grad(low: Lowering, node: Node) -> bool:
    """dx, and the sums for gamma and beta, in one pass."""
    dy, x, gamma, mean, variance = node.inputs
    dx, dgamma, dbeta = node.outputs
    if not low.batched(dy, x, mean, variance) or x.ndim < 2 or _is_empty(x):
        return False
    if not _are_floats(*node.inputs) or not _alike(dy, x):
        return False
    sums = low.accumulator(2 * 4 * x.shape[-1])
    low.emit(
        "layer_norm_grad",
        MAP,
        [Rows(dy), Rows(x), gamma, Rows(mean), Rows(variance)],
        [Rows(dx), sums],
        _sizes(x),
        [node.attrs["epsilon"]],
        nodes=[node],
        inplace={0: 0},
    )
    low.emit("sum_shards_of_two", TEAM, [sums], [dgamma, dbeta], x.shape[-1:])
    return True
