"""MaxPooling2D: the largest value of every window."""

from __future__ import annotations

from typing import Any

from deepneuron.layers.pooling import Pooling
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class MaxPooling2D(Pooling):
    """y[b, i, j, c] = max of x[b, :, :, c] over the window at (i, j)

    Shapes: x (batch, height, width, channels) gives y (batch, height', width',
    channels), where height' = floor((height - pool) / stride) + 1 with padding="valid"
    and ceil(height / stride) with "same".

    Args:
        pool_size: (height, width) of the window, or one number for both.
        strides: how far it moves at a time; its own size by default.
        padding: "valid" stays inside of the picture, "same" covers all of it.
        data_format: "channels_last" (default) or "channels_first".
        name: of the layer.

    Raises:
        ShapeError: (at the call) a picture smaller than the window.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.MaxPooling2D()(np.arange(4, dtype="float32").reshape(1, 2, 2, 1))
    array([[[[3.]]]], dtype=float32)
    """

    rank = 2
    operation = "max_pool"

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)
