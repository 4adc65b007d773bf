"""Where random numbers come from: a seed, and a counter of the draws so far."""

from __future__ import annotations

import random
from typing import Any, Self

import numpy as np

from deepneuron.engine.scope import name_scope
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError
from deepneuron.naming import auto_name
from deepneuron.ops.types import identity_value
from deepneuron.serialization import keras_class


@keras_class("keras.random")
class SeedGenerator:
    """A new key for every draw: (seed, 0), (seed, 1), (seed, 2) ...

    The counter is a Variable. A step that is captured reads it and commits the next
    one, so a plan draws anew in every run; and whoever stores the state can go on from
    there with the very same numbers.

    Args:
        seed: a whole number; None draws one from Python's `random`, which
            `utils.set_random_seed` makes repeatable.
        name: one part of the path of the state.

    Attributes:
        state: (2,) uint32, the seed and the counter.

    Raises:
        ArgumentError: the seed is no whole number.

    >>> generator = SeedGenerator(seed=7)
    >>> generator.next(), generator.next()
    (array([7, 0], dtype=uint32), array([7, 1], dtype=uint32))
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = name or auto_name("seed_generator")
        self._initial_seed = seed
        if seed is None:
            seed = random.randint(1, 1_000_000_000)  # noqa: S311 - no secret
        with name_scope(self.name):
            self.state = Variable(
                key_of(seed), trainable=False, name="seed_generator_state"
            )

    def next(self, ordered: bool = True) -> Any:
        """The key of the next draw, (2,): the state; and the counter grows by one.

        Args:
            ordered: accepted as in Keras. The counter grows by one in any case: no key
                ever comes back, and counting is not slower than hashing.
        """
        key = identity_value(self.state)  # what it is now, before it is counted on
        self.state.assign(self.state + np.array([0, 1], "uint32"))  # type: ignore[operator]  # bound by ops
        return key

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal generator, at its beginning."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The generator that `get_config` described."""
        return cls(**config)


_global: SeedGenerator | None = None


def global_seed_generator() -> SeedGenerator:
    """The generator behind every draw that is not given a seed."""
    global _global  # noqa: PLW0603 - there is one for the process
    if _global is None:
        _global = SeedGenerator(name="global_seed_generator")
    return _global


def set_global_seed(seed: int) -> None:
    """Let the draws without a seed begin anew from this one.

    >>> set_global_seed(7)
    >>> global_seed_generator().next()
    array([7, 0], dtype=uint32)
    """
    global _global  # noqa: PLW0603 - there is one for the process
    if _global is None:
        _global = SeedGenerator(seed, name="global_seed_generator")
    else:  # its Variable stays: there may be plans that draw from it
        _global.state.assign(key_of(seed))


def draw_key(seed: Any) -> Any:
    """(2,) uint32: the key that a seed stands for.

    Args:
        seed: a whole number, which gives the same key every time; a SeedGenerator; or
            None for the global one.

    Raises:
        ArgumentError: it is none of these.
    """
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    return key_of(seed)


def key_of(seed: Any) -> np.ndarray:
    """The first key of a seed; of larger or negative numbers 32 bits count."""
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
        raise ArgumentError(
            f"A seed is a whole number or a SeedGenerator; received {seed!r}."
        )
    return np.array([int(seed) % 2**32, 0], "uint32")
