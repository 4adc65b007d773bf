"""GlobalMaxPooling2D: the largest value of every channel."""

from __future__ import annotations

from deepneuron.layers.global_pooling import GlobalPooling
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class GlobalMaxPooling2D(GlobalPooling):
    """y[b, c] = max of x[b, :, :, c]

    Shapes: x (batch, height, width, channels) gives y (batch, channels), or
    (batch, 1, 1, channels) with keepdims.

    Args:
        data_format: "channels_last" (default) or "channels_first".
        keepdims: whether height and width stay, with size 1.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.GlobalMaxPooling2D()(np.ones((2, 5, 5, 3), "float32")).shape
    (2, 3)
    """

    rank = 2
    operation = "max"
