"""What every loss is: how wrong each sample is, and one number made of that."""

from __future__ import annotations

from typing import Any, Self

from deepneuron import ops
from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.engine.nest import flatten, map_structure
from deepneuron.engine.scope import name_scope
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.losses.alignment import same_rank
from deepneuron.naming import auto_name, to_snake_case
from deepneuron.serialization import keras_class

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")
REDUCTIONS = (*_MEANS, "sum", "none", None)


@keras_class("keras.losses")
class Loss:
    """loss = mean over samples of sample_weight * call(y_true, y_pred)

    Subclasses write `call`, which returns one value for each sample.

    Args:
        name: for the graph and the logs; made from the class by default.
        reduction: what becomes of the values: "sum_over_batch_size" (or "mean") divides
            their sum by their number, "sum" adds them, "none" (or None) keeps them,
            "mean_with_sample_weight" divides by the sum of the weights.
        dtype: the type to compute in; `floatx()` by default.

    Raises:
        ArgumentError: another reduction.

    >>> class Largest(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ops.max(ops.abs(y_pred - y_true), axis=-1)
    >>> float(Largest()([[0.0, 1.0], [2.0, 3.0]], [[0.0, 3.0], [2.0, 3.0]]))
    1.0
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ArgumentError(
                f"{type(self).__name__}: reduction must be one of {REDUCTIONS}; "
                f"received {reduction!r}."
            )
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.reduction = reduction
        self._dtype = standardize_dtype(getattr(dtype, "compute_dtype", dtype))

    @property
    def dtype(self) -> str:
        """The type that the loss is computed in."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch.

        Args:
            y_true: targets, (batch, ...).
            y_pred: predictions, (batch, ...).
            sample_weight: how much each value of `call` counts; of its shape, or of one
                that can be broadcast to it.

        Returns:
            One number; without reduction a value for each sample.
        """
        with name_scope(self.name):
            y_pred, y_true = self._converted(y_pred), self._converted(y_true)
            values = self.call(y_true, y_pred)
            mask = self.mask(y_true, y_pred)
            return reduce_weighted(
                values, sample_weight, mask, self.reduction, self.dtype
            )

    def _converted(self, y: Any) -> Any:
        """Arrays of our type; lists of numbers become one, lists of arrays stay."""
        parts = flatten(y)[0]
        if isinstance(y, dict) or any(getattr(part, "shape", ()) for part in parts):
            return map_structure(
                lambda part: ops.convert_to_tensor(part, dtype=self.dtype), y
            )
        return ops.convert_to_tensor(y, dtype=self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value for each sample; subclasses write this.

        Args:
            y_true, y_pred: targets and predictions as tensors of type `dtype`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} is a Loss without `call`; write "
            "`def call(self, y_true, y_pred)` that returns a value for each sample."
        )

    def mask(self, y_true: Any, y_pred: Any) -> Any:
        """Which values of `call` count; None for all."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The loss that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def reduce_weighted(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
) -> Any:
    """sum of sample_weight * values / number of values, and the other reductions.

    Args:
        values: a value for each sample, or for each sample and position.
        sample_weight: how much each counts.
        mask: booleans; a mean is taken over the true ones only.
        reduction: as in `Loss`.
        dtype: the type of the result.

    Raises:
        ShapeError: values and weights do not fit one another.

    >>> float(reduce_weighted([1.0, 2.0, 3.0], [1.0, 1.0, 0.0]))
    1.0
    """
    values = ops.convert_to_tensor(values, dtype=dtype)
    weight = None
    if sample_weight is not None:
        weight = ops.convert_to_tensor(sample_weight, dtype=values.dtype)
    if mask is not None:
        weight = _masked(weight, mask, values.dtype, reduction)
    if weight is not None:
        values, weight = same_rank(values, weight)
        _check_weight(weight.shape, values.shape)
        values = values * weight
    if reduction in ("none", None) or tuple(values.shape) in ((), (0,)):
        return values
    if reduction == "mean_with_sample_weight" and weight is not None:
        return ops.divide_no_nan(ops.sum(values), ops.sum(weight))
    if reduction == "sum" or 0 in values.shape:
        return ops.sum(values)
    return ops.mean(values)


def _masked(weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """Weights that are 0 outside of the mask; for a mean the others make up for it."""
    kept = ops.cast(mask, dtype)
    if reduction in ("sum_over_batch_size", "mean"):
        kept = ops.divide_no_nan(kept, ops.mean(kept))
    if weight is None:
        return kept
    kept, weight = same_rank(kept, weight)
    return weight * kept


def _check_weight(weight: Any, values: Any) -> None:
    """A trailing part of the values' axes, or 1 in their place."""
    fits = len(weight) <= len(values) and all(
        n in (1, m) or None in (n, m)
        for n, m in zip(reversed(weight), reversed(values), strict=False)
    )
    if not fits and tuple(values) != ():
        shape = (values[0], *[1] * (len(values) - 1))
        raise ShapeError(
            f"sample_weight has shape {tuple(weight)}, but the loss has a value for "
            f"each of {tuple(values)}. Give one weight for each sample, in the shape "
            f"{shape}; or one for each value."
        )
