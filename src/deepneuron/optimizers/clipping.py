"""Gradients that are too large are made smaller."""

from __future__ import annotations

from typing import Any

from deepneuron import ops


def clip(
    grads: list[Any],
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    global_clipnorm: float | None = None,
) -> list[Any]:
    """g := g * min(1, clipnorm / |g|), or what the other arguments say.

    Args:
        grads: gradients.
        clipnorm: the largest norm of one gradient.
        clipvalue: the largest size of an element.
        global_clipnorm: the largest norm of all gradients together; they keep their
            direction.

    >>> import numpy as np
    >>> clip([np.array([3.0, 4.0], "float32")], clipnorm=1.0)
    [array([0.6, 0.8], dtype=float32)]
    """
    if clipnorm:
        return [ops.multiply(g, _shrink(norm([g]), clipnorm)) for g in grads]
    if global_clipnorm:
        whole = norm(grads)
        infinite = ops.subtract(
            whole, whole
        )  # then all become NaN, as in Keras; else 0
        scale = _shrink(whole, global_clipnorm) + infinite
        return [ops.multiply(g, ops.cast(scale, g.dtype)) for g in grads]
    if clipvalue:
        return [ops.clip(g, -clipvalue, clipvalue) for g in grads]
    return grads


def _shrink(norm: Any, largest: float) -> Any:
    """min(1, largest / norm)"""
    return largest / ops.maximum(norm, largest)


def norm(grads: list[Any]) -> Any:
    """sqrt(sum of all squares)

    >>> import numpy as np
    >>> float(norm([np.array([3.0]), np.array([4.0])]))
    5.0
    """
    total: Any = None
    for g in grads:
        square = ops.sum(ops.square(g))
        total = square if total is None else total + square
    return ops.sqrt(total)
