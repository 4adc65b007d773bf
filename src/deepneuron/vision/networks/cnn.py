"""cnn: convolutions look, pooling makes the picture smaller, two layers decide."""

from __future__ import annotations

from deepneuron import layers
from deepneuron.models import Sequential
from deepneuron.vision.recipe import DROPOUT

_LAST_GRID = 7  # pixels that may be left on the shorter side
_UNITS = 128


def filters_of_blocks(height: int, width: int) -> tuple[int, ...]:
    """How many filters each block has: as many blocks as halve the side to 7 or less.

    The first convolution sees the most pixels, so in large pictures it has fewer
    filters, and a step takes about the same time at 64x64 as at 28x28.

    >>> filters_of_blocks(8, 8), filters_of_blocks(28, 28)
    ((32, 64), (32, 64))
    >>> filters_of_blocks(32, 32), filters_of_blocks(128, 96)
    ((32, 64, 128), (16, 32, 64, 128))
    """
    side, blocks = min(height, width) // 4, 2
    while side > _LAST_GRID:
        side, blocks = side // 2, blocks + 1
    first = 32 if blocks <= 3 else 16
    return tuple(min(first * 2**i, 128) for i in range(blocks))


def make_cnn(
    shape: tuple[int, int, int], classes: int, dropout: float = DROPOUT
) -> Sequential:
    """Blocks of convolution, relu and pooling, then two dense layers.

    Without BatchNormalization: with so few layers it is not needed to get going, and
    with some thousand pictures it made this network worse (see `vision/recipe.py`).

    Args:
        shape: (height, width, channels) of the pictures, which are uint8; from 4x4 on.
        classes: how many kinds there are.
        dropout: the share of values that is left out in a step of training, before each
            dense layer.

    >>> make_cnn((28, 28, 1), classes=10).count_params()
    421642
    """
    blocks: list[layers.Layer] = []
    for filters in filters_of_blocks(*shape[:2]):
        blocks += [
            layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
            ),
            layers.MaxPooling2D(),
        ]
    return Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 255),
            *blocks,
            layers.Flatten(),
            layers.Dropout(dropout),
            layers.Dense(_UNITS, activation="relu", kernel_initializer="he_normal"),
            layers.Dropout(dropout),
            layers.Dense(classes, activation="softmax"),
        ],
        name="cnn",
    )
