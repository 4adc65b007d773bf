"""The convolutional network that `deepneuron train` trains."""

from __future__ import annotations

from deepneuron import layers
from deepneuron.models import Sequential


def make_cnn(input_shape: tuple[int, int, int], classes: int, peak: int) -> Sequential:
    """Two blocks of convolution and pooling, and one dense layer that decides.

    Args:
        input_shape: (height, width, channels).
        classes: how many kinds there are.
        peak: the value of a full pixel; the network divides by it.
    """
    return Sequential(
        [
            layers.Input(input_shape),
            layers.Rescaling(1 / peak),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax"),
        ],
        name="cnn",
    )
