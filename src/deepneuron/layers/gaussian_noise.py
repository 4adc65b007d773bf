"""GaussianNoise: while training, normal random numbers are added."""

from __future__ import annotations

from typing import Any

from deepneuron.errors import ArgumentError
from deepneuron.layers.layer import Layer
from deepneuron.ops import random
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class GaussianNoise(Layer):
    """y = x + stddev * n while training, n being normal random numbers; else y = x

    Args:
        stddev: the size of the noise, from 0 to 1.
        seed: for the same noise in every run.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.GaussianNoise(0.1)(np.ones(2, "float32"))
    array([1., 1.], dtype=float32)
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= stddev <= 1:
            raise ArgumentError(
                f"GaussianNoise: stddev is from 0 to 1; received {stddev!r}."
            )
        self.stddev = stddev
        self.seed = seed
        if stddev > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        # While a size is not known, only the shape of y is asked for.
        if not training or self.stddev == 0 or None in inputs.shape:
            return inputs
        noise = random.normal(
            inputs.shape,
            stddev=self.stddev,
            dtype=self.compute_dtype,
            seed=self.seed_generator,
        )
        return inputs + noise

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
