"""What every initializer is: a rule for the values that a weight starts from."""

from __future__ import annotations

from typing import Any, Self

from deepneuron.serialization import keras_class


@keras_class("keras.initializers")
class Initializer:
    """A rule `(shape, dtype) -> array`; subclasses write `__call__`.

    >>> import numpy as np, deepneuron as dn
    >>> class Ramp(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    >>> dn.Variable(Ramp(), shape=(3,)).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The initial values.

        Args:
            shape: of the weight.
            dtype: its type; `floatx()` by default.
        """
        raise NotImplementedError(
            f"{type(self).__name__} is an Initializer without `__call__`; write "
            "`def __call__(self, shape, dtype=None)` that returns an array."
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The initializer that `get_config` described."""
        return cls(**config)

    def clone(self) -> Self:
        """Another one with the same configuration."""
        return self.from_config(self.get_config())
