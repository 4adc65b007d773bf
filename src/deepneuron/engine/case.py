"""Case: inputs on which an operation is tested; every `@op` brings at least one.

>>> Case((2, 3), np.array([0, 1]), axis=1).arrays()[0].shape
(2, 3)
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Case:
    """What the conformance suite calls an operation with.

    Args:
        *inputs: a shape, for normal random numbers; or an array, taken as it is.
        between: (low, high), where the random numbers have to lie in an interval.
        smooth: False at a kink, where finite differences say nothing of the gradient.
        **attrs: the attributes.
    """

    def __init__(
        self,
        *inputs: Any,
        between: tuple[float, float] | None = None,
        smooth: bool = True,
        **attrs: Any,
    ) -> None:
        self.inputs, self.attrs = inputs, attrs
        self.between, self.smooth = between, smooth

    def arrays(self, seed: int = 0, dtype: str = "float64") -> list[np.ndarray]:
        """The inputs as arrays; those given as shapes get random numbers."""
        rng = np.random.default_rng(seed)

        def fill(shape: Any) -> np.ndarray:
            if not isinstance(shape, tuple):
                return np.array(shape)
            values = rng.uniform(*self.between, shape) if self.between else None
            values = rng.normal(size=shape) if values is None else values
            return np.asarray(values).astype(dtype)

        return [fill(shape) for shape in self.inputs]
