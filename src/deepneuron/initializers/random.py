"""Initial values drawn at random, from a normal or a uniform distribution."""

from __future__ import annotations

import random as python_random
from typing import Any

from deepneuron import serialization
from deepneuron.errors import ArgumentError
from deepneuron.initializers.initializer import Initializer
from deepneuron.ops import random
from deepneuron.serialization import keras_class


class RandomInitializer(Initializer):
    """What all random initializers share: the seed.

    Args:
        seed: an integer gives the same values at every call; a SeedGenerator new ones.
            None draws an integer, once, from Python's `random`.
    """

    def __init__(self, seed: Any = None) -> None:
        self._given_seed = seed
        if seed is None:
            seed = python_random.randint(1, 1_000_000_000)  # noqa: S311 - no secret
        elif isinstance(seed, dict):
            seed = serialization.deserialize(seed)
        elif not isinstance(seed, (int, random.SeedGenerator)):
            raise ArgumentError(
                f"{type(self).__name__}: seed must be an integer or a SeedGenerator; "
                f"received {seed!r}."
            )
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": serialization.serialize(self._given_seed)}


@keras_class("keras.initializers")
class RandomNormal(RandomInitializer):
    """w ~ N(mean, stddev^2)

    Args:
        mean: where the bell stands.
        stddev: how wide it is.
        seed: an integer, a SeedGenerator, or None for a seed of its own.

    >>> RandomNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None
    ) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.normal(
            tuple(shape), self.mean, self.stddev, dtype=dtype, seed=self.seed
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@keras_class("keras.initializers")
class TruncatedNormal(RandomInitializer):
    """w ~ N(mean, stddev^2), drawn again where it lies beyond two stddev

    Args:
        mean: where the bell stands.
        stddev: of the whole bell; what is left of it has 0.88 of that.
        seed: an integer, a SeedGenerator, or None for a seed of its own.

    >>> bool(abs(TruncatedNormal(seed=1)((100,))).max() <= 0.1)
    True
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None
    ) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.truncated_normal(
            tuple(shape), self.mean, self.stddev, dtype=dtype, seed=self.seed
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@keras_class("keras.initializers")
class RandomUniform(RandomInitializer):
    """w ~ U[minval, maxval)

    Args:
        minval, maxval: the interval; its upper end is excluded.
        seed: an integer, a SeedGenerator, or None for a seed of its own.

    >>> bool(abs(RandomUniform(seed=1)((100,))).max() <= 0.05)
    True
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None
    ) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.uniform(
            tuple(shape), self.minval, self.maxval, dtype=dtype, seed=self.seed
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}
