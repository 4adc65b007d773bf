"""Working through large arrays in pieces that stay in the cache.

A formula of several steps reads and writes its arrays once per step. Over a whole array
each step would wait for the memory; over a piece of it, only the first and the last do,
and what lies between needs no more memory than a piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deepneuron.engine.threads import share
from deepneuron.engine.workspace import scratch

PIECE = 4096  # values: a few pieces of float32 fit the cache nearest to the core

_SLICE = 1 << 17  # values: of fewer, two threads are slower than one
_MANY_ROWS = 8  # of fewer, spreading takes as long as what follows
LARGE = 2 * _SLICE  # values: of so many, threads get slices


def in_slices(rule: Callable[..., Any], *inputs: Any, out: Any = None) -> Any:
    """y = rule(*inputs, out=out), elementwise; a few rows at a time on each thread.

    >>> in_slices(np.add, np.array([[1.0], [2.0]]), np.array([3.0, 4.0]))
    array([[4., 5.],
           [5., 6.]])
    """
    if out is None or out.size < LARGE:
        return rule(*inputs, out=out)
    rows, y = len(out), out
    sliced = [x.ndim == out.ndim and len(x) == rows for x in inputs]
    if _lie_in_rows(inputs, sliced, out):
        y = out.reshape(rows, -1)
        inputs = tuple(
            x.reshape(rows, -1) if s else _row(x, out)
            for x, s in zip(inputs, sliced, strict=True)
        )

    def work(some: slice) -> None:
        parts = (x[some] if s else x for x, s in zip(inputs, sliced, strict=True))
        rule(*parts, out=y[some])

    step = max(1, rows * _SLICE // out.size)
    share(work, [slice(start, start + step) for start in range(0, rows, step)])
    return out


def _lie_in_rows(inputs: Any, sliced: list[bool], out: Any) -> bool:
    """Whether all that has out's rows has its shape, and the rest is worth a row."""
    whole = (x for x, s in zip(inputs, sliced, strict=True) if s)
    alike = all(x.shape == out.shape and x.flags.c_contiguous for x in (*whole, out))
    others = (x for x, s in zip(inputs, sliced, strict=True) if not s)
    return alike and len(out) >= _MANY_ROWS and all(x.ndim < out.ndim for x in others)


def _row(x: Any, out: Any) -> Any:
    """What all rows of out share, as such a row: NumPy is slow at spreading it."""
    row = scratch(out.shape[1:], x.dtype)
    row[...] = x
    return row.reshape(-1)


def in_pieces(rule: Callable[..., Any], *inputs: Any, out: Any = None) -> Any:
    """y = rule(inputs), piece by piece.

    Args:
        rule: a formula over flat pieces of equal length.
        *inputs: arrays, of one type; their shapes are broadcast.
        out: where to write, perhaps the memory of an input; a new array by default.

    Returns:
        out.

    >>> in_pieces(lambda x: x * x + 1, np.array([[1.0], [2.0]]))
    array([[2.],
           [5.]])
    """
    if out is None:
        shape = np.broadcast_shapes(*(np.shape(x) for x in inputs))
        out = np.empty(shape, inputs[0].dtype)
    xs = [_flat(x, out.shape) for x in inputs]
    whole = out.flags.c_contiguous
    y = out.reshape(-1) if whole else scratch((out.size,), out.dtype)
    for start in range(0, out.size, PIECE):
        piece = slice(start, start + PIECE)
        y[piece] = rule(*(x[piece] for x in xs))
    if not whole:
        out[...] = y.reshape(out.shape)
    return out


def _flat(x: Any, shape: tuple[int, ...]) -> Any:
    """x, broadcast to a shape, in one row; a copy only where there is no other way."""
    if x.shape != shape or not x.flags.c_contiguous:
        whole = scratch(shape, x.dtype)
        whole[...] = x
        x = whole
    return x.reshape(-1)
