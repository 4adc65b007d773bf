"""Bringing targets, predictions and weights to shapes that can be compared."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.errors import ShapeError


def same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """x1 and x2 with equally many axes, where one of them lacks only a last axis of 1.

    Args:
        x1, x2: tensors; (batch,) and (batch, 1), or (batch, time) and (batch, time, 1).
        expand_rank_1: (batch,) becomes (batch, 1), instead of the other way round.

    >>> import numpy as np
    >>> [x.shape for x in same_rank(np.zeros(3), np.zeros((3, 1)))]
    [(3, 1), (3, 1)]
    """
    ranks = len(x1.shape), len(x2.shape)
    if ranks[0] == ranks[1] + 1:
        x2, x1 = same_rank(x2, x1, expand_rank_1)
    elif ranks[1] == ranks[0] + 1 and x2.shape[-1] == 1:
        if ranks[0] == 1 and expand_rank_1:
            x1 = ops.expand_dims(x1, axis=-1)
        else:
            x2 = ops.squeeze(x2, axis=-1)
    return x1, x2


def compared(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    """Targets and predictions of the same shape and type, for losses that compare them
    number by number.

    Args:
        y_true: targets; a single number is compared with every prediction.
        y_pred: predictions; their type counts.
        name: the loss, for the message.

    Raises:
        ShapeError: the shapes differ. Where NumPy would stretch an axis of 1 over
            another axis than the first, an error is more useful: that is a model whose
            last layer does not have as many units as there are targets.

    >>> import numpy as np
    >>> [x.shape for x in compared([1, 2], np.zeros((2, 1)), "mse")]
    [(2, 1), (2, 1)]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true, y_pred = same_rank(y_true, y_pred)
    if len(y_true.shape) and len(y_pred.shape) and not _alike(y_true, y_pred):
        raise ShapeError(
            f"{name} compares targets and predictions number by number, but y_true has "
            f"shape {tuple(y_true.shape)} and y_pred has shape {tuple(y_pred.shape)}. "
            + _advice(name, y_true.shape, y_pred.shape)
        )
    return y_true, y_pred


def _alike(y_true: Any, y_pred: Any) -> bool:
    shapes = tuple(y_true.shape), tuple(y_pred.shape)
    return len(shapes[0]) == len(shapes[1]) and all(
        n == m or None in (n, m) or (axis == 0 < len(shapes[0]) - 1 and 1 in (n, m))
        for axis, (n, m) in enumerate(zip(*shapes, strict=True))
    )


def _advice(name: str, true: Any, pred: Any) -> str:
    if true[0] != pred[0]:
        return "They hold different numbers of samples."
    rows = len(pred) == 2 and (len(true) == 1 or true[-1] == 1)
    if rows and "crossentropy" in name:
        return (
            "If y_true holds class numbers, use sparse_categorical_crossentropy; if "
            "each sample has one target, end the model with one unit."
        )
    if rows:
        return "If each sample has one target, end the model with one unit."
    return "The last layer must have as many units as each sample has targets."
