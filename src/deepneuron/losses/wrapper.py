"""A Loss made of a function `(y_true, y_pred) -> values`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from deepneuron import serialization
from deepneuron.losses.alignment import same_rank
from deepneuron.losses.loss import Loss
from deepneuron.serialization import keras_class


@keras_class("keras.losses")
class LossFunctionWrapper(Loss):
    """loss = mean over samples of fn(y_true, y_pred)

    `compile` wraps your own loss functions in it.

    Args:
        fn: returns a value for each sample.
        reduction: as in `Loss`.
        name: for the graph and the logs.
        dtype: the type to compute in.
        **kwargs: further arguments of the function.

    >>> def cubic(y_true, y_pred, scale):
    ...     return scale * abs(y_pred - y_true) ** 3
    >>> float(LossFunctionWrapper(cubic, scale=0.5)([0.0, 0.0], [0.0, 2.0]))
    2.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        from deepneuron.losses.lookup import serialize

        arguments = serialization.serialize_config(self._fn_kwargs)
        return {**super().get_config(), "fn": serialize(self.fn), **arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        from deepneuron.losses.lookup import deserialize

        if "fn" in config:
            config = {**config, "fn": deserialize(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.fn}, kwargs={self._fn_kwargs})>"


class NamedLoss(LossFunctionWrapper):
    """A loss of ours: its configuration holds its arguments, and not the function."""

    def get_config(self) -> dict[str, Any]:
        arguments = serialization.serialize_config(self._fn_kwargs)
        return {**Loss.get_config(self), **arguments}
