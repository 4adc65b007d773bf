"""From a name or a configuration to an initializer, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron import serialization
from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ShapeError
from deepneuron.initializers import variance_scaling  # noqa: F401 - known by name now
from deepneuron.initializers.constant import Identity, Ones, Zeros
from deepneuron.initializers.orthogonal import Orthogonal
from deepneuron.initializers.random import RandomNormal, RandomUniform
from deepneuron.naming import to_snake_case
from deepneuron.serialization import classes_of, custom_object_scope, get_from

_MODULE = "keras.initializers"
_ALIASES: dict[str, Any] = {
    **{to_snake_case(name): cls for name, cls in classes_of(_MODULE).items()},
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "zero": Zeros,
    "one": Ones,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}


def get(identifier: Any) -> Any:
    """The initializer that is meant.

    Args:
        identifier: a name ("glorot_uniform", "GlorotUniform", "zeros" ...), a
            configuration, a class, an array with the values themselves, or any function
            `(shape, dtype) -> array`, which is returned as it is.

    Raises:
        UnknownNameError: nothing has that name; the nearest ones are offered.

    >>> get("he_normal").scale
    2.0
    """
    if isinstance(identifier, (np.ndarray, np.generic, Tensor)):
        return _values(np.array(identifier))
    if isinstance(identifier, dict):
        identifier = {"module": _MODULE, **identifier}
    return get_from(_MODULE, "initializer", identifier, _ALIASES)


def _values(values: np.ndarray) -> Any:
    def initialize(shape: Any, dtype: Any = None) -> np.ndarray:
        if tuple(shape) != values.shape:
            raise ShapeError(
                f"The initial values have shape {values.shape}, but the weight has "
                f"shape {tuple(shape)}."
            )
        return values.astype(standardize_dtype(dtype))

    return initialize


def serialize(initializer: Any) -> Any:
    """The configuration of an initializer, as plain data.

    >>> serialize(Zeros())["class_name"]
    'Zeros'
    """
    return serialization.serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a configuration.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: names of your own classes.

    >>> deserialize({"class_name": "Constant", "config": {"value": 2.0}}).value
    2.0
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
