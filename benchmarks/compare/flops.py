"""How many floating-point operations a network needs.

>>> from benchmarks.compare.network import Dense
>>> forward_flops((Dense(8), Dense(2)), (4,))  # 2 * (4 * 8 + 8 * 2)
96
>>> step_flops((Dense(8), Dense(2)), (4,))  # 3 * 96 - 2 * 4 * 8
224
"""

from __future__ import annotations

import math

from benchmarks.compare.network import Conv, Network, Shape, kernel_shape, walk


def forward_flops(network: Network, shape: Shape) -> int:
    """Of one sample on the way forward: 2 for each multiply-add of a kernel.

    Everything else (biases, activations, pooling, normalisation) is left out, as is
    usual: it costs memory traffic rather than arithmetic. Windows that hang over the
    edge count in full.
    """
    return sum(_layers(network, shape))


def step_flops(network: Network, shape: Shape) -> int:
    """Of one sample in a step of training: y, dx and dkernel cost the same each.

    The first layer needs no dx, for the data are not learned. The optimizer's few
    operations for each weight are left out.
    """
    return _of_a_step(_layers(network, shape))


def fewest_flops(network: Network, shape: Shape) -> int:
    """The same where kernels of 3x3 are applied by Winograd's algorithm.

    Its transforms are left out, so this is a limit that nobody reaches.

    >>> from benchmarks.compare.network import Conv
    >>> network = Conv(16), Conv(16)
    >>> step_flops(network[1:], (8, 8, 16)) / fewest_flops(network[1:], (8, 8, 16))
    4.0
    """
    return _of_a_step(_layers(network, shape, winograd=True))


def _of_a_step(layers: list[int]) -> int:
    return 3 * sum(layers) - layers[0]


def _layers(network: Network, shape: Shape, winograd: bool = False) -> list[int]:
    counts = []
    for part, before, after in walk(network, shape):
        kernel = kernel_shape(part, before)
        if kernel is not None:
            # The last axis of the output counts the filters, which the kernel holds
            # too; a depthwise kernel holds the channels in the place of the inputs.
            windows = math.prod(after[:-1])
            count = 2 * math.prod(kernel) * windows
            if (
                winograd
                and isinstance(part, Conv)
                and (part.size, part.stride) == (3, 1)
            ):
                count = (
                    count * min(_products(after[:2], n) for n in TILES) // (9 * windows)
                )
            counts.append(count)
    return counts


TILES = 2, 4, 6  # rows of outputs that Winograd's algorithm makes at once


def _products(places: Shape, tile: int) -> int:
    """Of one channel and one filter, for all outputs, in tiles of tile x tile."""
    return math.prod(-(-n // tile) for n in places) * (tile + 2) ** 2
