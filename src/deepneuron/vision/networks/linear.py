"""linear: one weight for each pixel and class."""

from __future__ import annotations

from deepneuron import layers
from deepneuron.models import Sequential


def make_linear(shape: tuple[int, int, int], classes: int) -> Sequential:
    """p = softmax(W x + b), where x holds the pixels from 0 to 1

    Also called logistic regression: each class has one template. What it cannot tell
    apart, no single template can; so it is what other networks are measured by.

    Args:
        shape: (height, width, channels) of the pictures, which are uint8.
        classes: how many kinds there are.

    >>> make_linear((8, 8, 1), classes=10).count_params()
    650
    """
    return Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ],
        name="linear",
    )
