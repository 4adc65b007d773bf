"""The convolutional network that `deepneuron train` trains."""

from __future__ import annotations

from deepneuron import layers
from deepneuron.models import Sequential


def make_cnn(input_shape: tuple[int, int, int], classes: int, peak: int) -> Sequential:
    """Two blocks of convolution and pooling look, two dense layers decide.

    Args:
        input_shape: (height, width, channels).
        classes: how many kinds there are.
        peak: the value of a full pixel; the network divides by it.

    >>> make_cnn((8, 8, 1), classes=10, peak=16).count_params()
    13706
    """
    return Sequential(
        [
            layers.Input(input_shape),
            layers.Rescaling(1 / peak),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax"),
        ],
        name="cnn",
    )
