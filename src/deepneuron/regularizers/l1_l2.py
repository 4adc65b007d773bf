"""Penalties on the size of weights: L1 makes many of them zero, L2 keeps all small."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.regularizers.factor import factor_of
from deepneuron.regularizers.regularizer import Regularizer
from deepneuron.serialization import keras_class


@keras_class("keras.regularizers")
class L1(Regularizer):
    """penalty = l1 * sum |w|

    Args:
        l1: the strength.

    Raises:
        ArgumentError: the strength is negative or no number.

    >>> import numpy as np
    >>> float(L1(0.5)(np.array([1.0, -3.0])))
    2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = factor_of(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


@keras_class("keras.regularizers")
class L2(Regularizer):
    """penalty = l2 * sum w^2

    Args:
        l2: the strength.

    Raises:
        ArgumentError: the strength is negative or no number.

    >>> import numpy as np
    >>> float(L2(0.5)(np.array([1.0, -3.0])))
    5.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = factor_of(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@keras_class("keras.regularizers")
class L1L2(Regularizer):
    """penalty = l1 * sum |w| + l2 * sum w^2

    Args:
        l1, l2: the strengths; 0 leaves a term out.

    Raises:
        ArgumentError: a strength is negative or no number.

    >>> import numpy as np
    >>> float(L1L2(0.5, 0.5)(np.array([1.0, -3.0])))
    7.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = factor_of(0.0 if l1 is None else l1, "l1")
        self.l2 = factor_of(0.0 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        terms = []
        if self.l1:
            terms.append(self.l1 * ops.sum(ops.abs(x)))
        if self.l2:
            terms.append(self.l2 * ops.sum(ops.square(x)))
        if not terms:
            return ops.convert_to_tensor(0.0, dtype=x.dtype)
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}
