"""From a key to random bits, and from bits to uniform and normal numbers.

Philox turns a key and a position into bits, as a cipher would. What is made of the bits
stands below and not in NumPy, whose other streams may change from version to version.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Op, Spec
from deepneuron.engine.workspace import scratch
from deepneuron.ops.pieces import PIECE

KEY = np.array([7, 3], "uint32")  # that the operations are tested with


def philox(key):
    """The stream of a key: two numbers of 32 bits"""
    return np.random.Philox(key=np.asarray(key).astype(np.uint64))


def bits(stream, n):
    """(n,) uint32, random bits"""
    raw = stream.random_raw(-(-n // 2)).astype("<u8", copy=False)
    return raw.view("<u4")[:n]


def unit(stream, n, dtype):
    """(n,) uniform in [0, 1): as many bits as the type can tell apart near 1"""
    if dtype == "float64":
        return (stream.random_raw(n) >> np.uint64(11)) * 2.0**-53
    return (bits(stream, n) >> np.uint32(8)) * np.float32(2.0**-24)


def positive_unit(stream, n, dtype):
    """(n,) uniform in (0, 1]: never 0, so that it has a logarithm

    Close to 0 the values lie much closer together, which gives the logarithm its tail.
    """
    if dtype == "float64":
        return (stream.random_raw(n) + 0.5) * 2.0**-64
    half = np.float32(0.5)
    return (bits(stream, n).astype(np.float32) + half) * np.float32(2.0**-32)


def normals(stream, n, dtype):
    """(n,) normal: r cos a and r sin a, with r^2 = -2 log u and an angle a

    Source: Box and Muller, "A note on the generation of random normal deviates", 1958.
    """
    half = -(-n // 2)
    u = positive_unit(stream, half, dtype)
    radius = np.sqrt(-2 * np.log(u))
    angle = unit(stream, half, dtype) * u.dtype.type(2 * math.pi)
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]


def in_pieces(rule, key, out):
    """Fill `out` with rule(stream, n), piece by piece; see ops/pieces.py for why."""
    whole = out.flags.c_contiguous
    y = out if whole else scratch(out.shape, out.dtype)
    stream, flat = philox(key), y.reshape(-1)
    for start in range(0, flat.size, PIECE):
        n = min(PIECE, flat.size - start)
        flat[start : start + n] = rule(stream, n)
    if not whole:
        np.copyto(out, y)
    return out


class Draw(Op):
    """An operation on a key; nothing depends smoothly on that."""

    differentiable = False

    def infer(self, key, /, shape, dtype="float32", **attrs):
        return Spec(tuple(shape), dtype)
