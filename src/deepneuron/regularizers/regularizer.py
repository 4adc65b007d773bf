"""What every regularizer is: a penalty on the values of a weight."""

from __future__ import annotations

from typing import Any, Self

from deepneuron.serialization import keras_class


@keras_class("keras.regularizers")
class Regularizer:
    """penalty(w), added to the loss; subclasses write `__call__` and `get_config`.

    >>> import numpy as np, deepneuron as dn
    >>> class Largest(Regularizer):
    ...     def __call__(self, x):
    ...         return dn.ops.max(dn.ops.abs(x))
    >>> float(Largest()(np.array([1.0, -3.0])))
    3.0
    """

    def __call__(self, x: Any) -> Any:
        """The penalty of a weight x: one number."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regularizer."""
        raise NotImplementedError(
            f"{type(self).__name__} is a Regularizer without `get_config`, and cannot "
            "be saved."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The regularizer that `get_config` described."""
        return cls(**config)
