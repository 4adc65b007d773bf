"""Binds Python's operators to operations: `x + y` is `add(x, y)`."""

from __future__ import annotations

from deepneuron.engine.tensor import Tensor
from deepneuron.ops import arithmetic, linalg, logic
from deepneuron.ops.indexing import get_item

_BINARY = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "floordiv": arithmetic.floor_divide,
    "mod": arithmetic.mod,
    "pow": arithmetic.power,
    "matmul": linalg.matmul,
}
_COMPARE = {
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
}
_LOGICAL = {"and": logic.logical_and, "or": logic.logical_or, "xor": logic.logical_xor}
_UNARY = {
    "neg": arithmetic.negative,
    "abs": arithmetic.absolute,
    "invert": logic.logical_not,
}


def _reflected(op):
    return lambda self, other: op(other, self)


def bind() -> None:
    """Give Tensor its operators; `==` stays identity, as tensors are keys of dicts."""
    for name, op in {**_BINARY, **_LOGICAL}.items():
        setattr(Tensor, f"__{name}__", lambda self, other, op=op: op(self, other))
        setattr(Tensor, f"__r{name}__", _reflected(op))
    for name, op in _COMPARE.items():
        setattr(Tensor, f"__{name}__", lambda self, other, op=op: op(self, other))
    for name, op in _UNARY.items():
        setattr(Tensor, f"__{name}__", lambda self, op=op: op(self))
    Tensor.__getitem__ = get_item
