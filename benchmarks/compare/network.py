"""Networks as plain data, which every contestant builds with its own means.

A network is a tuple of parts. Arrays are (batch, height, width, channels), kernels as
Keras keeps them; convolutions with padding "same" pad as Keras does.

>>> [after for part, before, after in walk((Flatten(), Dense(10)), (28, 28, 1))]
[(784,), (10,)]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

Shape = tuple[int, ...]  # without the batch


class Dense(NamedTuple):
    units: int
    activation: str | None = None


class Conv(NamedTuple):
    filters: int
    size: int = 3
    stride: int = 1
    activation: str | None = None
    padding: str = "same"
    bias: bool = True


class DepthwiseConv(NamedTuple):
    """One kernel for each channel; without a bias, because BatchNorm follows."""

    size: int = 3
    stride: int = 1


class BatchNorm(NamedTuple):
    momentum: float = 0.99
    epsilon: float = 1e-3


class ReLU(NamedTuple):
    pass


class MaxPool(NamedTuple):
    size: int = 2


class GlobalAveragePool(NamedTuple):
    pass


class Flatten(NamedTuple):
    pass


class Residual(NamedTuple):
    """y = relu(body(x) + shortcut(x)); an empty shortcut is the identity."""

    body: Network
    shortcut: Network = ()


Part = (
    Dense
    | Conv
    | DepthwiseConv
    | BatchNorm
    | ReLU
    | MaxPool
    | GlobalAveragePool
    | Flatten
    | Residual
)
Network = tuple[Part, ...]
Weights = list[dict[str, np.ndarray]]  # of every part that has some, in order


def windows(size: int, width: int, stride: int, padding: str) -> int:
    """How many windows of `width` fit along an axis."""
    return -(-size // stride) if padding == "same" else (size - width) // stride + 1


def output_shape(part: Part, shape: Shape) -> Shape:
    """The shape of what a part makes of a sample of `shape`."""
    match part:
        case Dense():
            return (*shape[:-1], part.units)
        case Conv() | DepthwiseConv():
            filters = part.filters if isinstance(part, Conv) else shape[-1]
            padding = part.padding if isinstance(part, Conv) else "same"
            height, width = (
                windows(n, part.size, part.stride, padding) for n in shape[:2]
            )
            return height, width, filters
        case MaxPool():
            return shape[0] // part.size, shape[1] // part.size, shape[2]
        case GlobalAveragePool():
            return shape[-1:]
        case Flatten():
            return (int(np.prod(shape)),)
        case Residual():
            for inner in part.body:
                shape = output_shape(inner, shape)
            return shape
        case _:
            return shape


def walk(network: Network, shape: Shape) -> Iterator[tuple[Part, Shape, Shape]]:
    """(part, shape of its input, shape of its output), bodies before shortcuts.

    This is the order of `Weights`.
    """
    for part in network:
        if isinstance(part, Residual):
            yield from walk(part.body, shape)
            yield from walk(part.shortcut, shape)
            shape = output_shape(part, shape)
        else:
            before, shape = shape, output_shape(part, shape)
            yield part, before, shape


def kernel_shape(part: Part, shape: Shape) -> Shape | None:
    """The kernel of a part that multiplies matrices, else None."""
    match part:
        case Dense():
            return shape[-1], part.units
        case Conv():
            return part.size, part.size, shape[-1], part.filters
        case DepthwiseConv():
            return part.size, part.size, shape[-1], 1
        case _:
            return None


def make_weights(network: Network, shape: Shape, seed: int = 0) -> Weights:
    """The initial weights: He's normal for kernels, so that ReLUs keep the variance."""
    rng = np.random.default_rng(seed)
    weights: Weights = []
    for part, before, after in walk(network, shape):
        kernel = kernel_shape(part, before)
        if kernel is not None:
            fan_in = np.prod(kernel[: 2 if isinstance(part, DepthwiseConv) else -1])
            scale = np.sqrt(2 / fan_in)
            own = {"kernel": rng.normal(0, scale, kernel).astype("float32")}
            if isinstance(part, Dense) or (isinstance(part, Conv) and part.bias):
                own["bias"] = np.zeros(after[-1], "float32")
            weights.append(own)
        elif isinstance(part, BatchNorm):
            ones, zeros = np.ones(after[-1], "float32"), np.zeros(after[-1], "float32")
            weights.append(
                {"gamma": ones, "beta": zeros, "mean": zeros, "variance": ones}
            )
    return weights
