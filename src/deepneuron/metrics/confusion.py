"""Right and wrong, by what was said and what is true, at one or several thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.losses.alignment import same_rank

NEVER = -1e10  # below every prediction


def thresholds_of(thresholds: Any, default: float) -> list[float]:
    """A list of thresholds between 0 and 1, from a number, a list or None.

    >>> thresholds_of(None, 0.5), thresholds_of([0, 1], 0.5)
    ([0.5], [0, 1])
    """
    if thresholds is None:
        return [default]
    many = isinstance(thresholds, (list, tuple))
    thresholds = list(thresholds) if many else [thresholds]
    wrong = [t for t in thresholds if t is None or not 0 <= t <= 1]
    if wrong:
        raise ArgumentError(f"thresholds must lie in [0, 1]; received {wrong}.")
    return thresholds


def evenly_spaced(thresholds: Any) -> bool:
    """Whether these are 0, 1/n, 2/n ... 1.

    >>> evenly_spaced([0.0, 0.5, 1.0])
    True
    """
    if len(thresholds) < 3:
        return False
    even = np.linspace(0, 1, len(thresholds), dtype="float32")
    return bool(np.allclose(thresholds, even, atol=epsilon()))


class Confusion:
    """How a batch falls into true and false, positives and negatives.

    Args:
        y_true: 0 or 1 (whatever is not 0 counts as 1), (batch, ...).
        y_pred: predictions of the same shape.
        thresholds: a prediction above it says "positive"; T of them.
        dtype: the type of the counts.
        sample_weight: how much each prediction counts.
        top_k: of each row of y_pred, only the k best can be positive.
        class_id: looks at one class only.
        multi_label: counts each class for itself, (T, classes) instead of (T,).
        label_weights: how much each class counts.

    >>> confusion = Confusion([0, 1, 1], [0.9, 0.8, 0.2], [0.5], "float32")
    >>> confusion.true_positives(), confusion.false_positives()
    (array([1.], dtype=float32), array([1.], dtype=float32))
    """

    def __init__(
        self,
        y_true: Any,
        y_pred: Any,
        thresholds: Any,
        dtype: str,
        sample_weight: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        multi_label: bool = False,
        label_weights: Any = None,
    ) -> None:
        y_true = ops.convert_to_tensor(y_true, dtype=dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=dtype)
        y_pred, y_true = same_rank(y_pred, y_true)
        if tuple(y_pred.shape) != tuple(y_true.shape):
            raise ShapeError(
                f"y_true has shape {tuple(y_true.shape)} and y_pred has shape "
                f"{tuple(y_pred.shape)}; they must be equal. Class numbers can be made "
                "one-hot with utils.to_categorical."
            )
        weight = None
        if sample_weight is not None:
            weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
            weight = ops.expand_dims(weight, axis=-1)
            y_true, weight = same_rank(y_true, weight, expand_rank_1=False)
        if top_k is not None:
            y_pred = _only_best(y_pred, top_k)
        if class_id is not None:
            if len(y_pred.shape) == 1:
                raise ShapeError(
                    "class_id needs y_pred of shape (batch, classes); it has shape "
                    f"{tuple(y_pred.shape)}."
                )
            y_true = y_true[..., class_id : class_id + 1]
            y_pred = y_pred[..., class_id : class_id + 1]
        if label_weights is not None:
            label_weights = ops.convert_to_tensor(label_weights, dtype=dtype)
            weight = label_weights if weight is None else weight * label_weights

        true = ops.cast(ops.not_equal(y_true, 0), dtype)
        false = 1.0 - true
        if weight is not None:
            true, false = true * weight, false * weight
        self._multi_label = multi_label
        if not multi_label:
            true, false, y_pred = (ops.reshape(x, (-1,)) for x in (true, false, y_pred))
        self._true, self._false = true, false  # the weight of what is so, else 0
        said = _above(y_pred, np.asarray(thresholds), dtype)
        self._said, self._denied = said, 1.0 - said  # (T, batch) or (T, batch, classes)

    def true_positives(self) -> Any:
        """Said, and true."""
        return self._sum(self._said, self._true)

    def false_positives(self) -> Any:
        """Said, but not true."""
        return self._sum(self._said, self._false)

    def true_negatives(self) -> Any:
        """Not said, and not true."""
        return self._sum(self._denied, self._false)

    def false_negatives(self) -> Any:
        """Not said, but true."""
        return self._sum(self._denied, self._true)

    def _sum(self, chosen: Any, weight: Any) -> Any:
        if self._multi_label:
            return ops.sum(chosen * weight, axis=1)
        return ops.matmul(chosen, weight)  # (T, batch) @ (batch,)


def _above(y_pred: Any, thresholds: np.ndarray, dtype: str) -> Any:
    """1 where a prediction lies above a threshold, else 0, with an axis in front."""
    axes = (-1, *(1 for _ in y_pred.shape))
    outer = thresholds[0] < 0.0 or thresholds[-1] > 1.0
    inner = np.clip(thresholds, 0.0, 1.0) if len(thresholds) > 2 else thresholds
    if evenly_spaced(inner):
        # As Keras does: the interval is computed, so that a prediction that lies on a
        # threshold falls on the same side of it.
        last = len(thresholds) - 1
        y_pred = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * last)
        if outer:  # the first threshold is below 0: everything lies above it
            y_pred = ops.maximum(y_pred, 1.0)
        thresholds = np.arange(last + 1)
    column = thresholds.astype(dtype).reshape(axes)
    return ops.cast(ops.greater(ops.expand_dims(y_pred, 0), column), dtype)


def _only_best(y_pred: Any, k: int) -> Any:
    """y_pred, with all but the k best of each row moved below every threshold."""
    _, best = ops.top_k(y_pred, k)  # (batch, k)
    kept = ops.sum(ops.one_hot(best, y_pred.shape[-1], dtype=y_pred.dtype), axis=-2)
    return y_pred * kept + NEVER * (1.0 - kept)
