"""How often a model is right."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.engine.config import floatx
from deepneuron.errors import ShapeError
from deepneuron.losses.alignment import same_rank
from deepneuron.metrics.reduction import NamedMean
from deepneuron.serialization import keras_class


def _tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    return ops.convert_to_tensor(y_true, dtype=y_pred.dtype), y_pred


def _class_numbers(y_true: Any, y_pred: Any, name: str) -> Any:
    """y_true of shape (batch, ...), one class number for each row of y_pred."""
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if len(true) == len(pred) and true[-1] == 1:
        return ops.squeeze(y_true, axis=-1)
    if len(true) != len(pred) - 1:
        hint = (
            "It seems to be one-hot: use the metric without `sparse`."
            if true == pred
            else f"{pred[:-1]} is needed."
        )
        raise ShapeError(
            f"{name} takes one class number for each row of y_pred, but y_true has "
            f"shape {true} and y_pred has shape {pred}. {hint}"
        )
    return y_true


def _one_hot(y_true: Any, y_pred: Any, name: str) -> None:
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if len(true) != len(pred) or (true[-1] != pred[-1] and None not in (true, pred)):
        hint = (
            "It seems to hold class numbers: use the metric with `sparse`."
            if true in (pred[:-1], (*pred[:-1], 1))
            else f"{pred} is needed."
        )
        raise ShapeError(
            f"{name} compares one-hot targets with predictions, but y_true has shape "
            f"{true} and y_pred has shape {pred}. {hint}"
        )


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """values = 1 where y_true equals y_pred, else 0

    Args:
        y_true, y_pred: class numbers of the same shape.

    >>> accuracy([1, 2], [1, 0])
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred = same_rank(*_tensors(y_true, y_pred))
    return ops.cast(ops.equal(y_true, y_pred), floatx())


@keras_class("keras.metrics")
class Accuracy(NamedMean):
    """result = how often y_true equals y_pred

    In `compile`, the name "accuracy" chooses the one of the accuracies that fits.

    Args:
        name, dtype: as in `Metric`.

    >>> float(Accuracy()([1, 2], [1, 0]))
    0.5
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


@keras_class("keras.metrics")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """values = 1 where y_true equals (y_pred > threshold), else 0

    Args:
        y_true: 0 or 1.
        y_pred: probabilities of the same shape.
        threshold: from where on a prediction means 1.

    >>> binary_accuracy([[1.0], [1.0]], [[0.75], [0.25]])
    array([[1.],
           [0.]], dtype=float32)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    y_true, y_pred = same_rank(y_true, y_pred)
    answers = ops.cast(ops.greater(y_pred, threshold), y_true.dtype)
    return ops.cast(ops.equal(y_true, answers), floatx())


@keras_class("keras.metrics")
class BinaryAccuracy(NamedMean):
    """result = how often y_true equals (y_pred > threshold)

    Args:
        name, dtype: as in `Metric`.
        threshold: from where on a prediction means 1.

    >>> float(BinaryAccuracy()([[1.0], [1.0]], [[0.75], [0.25]]))
    0.5
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: Any = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


@keras_class("keras.metrics")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """values = 1 where the greatest of y_true and of y_pred are at the same place

    Args:
        y_true: one-hot, (batch, ..., classes).
        y_pred: scores of the same shape.

    Returns:
        (batch, ...)

    >>> categorical_accuracy([[0, 1], [0, 1]], [[0.1, 0.9], [0.8, 0.2]])
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    _one_hot(y_true, y_pred, "categorical_accuracy")
    matches = ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(matches, floatx())


@keras_class("keras.metrics")
class CategoricalAccuracy(NamedMean):
    """result = how often the greatest of y_pred is at the 1 of y_true

    Args:
        name, dtype: as in `Metric`.

    >>> float(CategoricalAccuracy()([[0, 1], [0, 1]], [[0.1, 0.9], [0.8, 0.2]]))
    0.5
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self, name: str | None = "categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@keras_class("keras.metrics")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """values = 1 where the greatest of y_pred is at the place y_true, else 0

    Args:
        y_true: class numbers, (batch, ...) or (batch, ..., 1).
        y_pred: scores, (batch, ..., classes).

    Returns:
        (batch, ...)

    >>> sparse_categorical_accuracy([1, 1], [[0.1, 0.9], [0.8, 0.2]])
    array([1., 0.], dtype=float32)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    y_true = _class_numbers(y_true, y_pred, "sparse_categorical_accuracy")
    return ops.cast(ops.equal(y_true, ops.argmax(y_pred, axis=-1)), floatx())


