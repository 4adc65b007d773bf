"""Which float type a layer keeps its weights in and computes with: one and the same."""

from __future__ import annotations

from typing import Any

from deepneuron.engine.config import floatx
from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.errors import ArgumentError
from deepneuron.serialization import keras_class


@keras_class("keras", None, "keras.dtype_policies")
class DTypePolicy:
    """The types of a layer.

    Args:
        name: "float32", "float64" or another plain type. Keras's mixed policies
            ("mixed_float16") are not available: nothing here would run faster by them.

    >>> DTypePolicy("float64").compute_dtype
    'float64'
    """

    def __init__(self, name: str | None = None, source_name: str | None = None) -> None:
        name = name or floatx()
        if str(name).startswith("mixed_"):
            raise ArgumentError(
                f"The policy {name!r} mixes types; deepneuron computes in one. Use "
                '"float32".'
            )
        self.name = standardize_dtype(name)

    @property
    def compute_dtype(self) -> str:
        """The type that inputs are cast to."""
        return self.name

    @property
    def variable_dtype(self) -> str:
        """The type of the weights."""
        return self.name

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def policy_of(dtype: Any) -> DTypePolicy:
    """The policy that a layer's `dtype` argument means."""
    if isinstance(dtype, DTypePolicy):
        return dtype
    if isinstance(dtype, dict):
        return DTypePolicy(**dtype.get("config", {}))
    return DTypePolicy(dtype)
