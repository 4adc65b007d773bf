"""RandomFlip: while training, pictures are mirrored at random."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError
from deepneuron.layers.arguments import spatial_axes
from deepneuron.layers.random_picture_layer import RandomPictureLayer
from deepneuron.ops import random
from deepneuron.serialization import keras_class

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@keras_class("keras.layers")
class RandomFlip(RandomPictureLayer):
    """y = x or its mirror image, each with probability 1/2; outside of training y = x

    With "horizontal_and_vertical" a picture is mirrored both ways at once.

    Shapes: x (batch, height, width, channels), or one picture without a batch.

    Args:
        mode: "horizontal" (left and right change places), "vertical" (top and bottom),
            or "horizontal_and_vertical".
        seed: for the same choices in every run.
        data_format: "channels_last" (default) or "channels_first".

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> x = np.arange(3, dtype="float32").reshape(1, 1, 3, 1)
    >>> layer = layers.RandomFlip("horizontal")
    >>> layer.transform_images(x, {"flips": np.array([[[[True]]]])}).ravel()
    array([2., 1., 0.], dtype=float32)
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if mode not in _MODES:
            raise ArgumentError(
                f"RandomFlip: mode is one of {', '.join(_MODES)}; received {mode!r}."
            )
        self.mode = mode

    def _draw(self, data: Any, seed: Any) -> dict[str, Any]:
        """{"flips": which pictures are mirrored, (batch, 1, 1, 1)}"""
        shape = (data.shape[0], 1, 1, 1) if len(data.shape) == 4 else (1, 1, 1)
        return {"flips": ops.less_equal(random.uniform(shape, seed=seed), 0.5)}

    def _transform(self, x: Any, transformation: dict[str, Any]) -> Any:
        height, width = spatial_axes(self.data_format, 2)
        offset = 4 - len(x.shape)  # 1 for a picture without a batch
        axes = []
        if self.mode != "vertical":
            axes.append(width - offset)
        if self.mode != "horizontal":
            axes.append(height - offset)
        return ops.where(transformation["flips"], ops.flip(x, axis=tuple(axes)), x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}
