"""A random matrix that turns vectors without stretching them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.errors import ShapeError
from deepneuron.initializers.random import RandomInitializer
from deepneuron.ops import random
from deepneuron.serialization import keras_class


@keras_class("keras.initializers")
class Orthogonal(RandomInitializer):
    """w^T w = gain^2 I (or w w^T, where w has more columns than rows)

    A weight of more than two axes is seen as a matrix, (all but the last, last).

    Args:
        gain: by what the lengths are multiplied.
        seed: an integer, a SeedGenerator, or None for a seed of its own.

    Raises:
        ShapeError: the weight has fewer than two axes.

    Source: Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks, 2014.

    >>> w = Orthogonal(seed=1)((4, 2))
    >>> bool(np.allclose(w.T @ w, np.eye(2), atol=1e-6))
    True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        shape, dtype = tuple(shape), standardize_dtype(dtype)
        if len(shape) < 2:
            raise ShapeError(
                f"Orthogonal initializes weights of two axes or more; this one has "
                f"shape {shape}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(
            np.asarray(random.normal(tall, dtype=dtype, seed=self.seed))
        )
        # Every orthogonal matrix becomes equally likely when r's diagonal is positive.
        q = q * np.where(np.diag(r) < 0, -1, 1).astype(dtype)
        w = q if rows >= columns else q.T
        return np.asarray(self.gain * w.reshape(shape), dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
