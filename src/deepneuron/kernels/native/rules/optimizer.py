"""The updates of optimizers: one kernel of the same name for each operation."""

from __future__ import annotations

import math
from typing import Any

from deepneuron.engine.graph import Node
from deepneuron.kernels.native.lowering import SERIAL, TEAM, Lowering, lowers
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
    name, attrs = node.op.name, node.attrs
    shape = node.outputs[0].shape
    arrays = len(node.outputs) + 1  # w and its gradient, and what is remembered
    alike = all(x.shape == shape for x in node.inputs[:arrays])
    if not alike or any(t.dtype != "float32" for t in (*node.inputs, *node.outputs)):
        return False
    if any(x.shape != () for x in node.inputs[arrays:]):
        return False
    size = math.prod(shape)
    numbers = [attrs["weight_decay"], *(attrs[a] for a in _UPDATES[name])]
    inplace = {y: xs[0] for y, xs in node.op.inplace.items()}
    low.emit(
        name,
        SERIAL if size <= SMALL >> 4 else TEAM,
        node.inputs,
        node.outputs,
        [size],
        numbers,
        [node],
        inplace,
    )
    return True


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
