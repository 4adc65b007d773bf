"""Which type a result has: the promotion lattice of Keras, not that of NumPy.

    int32 with float32 is float32 (NumPy: float64); a Python number takes the type of
    the array that it meets.

>>> result_type("int32", "float32")
'float32'
>>> result_type("uint8", "int8"), result_type("int32", float), result_type("bool", int)
('int16', 'float32', 'int32')
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from deepneuron.engine.config import floatx
from deepneuron.errors import DTypeError

FLOATS = ("float16", "float32", "float64")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
DTYPES = ("bool", *UNSIGNED, *SIGNED, *FLOATS)

_PYTHON = {bool: "bool", int: "int32"}


def standardize_dtype(dtype: Any) -> str:
    """The name of a type: None is `floatx()`, Python's int is "int32".

    >>> standardize_dtype(np.float64), standardize_dtype(None), standardize_dtype(int)
    ('float64', 'float32', 'int32')
    """
    if dtype is None or dtype is float:
        return floatx()
    if isinstance(dtype, type) and dtype in _PYTHON:
        return _PYTHON[dtype]
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise DTypeError(f"Not a type of numbers: {dtype!r}. Use one of {DTYPES}.")
    return name


def is_float(dtype: Any) -> bool:
    """Whether values of this type can have a gradient."""
    return dtype in FLOATS


def result_type(*dtypes: Any) -> str:
    """The type of a result computed from values of these types.

    Args:
        *dtypes: names or NumPy types; Python's `int` and `float` stand for Python
            numbers, which are weak: they take the type of the arrays beside them.

    Returns:
        The name of the result's type.
    """
    # `isinstance` first: NumPy's dtype("float64") says that it equals Python's float.
    names = (
        d if isinstance(d, type) and d in (int, float) else _name(d) for d in dtypes
    )
    return _result_type(tuple(names), floatx())


@lru_cache(maxsize=4096)
def _name(dtype: Any) -> str:
    return standardize_dtype(dtype)


@lru_cache(maxsize=4096)
def _result_type(dtypes: tuple[Any, ...], default: str) -> str:
    weak = {d for d in dtypes if isinstance(d, type)}
    strong = {d for d in dtypes if d not in weak}
    result = "bool"
    for dtype in strong:
        result = _join(result, dtype, default)
    if float in weak and result not in FLOATS:
        return default
    if int in weak and result == "bool":
        return "int32"
    return result


def _join(a: str, b: str, default: str) -> str:
    """The least type that holds both."""
    if b in (a, "bool"):
        return a
    if a == "bool":
        return b
    for family in (FLOATS, SIGNED, UNSIGNED):
        if a in family and b in family:
            return max(a, b, key=family.index)
    if a in FLOATS or b in FLOATS:
        return a if a in FLOATS else b
    signed, unsigned = (a, b) if a in SIGNED else (b, a)
    wanted = max(SIGNED.index(signed), UNSIGNED.index(unsigned) + 1)
    return SIGNED[wanted] if wanted < len(SIGNED) else default
