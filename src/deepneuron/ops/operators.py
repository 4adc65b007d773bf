"""Binds Python's operators to operations: `x + y` is `add(x, y)`."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.tensor import Tensor
from deepneuron.ops import arithmetic, linalg, logic
from deepneuron.ops.indexing import getitem

_BINARY = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "pow": arithmetic.power,
    "matmul": linalg.matmul,
}
_COMPARE = {
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
}
_UNARY = {"neg": arithmetic.negative}


def _reflected(op):
    return lambda self, other: op(other, self)


def _getitem(self, key):
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, (list, np.ndarray, Tensor)) for k in parts):
        return getitem_by_arrays(self, parts)
    return getitem(self, key)


def bind() -> None:
    """Give Tensor its operators. `==` stays identity: tensors are keys of dictionaries."""
    for name, op in _BINARY.items():
        setattr(Tensor, f"__{name}__", lambda self, other, op=op: op(self, other))
        setattr(Tensor, f"__r{name}__", _reflected(op))
    for name, op in _COMPARE.items():
        setattr(Tensor, f"__{name}__", lambda self, other, op=op: op(self, other))
    for name, op in _UNARY.items():
        setattr(Tensor, f"__{name}__", lambda self, op=op: op(self))
    Tensor.__getitem__ = _getitem
