"""mlp: layers in which every unit sees every pixel."""

from __future__ import annotations

from deepneuron import layers
from deepneuron.models import Sequential
from deepneuron.vision.recipe import DROPOUT


def make_mlp(
    shape: tuple[int, int, int],
    classes: int,
    units: tuple[int, ...] = (256, 128),
    dropout: float = DROPOUT,
) -> Sequential:
    """h = relu(W1 x + b1), h = relu(W2 h + b2), p = softmax(W3 h + b3)

    A unit has a weight of its own for each pixel: a thing that is moved by one pixel is
    a new thing. For pictures that are too small for convolutions, or to compare with.

    Args:
        shape: (height, width, channels) of the pictures, which are uint8.
        classes: how many kinds there are.
        units: of each hidden layer.
        dropout: the share of hidden units that is left out in a step of training.

    >>> make_mlp((8, 8, 1), classes=10).count_params()
    50826
    """
    hidden: list[layers.Layer] = []
    for n in units:
        hidden += [
            layers.Dense(n, activation="relu", kernel_initializer="he_normal"),
            layers.Dropout(dropout),
        ]
    return Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            *hidden,
            layers.Dense(classes, activation="softmax"),
        ],
        name="mlp",
    )
