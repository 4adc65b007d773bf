"""A loss that compares directions."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.losses.alignment import compared
from deepneuron.losses.wrapper import NamedLoss
from deepneuron.serialization import keras_class


@keras_class("keras.losses")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """values = -cos(angle between y_true and y_pred): -1 same direction, 1 opposite

    Args:
        y_true, y_pred: vectors along `axis`.
        axis: the one that the vectors lie along; it vanishes.

    >>> cosine_similarity([[0.0, 1.0]], [[3.0, 4.0]]).round(3)
    array([-0.8], dtype=float32)
    """
    y_true, y_pred = compared(y_true, y_pred, "cosine_similarity")
    y_true, y_pred = unit_vectors(y_true, axis), unit_vectors(y_pred, axis)
    return -ops.sum(y_true * y_pred, axis=axis)


def unit_vectors(x: Any, axis: int) -> Any:
    """x / |x|, and 0 where x is 0.

    >>> unit_vectors(ops.convert_to_tensor([3.0, 4.0]), -1).round(3)
    array([0.6, 0.8], dtype=float32)
    """
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x / ops.sqrt(ops.maximum(squares, epsilon() ** 2))


@keras_class("keras.losses")
class CosineSimilarity(NamedLoss):
    """loss = -mean of cos(angle between y_true and y_pred)

    Args:
        axis: the one that the vectors lie along.
        reduction, name, dtype: as in `Loss`.

    >>> round(float(CosineSimilarity()([[0.0, 1.0]], [[3.0, 4.0]])), 3)
    -0.8
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if config["axis"] == -1:  # Keras reads it, but does not write it
            del config["axis"]
        return config
