"""A Tensor is an edge of the graph: what one operation hands to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.errors import CaptureError

if TYPE_CHECKING:
    from deepneuron.engine.graph import Node
    from deepneuron.engine.variable import Variable

# NumPy's function behind an operator -> what the operator asks of its right-hand side.
_REFLECTED = {
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__",
    "remainder": "__rmod__",
    "power": "__rpow__",
    "matmul": "__rmatmul__",
    "less": "__gt__",
    "less_equal": "__ge__",
    "greater": "__lt__",
    "greater_equal": "__le__",
}

Shape = tuple[int | None, ...]


class Tensor:
    """A value in a graph: known (eager), or only its shape and type (symbolic).

    Args:
        shape: a tuple; `None` where a size is not known yet, as that of the batch.
        dtype: the name of the type, "float32" by default.
        name: for error messages and pictures.
        node: the Node that produces it; None for a leaf.
        index: which of the node's outputs it is.
        value: the array, where it is known.
        variable: the Variable that a leaf was read from.

    The operators (`+`, `@`, `x[1:]` ...) are bound when `deepneuron.ops` is imported.

    >>> Tensor((None, 3), name="x")
    <Tensor x shape=(None, 3) dtype=float32>
    """

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        *,
        name: str | None = None,
        node: Node | None = None,
        index: int = 0,
        value: np.ndarray | None = None,
        variable: Variable | None = None,
    ) -> None:
        self._shape: Shape = tuple(shape)
        self._dtype = standardize_dtype(dtype)
        self._value = value
        self.name = name
        self.node = node
        self.index = index
        self.variable = variable

    # Read-only: a plan or a gradient may already stand on them.
    @property
    def shape(self) -> Any:
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    rank = ndim  # another name for the same

    @property
    def size(self) -> int | None:
        """The number of elements, or None while a size is not known."""
        return None if None in self.shape else int(np.prod(self.shape))

    def set_value(self, value: np.ndarray) -> None:
        """Fill in what an operation has computed."""
        self._value = value

    def value_or_none(self) -> np.ndarray | None:
        """The array if it is known, else None: the one question that never raises."""
        return self._value

    def numpy(self) -> np.ndarray:
        """A copy of the value.

        Raises:
            CaptureError: the tensor is symbolic.
        """
        return np.array(self._known("numpy()"))

    def _known(self, asked: str) -> np.ndarray:
        value = self.value_or_none()
        if value is None:
            from deepneuron.engine.scope import user_line

            raise CaptureError(
                f"{asked} was asked of {self!r} at {user_line()}, but while a graph is "
                "captured a tensor has a shape and no value. Write it with "
                "deepneuron.ops (ops.where instead of if), or let Python see the "
                "values with compile(run_eagerly=True)."
            )
        return value

    def __repr__(self) -> str:
        name = f" {self.name}" if self.name else ""
        value = self.value_or_none()
        body = "" if value is None else f" value={np.array2string(value, threshold=20)}"
        kind = type(self).__name__
        return f"<{kind}{name} shape={self.shape} dtype={self.dtype}{body}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = np.asarray(self._known("A NumPy array"), dtype)
        return np.array(value) if copy else value

    def __array_ufunc__(
        self, ufunc: Any, method: str, *args: Any, **kwargs: Any
    ) -> Any:
        """`array + tensor` reaches us here; other NumPy functions need a value."""
        reflected = _REFLECTED.get(ufunc.__name__)
        if reflected and method == "__call__" and args[1:] == (self,) and not kwargs:
            return getattr(self, reflected)(args[0])
        args = tuple(
            a._known(f"np.{ufunc.__name__}") if isinstance(a, Tensor) else a
            for a in args
        )
        return getattr(ufunc, method)(*args, **kwargs)

    def __bool__(self) -> bool:
        return bool(self._known("A truth value (if, while, and, or)"))

    def __float__(self) -> float:
        return float(self._known("float()"))

    def __int__(self) -> int:
        return int(self._known("int()"))

    def __index__(self) -> int:
        return self._known("An index").__index__()

    def item(self) -> Any:
        """The one element as a Python number."""
        return self._known("item()").item()

    def __format__(self, spec: str) -> str:
        return format(self._known("Formatting").item() if spec else repr(self), spec)

    def __iter__(self) -> Any:
        self._known("Iteration")
        return (self[i] for i in range(len(self)))  # type: ignore[index]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A tensor without axes has no length.")
        if self.shape[0] is None:
            self._known("len()")
        return int(self.shape[0])
