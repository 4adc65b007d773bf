"""What every metric is: some numbers that batches are added to, and what they say."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from deepneuron import initializers
from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.engine.nest import flatten
from deepneuron.engine.scope import name_scope
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError
from deepneuron.naming import auto_name, to_snake_case
from deepneuron.serialization import keras_class


@keras_class("keras.metrics")
class Metric:
    """A number about many batches: `update_state` takes one in, `result` says it.

    Subclasses make variables with `add_variable`, change them in `update_state` with
    `assign` and `assign_add`, and compute `result` from them, all with
    `deepneuron.ops`, so that both can be part of a captured step.

    Args:
        dtype: the type of the variables; `floatx()` by default.
        name: for the logs; made from the class by default.

    >>> import deepneuron as dn
    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", dtype=None):
    ...         super().__init__(dtype=dtype, name=name)
    ...         self.error = self.add_variable((), "zeros", name="error")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         error = dn.ops.max(dn.ops.abs(y_true - y_pred))
    ...         self.error.assign(dn.ops.maximum(self.error, error))
    ...
    ...     def result(self):
    ...         return self.error.value
    >>> import numpy as np
    >>> metric = Largest()
    >>> metric.update_state(np.array([1.0, 2.0]), np.array([1.0, 5.0]))
    >>> float(metric.result())
    3.0
    """

    _direction: ClassVar[str | None] = None  # "up" where more is better, "down" ...

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self._variables: list[Variable] = []
        self._metrics: list[Metric] = []
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self._dtype = standardize_dtype(getattr(dtype, "compute_dtype", dtype))

    def __setattr__(self, name: str, value: Any) -> None:
        """Variables, and metrics inside of this one, are found by being attributes."""
        for part in flatten(value)[0] if "_metrics" in self.__dict__ else ():
            if isinstance(part, Variable) and part not in self._variables:
                self._variables.append(part)
            elif isinstance(part, Metric) and part not in self._metrics:
                self._metrics.append(part)
        super().__setattr__(name, value)

    @property
    def dtype(self) -> str:
        """The type of the variables."""
        return self._dtype

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A number, or an array of numbers, that is kept from batch to batch.

        Args:
            shape: of the array; () for one number.
            initializer: its values before the first batch; `reset_state` makes zeros.
            dtype: its type; that of the metric by default.
            aggregation: accepted as in Keras; without effect here.
            name: one part of its path.
        """
        if "_variables" not in self.__dict__:
            raise ArgumentError(
                f"{type(self).__name__}.__init__ must call super().__init__() before "
                "it adds variables."
            )
        with name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializers.get(initializer),
                shape=tuple(shape),
                dtype=dtype or self.dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """`add_variable` under the name that it has in layers; zeros by default."""
        return self.add_variable(shape, initializer or "zeros", dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the metrics inside of it."""
        inner = [v for metric in self._metrics for v in metric.variables]
        return [*self._variables, *inner]

    def reset_state(self) -> None:
        """Forget all batches."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in a batch; usually called as (y_true, y_pred, sample_weight)."""
        raise NotImplementedError(
            f"{type(self).__name__} is a Metric without `update_state`; write "
            "`def update_state(self, y_true, y_pred, sample_weight=None)`."
        )

    def result(self) -> Any:
        """The number, or a dictionary of numbers, about all batches since the reset."""
        raise NotImplementedError(
            f"{type(self).__name__} is a Metric without `result`; write "
            "`def result(self)`."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch, and say the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The metric that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
