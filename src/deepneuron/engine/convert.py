"""What may stand where an operation expects an array: numbers, lists, arrays, tensors.

>>> as_array([1, 2]).dtype.name, as_array(1.5)
('int32', 1.5)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron.engine.dtypes import result_type, standardize_dtype
from deepneuron.engine.registry import registry
from deepneuron.engine.tensor import Tensor


def as_array(x: Any) -> Any:
    """Lists become arrays; tensors, arrays and Python numbers stay.

    A Python number has no type yet: it takes that of the arrays it meets (`promote`).
    """
    if isinstance(x, (Tensor, np.ndarray, int, float)):
        return x
    if isinstance(x, np.generic):
        return np.asarray(x)
    if isinstance(x, (list, tuple)) and any(isinstance(part, Tensor) for part in x):
        return registry["stack_all"](*x)
    array = np.asarray(x)
    if array.dtype == object:
        raise TypeError(f"An array of numbers is needed; received {type(x)}: {x!r}.")
    if hasattr(x, "dtype") or array.dtype.kind not in "fi":
        return array
    weak = {"f": float, "i": int}[array.dtype.kind]
    return array.astype(standardize_dtype(weak))


def as_tensor(x: Any) -> Tensor:
    """A tensor as it is; anything else becomes a constant leaf."""
    if isinstance(x, Tensor):
        return x
    dtype = result_type(type(x)) if isinstance(x, (int, float)) else None
    array = np.asarray(x, dtype)
    return Tensor(array.shape, array.dtype.name, value=array)


def promote(inputs: list[Any], dtype: str | None = None) -> list[Any]:
    """Cast all inputs to `dtype`, or to the type that their mixture has in Keras."""
    if dtype is None:
        kinds = [type(x) if isinstance(x, (int, float)) else x.dtype for x in inputs]
        dtype = result_type(*kinds)
    cast = registry["cast"]
    return [
        np.asarray(x, dtype)
        if isinstance(x, (int, float))
        else x
        if x.dtype == dtype
        else cast(x, dtype)
        for x in inputs
    ]