@keras_class("keras.metrics")
class SparseCategoricalAccuracy(NamedMean):
    """result = how often the greatest of y_pred is at the place y_true

    Args:
        name, dtype: as in `Metric`.

    >>> float(SparseCategoricalAccuracy()([1, 1], [[0.1, 0.9], [0.8, 0.2]]))
    0.5
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


def _among_the_best(labels: Any, y_pred: Any, k: int) -> Any:
    """1 where fewer than k scores are greater than that of the label, else 0."""
    labels = ops.expand_dims(ops.cast(labels, "int32"), axis=-1)
    score = ops.take_along_axis(y_pred, labels, axis=-1)  # (batch, ..., 1)
    # Counted from below, so that a score of NaN is never among the best.
    below = ops.sum(ops.cast(ops.less_equal(y_pred, score), "int32"), axis=-1)
    return ops.cast(ops.greater(below, y_pred.shape[-1] - k), floatx())


@keras_class("keras.metrics")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """values = 1 where the right class is among the k best, else 0

    Args:
        y_true: one-hot, (batch, ..., classes).
        y_pred: scores of the same shape.
        k: how many guesses there are.

    Returns:
        (batch, ...)

    >>> top_k_categorical_accuracy([[0, 0, 1]], [[0.1, 0.7, 0.2]], k=2)
    array([1.], dtype=float32)
    """
    y_true, y_pred = _tensors(y_true, y_pred)
    _one_hot(y_true, y_pred, "top_k_categorical_accuracy")
    return _among_the_best(ops.argmax(y_true, axis=-1), y_pred, k)


@keras_class("keras.metrics")
class TopKCategoricalAccuracy(NamedMean):
    """result = how often the right class is among the k best

    Args:
        k: how many guesses there are.
        name, dtype: as in `Metric`.

    >>> float(TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.1, 0.7, 0.2]]))
    1.0
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


@keras_class("keras.metrics")
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """values = 1 where the class y_true is among the k best, else 0

    Args:
        y_true: class numbers, (batch, ...) or (batch, ..., 1).
        y_pred: scores, (batch, ..., classes); or, with `from_sorted_ids`, class numbers
            from the best to the worst.
        k: how many guesses there are.
        from_sorted_ids: see y_pred.

    Returns:
        (batch, ...)

    >>> sparse_top_k_categorical_accuracy([2], [[0.1, 0.7, 0.2]], k=2)
    array([1.], dtype=float32)
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    y_true = _class_numbers(y_true, y_pred, "sparse_top_k_categorical_accuracy")
    if from_sorted_ids:
        guesses = y_pred[..., :k]
        hits = ops.equal(ops.expand_dims(ops.cast(y_true, y_pred.dtype), -1), guesses)
        return ops.cast(ops.any(hits, axis=-1), floatx())
    return _among_the_best(y_true, y_pred, k)


@keras_class("keras.metrics")
class SparseTopKCategoricalAccuracy(NamedMean):
    """result = how often the class y_true is among the k best

    Args:
        k: how many guesses there are.
        name, dtype: as in `Metric`.
        from_sorted_ids: y_pred holds class numbers, from the best to the worst.

    >>> float(SparseTopKCategoricalAccuracy(k=2)([2], [[0.1, 0.7, 0.2]]))
    1.0
    """

    _direction: ClassVar[str | None] = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy,
            name,
            dtype,
            k=k,
            from_sorted_ids=from_sorted_ids,
        )
        self.k, self.from_sorted_ids = k, from_sorted_ids

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if not self.from_sorted_ids:  # as in Keras, so that older versions can read it
            del config["from_sorted_ids"]
        return config
