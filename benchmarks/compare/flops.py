"""How many floating-point operations a network needs.

>>> from benchmarks.compare.network import Dense
>>> forward_flops((Dense(8), Dense(2)), (4,))  # 2 * (4 * 8 + 8 * 2)
96
>>> step_flops((Dense(8), Dense(2)), (4,))  # 3 * 96 - 2 * 4 * 8
224
"""

from __future__ import annotations

import math

from benchmarks.compare.network import Network, Shape, kernel_shape, walk


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
    layers = _layers(network, shape)
    return 3 * sum(layers) - layers[0]


def _layers(network: Network, shape: Shape) -> list[int]:
    counts = []
    for part, before, after in walk(network, shape):
        kernel = kernel_shape(part, before)
        if kernel is not None:
            # The last axis of the output counts the filters, which the kernel holds
            # too; a depthwise kernel holds the channels in the place of the inputs.
            counts.append(2 * math.prod(kernel) * math.prod(after[:-1]))
    return counts
