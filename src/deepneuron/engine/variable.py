"""Variable: a named value that outlives any plan, as a weight or a counter does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.engine.registry import registry
from deepneuron.engine.scope import current_path, eager, mode
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ArgumentError, ShapeError


class Variable(Tensor):
    """A value that is kept from step to step.

    Args:
        initializer: a value, or a function `(shape, dtype) -> array`.
        shape: needed where the initializer is a function.
        dtype: the type; that of the value, or `floatx()`.
        trainable: whether optimizers may change it.
        autocast, aggregation, synchronization: accepted as in Keras; no effect here.
        name: one part of its path.

    Raises:
        ArgumentError: a function without a shape.
        ShapeError: the initial value has another shape.

    >>> w = Variable([1.0, 2.0], name="w")
    >>> w.assign_add([1.0, 1.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    _counter = 0
    moved = 0  # grows when any variable gets other memory: plans look at it

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if callable(initializer):
            if shape is None:
                raise ArgumentError(
                    f"Variable {name or ''!r} has a function for its initial value; "
                    "give it a shape as well."
                )
            dtype = standardize_dtype(dtype)
            with eager():
                values = initializer(tuple(shape), dtype=dtype)
                array = np.array(values, dtype, order="C")
        else:
            if dtype is None and not hasattr(initializer, "dtype"):
                kind = np.asarray(initializer).dtype
                dtype = None if kind.kind == "f" else int if kind.kind == "i" else kind
                dtype = standardize_dtype(dtype)
            array = np.array(initializer, dtype, order="C")
        if shape is not None and tuple(array.shape) != tuple(shape):
            raise ShapeError(
                f"Variable {name or ''!r} is to have shape {tuple(shape)}, but its "
                f"initial value has shape {array.shape}."
            )
        Variable._counter += 1
        super().__init__(
            array.shape, array.dtype.name, name=name or f"variable_{self._counter}"
        )
        self._array = array
        self._trainable = bool(trainable)
        self.path: str = f"{current_path()}/{self.name}".lstrip("/")
        self.autocast = autocast
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer: Callable[[Any], Any] | None = None
        self.constraint: Callable[[Any], Any] | None = None

    @property
    def array(self) -> np.ndarray:
        """The memory itself, for the engine; others read `value` or `numpy()`."""
        return self._array

    def move_to(self, memory: np.ndarray) -> None:
        """Live in other memory from now on; the value comes along."""
        memory[...] = self._array
        self._array = memory
        Variable.moved += 1

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def value(self) -> Any:
        """What it is now: an array (a copy), or a tensor that no assignment changes."""
        read = mode().read(self)
        if read is self:  # captured: a Variable would be read anew wherever it is used
            return registry["identity_value"](self)
        return read if isinstance(read, Tensor) else np.array(read)

    def value_or_none(self) -> np.ndarray | None:
        read = mode().read(self)
        if read is self:  # captured: it has no value that Python may look at
            return None
        return read.value_or_none() if isinstance(read, Tensor) else read

    def assign(self, value: Any) -> Variable:
        """Replace the value; in a captured step it happens when the step is over.

        Raises:
            ShapeError: the new value has another shape.
        """
        shape = value.shape if hasattr(value, "shape") else np.shape(value)
        if tuple(shape) != self.shape:
            raise ShapeError(
                f"Variable {self.path!r} has shape {self.shape}; it was assigned a "
                f"value of shape {tuple(shape)}."
            )
        if getattr(value, "dtype", None) != self.dtype:
            value = registry["cast"](value, self.dtype)
        mode().write(self, mode().read(value) if isinstance(value, Variable) else value)
        return self

    def assign_add(self, value: Any) -> Variable:
        """variable := variable + value"""
        return self.assign(self + value)  # type: ignore[operator]  # bound by ops

    def assign_sub(self, value: Any) -> Variable:
        """variable := variable - value"""
        return self.assign(self - value)  # type: ignore[operator]  # bound by ops

    def __repr__(self) -> str:
        known = self.value_or_none()
        head = f"path={self.path} shape={self.shape} dtype={self.dtype}"
        body = "" if known is None else f" value={np.array2string(known, threshold=20)}"
        return f"<Variable {head}{body}>"

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Variable:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        twin = Variable(
            self._array, dtype=self.dtype, trainable=self._trainable, name=self.name
        )
        twin.path = self.path
        twin.regularizer, twin.constraint = self.regularizer, self.constraint
        memo[id(self)] = twin
        return twin
