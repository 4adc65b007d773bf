"""Pictures that are turned, shifted and sheared."""

from __future__ import annotations

import math

from deepneuron.engine.graph import Node
from deepneuron.kernels.native.lowering import MAP, Lowering, Rows, lowers

# In the order in which cpp/kernels/affine.cpp has them.
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


@lowers("affine", "affine_grad")
def affine(low: Lowering, node: Node) -> bool:
    """y = x, fetched from where the transform says; dx = dy, sent back to there"""
    (x, transform), (y,) = node.inputs, node.outputs
    known = x.dtype == transform.dtype == "float32" and math.prod(x.shape) > 0
    if not known or not low.batched(x) or transform.shape[0] not in (1, low.rows):
        return False
    nearest = node.attrs["interpolation"] == "nearest"
    ints = [*x.shape[1:], nearest, _FILL_MODES.index(node.attrs["fill_mode"])]
    one_each = transform.shape[0] == low.rows
    inputs = [Rows(x), Rows(transform) if one_each else transform]
    floats = [node.attrs.get("fill_value", 0.0)]  # gradients have none
    low.emit(node.op.name, MAP, inputs, [Rows(y)], ints, floats, [node])
    return True
