"""Random values whose spread fits the number of inputs and outputs of a layer.

A unit sums over its fan_in inputs; with Var(w) = 1 / fan_in the sum varies as much as
one input does, so that signals neither die out nor explode on their way through many
layers. Glorot and Bengio (2010) balance that against the way back (fan_out), He et al.
(2015) double it, because ReLU silences half of the units.
"""

from __future__ import annotations

import math
from typing import Any

from deepneuron import serialization
from deepneuron.errors import ArgumentError
from deepneuron.initializers.random import RandomInitializer
from deepneuron.ops import random
from deepneuron.serialization import keras_class

# The standard deviation of N(0, 1) between -2 and 2; what is cut off is made up for.
_TRUNCATED_STDDEV = 0.87962566103423978

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def compute_fans(
    shape: Any, input_axes: Any = None, output_axes: Any = None
) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs a unit sums, how many units an input reaches.

    Args:
        shape: of the kernel: (inputs, units), or (height, width, inputs, filters) and
            its like, where every position of the window counts.
        input_axes, output_axes: for other layouts: the axes whose product is meant.

    >>> compute_fans((784, 10)), compute_fans((3, 3, 16, 32))
    ((784, 10), (144, 288))
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return (
            math.prod(int(shape[axis]) for axis in input_axes),
            math.prod(int(shape[axis]) for axis in output_axes),
        )
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


@keras_class("keras.initializers")
class VarianceScaling(RandomInitializer):
    """Var(w) = scale / fan

    Args:
        scale: the variance that the sum over `fan` weights shall have.
        mode: "fan_in", "fan_out", or "fan_avg", their mean.
        distribution: "truncated_normal" (also called "normal"), "untruncated_normal" or
            "uniform".
        seed: an integer, a SeedGenerator, or None for a seed of its own.
        input_axes, output_axes: of the kernel, where it is not laid out as usual.

    Raises:
        ArgumentError: a scale that is not positive, an unknown mode or distribution.

    >>> w = VarianceScaling(seed=1)((400, 100))
    >>> bool(abs(w.std() - 1 / 20) < 0.001)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        name = type(self).__name__
        if scale <= 0.0:
            raise ArgumentError(f"{name}: scale must be positive; received {scale}.")
        if mode not in _MODES:
            raise ArgumentError(f"{name}: mode is one of {_MODES}; received {mode!r}.")
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in _DISTRIBUTIONS:
            raise ArgumentError(
                f"{name}: distribution is one of {_DISTRIBUTIONS}; received "
                f"{distribution!r}."
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = tuple(shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {
            "fan_in": fan_in,
            "fan_out": fan_out,
            "fan_avg": (fan_in + fan_out) / 2,
        }[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, fan))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * stddev  # U(-a, a) has the variance a^2 / 3
            return random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        if self.distribution == "truncated_normal":
            stddev /= _TRUNCATED_STDDEV
            return random.truncated_normal(
                shape, 0.0, stddev, dtype=dtype, seed=self.seed
            )
        return random.normal(shape, 0.0, stddev, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Preset(VarianceScaling):
    """A VarianceScaling whose scale, mode and distribution have a name of their own."""

    def get_config(self) -> dict[str, Any]:
        return {
            "seed": serialization.serialize(self._given_seed),
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


@keras_class("keras.initializers")
class GlorotUniform(_Preset):
    """w ~ U(-a, a) with a = sqrt(6 / (fan_in + fan_out)): the default of most layers

    Args:
        seed: an integer, a SeedGenerator, or None for a seed of its own.
        input_axes, output_axes: of the kernel, where it is not laid out as usual.

    Source: Glorot and Bengio, 2010.

    >>> bool(abs(GlorotUniform(seed=1)((3, 3))).max() <= 1.0)
    True
    """

    def __init__(
        self, seed: Any = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


@keras_class("keras.initializers")
class GlorotNormal(_Preset):
    """w ~ N(0, 2 / (fan_in + fan_out)), truncated

    Args:
        seed: an integer, a SeedGenerator, or None for a seed of its own.
        input_axes, output_axes: of the kernel, where it is not laid out as usual.

    Source: Glorot and Bengio, 2010.

    >>> GlorotNormal(seed=1)((3, 4)).shape
    (3, 4)
    """

    def __init__(
        self, seed: Any = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        super().__init__(
            1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes
        )


@keras_class("keras.initializers")
class LecunNormal(_Preset):
    """w ~ N(0, 1 / fan_in), truncated: goes with selu

    Args:
        seed: an integer, a SeedGenerator, or None for a seed of its own.
        input_axes, output_axes: of the kernel, where it is not laid out as usual.

    Source: LeCun et al., Efficient BackProp, 1998.

    >>> LecunNormal(seed=1)((3, 4)).shape
    (3, 4)
    """

    def __init__(
        self, seed: Any = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        super().__init__(
            1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes
        )


@keras_class("keras.initializers")
class LecunUniform(_Preset):
    """w ~ U(-a, a) with a = sqrt(3 / fan_in)

    Args:
        seed: an integer, a SeedGenerator, or None for a seed of its own.
        input_axes, output_axes: of the kernel, where it is not laid out as usual.

    Source: LeCun et al., Efficient BackProp, 1998.

    >>> bool(abs(LecunUniform(seed=1)((3, 4))).max() <= 1.0)
    True
    """

    def __init__(
        self, seed: Any = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


@keras_class("keras.initializers")
class HeNormal(_Preset):
    """w ~ N(0, 2 / fan_in), truncated: goes with relu

    Args:
        seed: an integer, a SeedGenerator, or None for a seed of its own.
        input_axes, output_axes: of the kernel, where it is not laid out as usual.

    Source: He et al., Delving Deep into Rectifiers, 2015.

    >>> HeNormal(seed=1)((3, 4)).shape
    (3, 4)
    """

    def __init__(
        self, seed: Any = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        super().__init__(
            2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes
        )


@keras_class("keras.initializers")
class HeUniform(_Preset):
    """w ~ U(-a, a) with a = sqrt(6 / fan_in): goes with relu

    Args:
        seed: an integer, a SeedGenerator, or None for a seed of its own.
        input_axes, output_axes: of the kernel, where it is not laid out as usual.

    Source: He et al., Delving Deep into Rectifiers, 2015.

    >>> bool(abs(HeUniform(seed=1)((6, 4))).max() <= 1.0)
    True
    """

    def __init__(
        self, seed: Any = None, input_axes: Any = None, output_axes: Any = None
    ) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)
