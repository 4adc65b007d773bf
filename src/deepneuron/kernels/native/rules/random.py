"""Random numbers, bit by bit those of NumPy; the key is read when the step runs."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.graph import Node
from deepneuron.kernels.native.lowering import (
    MAP,
    SERIAL,
    TEAM,
    Lowering,
    Rows,
    lowers,
)
from deepneuron.kernels.native.rules.pointwise import SMALL


@lowers("dropout_mask")
def dropout_mask(low: Lowering, node: Node) -> bool:
    """y = 0 with probability `rate`, else 1 / (1 - rate)"""
    (key, x), (y,) = node.inputs, node.outputs
    if key.dtype != "uint32" or y.dtype != "float32":
        return False
    rate = node.attrs["rate"]
    scale = float(np.float32(1 / (1 - rate) if rate < 1 else 0))
    dropped = round(rate * 2**32)
    by_rows = low.batched(x) and y.shape[:1] == x.shape[:1]
    if by_rows and len(x.shape) == len(y.shape):
        row = math.prod(y.shape[1:])
        ints = [row, 1, dropped]
        low.emit("dropout_mask", MAP, [key], [Rows(y)], ints, [scale], [node])
        return True
    size = math.prod(y.shape)
    kind = TEAM if size > SMALL else SERIAL
    low.emit("dropout_mask", kind, [key], [y], [size, 0, dropped], [scale], [node])
    return True


@lowers("random_uniform")
def random_uniform(low: Lowering, node: Node) -> bool:
    """y ~ U[low, high)"""
    (key,), (y,) = node.inputs, node.outputs
    start, end = node.attrs["low"], node.attrs["high"]
    if key.dtype != "uint32" or y.dtype != "float32" or start >= end:
        return False
    largest = np.nextafter(np.float32(end), np.float32(start))
    size = math.prod(y.shape)
    plain = (start, end) == (0.0, 1.0)
    floats = [end - start, start, float(largest)]
    kind = TEAM if size > SMALL else SERIAL
    low.emit("random_uniform", kind, [key], [y], [size, 0, plain], floats, [node])
    return True


@lowers("random_normal")
def random_normal(low: Lowering, node: Node) -> bool:
    """y ~ N(mean, stddev^2)"""
    (key,), (y,) = node.inputs, node.outputs
    if key.dtype != "uint32" or y.dtype != "float32":
        return False
    floats = [node.attrs["mean"], node.attrs["stddev"]]
    size = math.prod(y.shape)
    kind = TEAM if size > SMALL else SERIAL
    low.emit("random_normal", kind, [key], [y], [size], floats, [node])
    return True


@lowers("random_integers")
def random_integers(low: Lowering, node: Node) -> bool:
    """y, every whole number of [low, high) with the same probability"""
    (key,), (y,) = node.inputs, node.outputs
    start, end = node.attrs["low"], node.attrs["high"]
    known = start < end and start >= -(2**63) and end - start < 2**63
    if key.dtype != "uint32" or y.dtype not in ("int32", "int64") or not known:
        return False
    size = math.prod(y.shape)
    kind = TEAM if size > SMALL else SERIAL
    ints = [size, start, end - start]
    low.emit(f"random_{y.dtype}", kind, [key], [y], ints, nodes=[node])
    return True
