"""The updates of optimizers: one kernel of the same name for each operation.

A gradient that only the update reads is not written to memory: see `update_by_product`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import SERIAL, TEAM, Lowering, Rows, lowers
from deepneuron.kernels.native.rules.pointwise import SMALL

# The attributes that a kernel is told, in its order; the weight decay comes before.
_ADAM = ("epsilon", "beta_1", "beta_2")
_UPDATES: dict[str, tuple[str, ...]] = {
    "sgd_update": (),
    "momentum_update": ("momentum", "nesterov"),
    "adagrad_update": ("epsilon",),
    "adadelta_update": ("epsilon", "rho"),
    "rmsprop_update": ("epsilon", "rho"),
    "rmsprop_momentum_update": ("epsilon", "rho", "momentum"),
    "centered_rmsprop_update": ("epsilon", "rho"),
    "centered_rmsprop_momentum_update": ("epsilon", "rho", "momentum"),
    "adam_update": _ADAM,
    "amsgrad_update": _ADAM,
    "adamax_update": _ADAM,
    "nadam_update": _ADAM,
    "lion_update": ("beta_1", "beta_2"),
}


@lowers(*_UPDATES)
def update(low: Lowering, node: Node) -> bool:
    """w', m', ... = rule(w, g, m, ..., numbers)"""
    if not _is_known(node):
        return False
    small = math.prod(node.outputs[0].shape) <= SMALL >> 4
    _emit(low, node, SERIAL if small else TEAM, node.inputs, [node])
    return True


def update_by_product(
    low: Lowering,
    x: Tensor,
    d: Tensor,
    g: Tensor,
    total: Tensor | None,
    sizes: Sequence[int],
    nodes: Sequence[Node],
) -> bool:
    """The update of w by g = x^T @ d, which nobody else reads, as g comes out.

    Args:
        total: the sum of d, or None.
        sizes: of the product: m, n, rows of x and d for each sample.
        nodes: what stands for g and total.
    """
    path, seen = list(nodes), g
    if view := low.sole_user(g, "reshape"):
        path, seen = [*nodes, view], view.outputs[0]
    users = low.users(seen)
    if len(users) != 1 or low.kept(seen) or users[0].op.name not in _UPDATES:
        return False
    (node,) = users
    reads = [t is seen for t in node.inputs]
    if not (_is_known(node) and reads[1] and sum(reads) == 1):
        return False
    inputs: list[Any] = [*node.inputs]
    inputs[1] = None
    product = [Rows(x), Rows(d)], [total], sizes
    _emit(low, node, TEAM, inputs, [*path, node], product)
    return True


def _is_known(node: Node) -> bool:
    shape = node.outputs[0].shape
    arrays = len(node.outputs) + 1  # w and its gradient, and what is remembered
    alike = all(x.shape == shape for x in node.inputs[:arrays])
    if not alike or any(t.dtype != "float32" for t in (*node.inputs, *node.outputs)):
        return False
    return all(x.shape == () for x in node.inputs[arrays:])


def _emit(
    low: Lowering,
    node: Node,
    kind: int,
    inputs: Iterable[Any],
    nodes: Sequence[Node],
    product: Any = ([None, None], [None], [0, 0, 0]),
) -> None:
    """An update; `product` are further inputs, outputs and ints."""
    name, attrs = node.op.name, node.attrs
    numbers = [attrs["weight_decay"], *(attrs[a] for a in _UPDATES[name])]
    inplace = {y: xs[0] for y, xs in node.op.inplace.items()}
    x_d, total, sizes = product
    size = math.prod(node.outputs[0].shape)
    outputs = [*node.outputs, *total]
    low.emit(
        name, kind, [*inputs, *x_d], outputs, [size, *sizes], numbers, nodes, inplace
    )


@lowers("adam_step_size")
def adam_step_size(low: Lowering, node: Node) -> bool:
    """step = rate sqrt(1 - beta_2^t) / (1 - beta_1^t)"""
    (iterations, rate), attrs = node.inputs, node.attrs
    known: Any = {"int32": 0, "int64": 1}.get(iterations.dtype)
    if known is None or rate.dtype != "float32":
        return False
    betas = [attrs["beta_1"], attrs["beta_2"]]
    low.emit(
        "adam_step_size", SERIAL, node.inputs, node.outputs, [known], betas, [node]
    )
    return True
