"""What every constraint is: where a weight is put back to after each update."""

from __future__ import annotations

from typing import Any, Self

from deepneuron import ops
from deepneuron.serialization import keras_class


@keras_class("keras.constraints")
class Constraint:
    """w := constraint(w), after each update; subclasses write `__call__`.

    >>> import numpy as np, deepneuron as dn
    >>> class SumToOne(Constraint):
    ...     def __call__(self, w):
    ...         return w / dn.ops.sum(w)
    >>> SumToOne()(np.array([1.0, 3.0], "float32"))
    array([0.25, 0.75], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        """The weight, put back to where it is allowed."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The constraint that `get_config` described."""
        return cls(**config)


def norms(w: Any, axis: Any) -> Any:
    """sqrt(sum of w^2 along axis), the axes staying as 1.

    >>> import numpy as np
    >>> norms(np.array([[3.0], [4.0]], "float32"), 0)
    array([[5.]], dtype=float32)
    """
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))
