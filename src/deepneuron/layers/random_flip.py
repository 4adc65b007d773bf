"""RandomFlip: while training, pictures are mirrored at random."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError
from deepneuron.layers.arguments import data_format_of, spatial_axes
from deepneuron.layers.layer import Layer
from deepneuron.ops import random
from deepneuron.serialization import keras_class

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@keras_class("keras.layers")
class RandomFlip(Layer):
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
        super().__init__(**kwargs)
        if mode not in _MODES:
            raise ArgumentError(
                f"RandomFlip: mode is one of {', '.join(_MODES)}; received {mode!r}."
            )
        self.mode = mode
        self.seed = seed
        self.data_format = data_format_of(data_format)
        self.generator = random.SeedGenerator(seed)

    def call(self, data: Any, training: bool = True) -> Any:
        transformation = self.get_random_transformation(data, training)
        return self.transform_images(data, transformation, training)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any] | None:
        """{"flips": which pictures are mirrored, (batch, 1, 1, 1)}"""
        # While a size is not known, only the shape of y is asked for.
        if not training or None in data.shape:
            return None
        shape = (data.shape[0], 1, 1, 1) if len(data.shape) == 4 else (1, 1, 1)
        draw = random.uniform(shape, seed=self.generator if seed is None else seed)
        return {"flips": ops.less_equal(draw, 0.5)}

    def transform_images(
        self, images: Any, transformation: dict[str, Any] | None, training: bool = True
    ) -> Any:
        """The pictures, mirrored as a transformation says."""
        x = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return x
        height, width = spatial_axes(self.data_format, 2)
        offset = 4 - len(x.shape)  # 1 for a picture without a batch
        axes = []
        if self.mode != "vertical":
            axes.append(width - offset)
        if self.mode != "horizontal":
            axes.append(height - offset)
        return ops.where(transformation["flips"], ops.flip(x, axis=tuple(axes)), x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "seed": self.seed,
            "mode": self.mode,
        }
