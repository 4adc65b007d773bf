"""Dropout: while training, a random part of the values is set to 0."""

from __future__ import annotations

from typing import Any

from deepneuron.errors import ArgumentError
from deepneuron.layers.layer import Layer
from deepneuron.ops import random
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Dropout(Layer):
    """y = x * mask / (1 - rate) while training, mask being 0 with probability `rate`

    The division keeps the mean of y at that of x. Outside of training, y = x.

    Args:
        rate: the part that is dropped, from 0 to 1.
        noise_shape: the shape of the mask, broadcast to x: (None, 1, features) drops
            the same features at every position. None within it is the size of x.
        seed: for the same masks in every run.

    Source:
        Srivastava et al., "Dropout: a simple way to prevent neural networks from
        overfitting", JMLR 15 (2014).

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> y = layers.Dropout(0.5, seed=1)(np.ones((2, 50), "float32"), training=True)
    >>> np.unique(y)
    array([0., 2.], dtype=float32)
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ArgumentError(f"Dropout: rate is from 0 to 1; received {rate!r}.")
        self.rate = rate
        self.noise_shape = _noise_shape_of(noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(
            inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


def _noise_shape_of(shape: Any) -> tuple[int | None, ...] | None:
    if shape is None:
        return None
    sizes = tuple(shape) if isinstance(shape, (list, tuple)) else ("?",)
    if not all(n is None or (isinstance(n, int) and n > 0) for n in sizes):
        raise ArgumentError(
            "Dropout: noise_shape holds positive sizes, or None for the size of the "
            f"input; received {shape!r}."
        )
    return sizes
