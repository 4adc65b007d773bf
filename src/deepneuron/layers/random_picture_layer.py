"""What layers share that change pictures at random, while training."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.layers.arguments import data_format_of
from deepneuron.layers.layer import Layer
from deepneuron.ops import random


class RandomPictureLayer(Layer):
    """y = x, changed as chance will have it; outside of training y = x

    A subclass writes `_draw`, which asks chance, and `_transform`, which does as it
    says.

    Args:
        seed: for the same choices in every run.
        data_format: "channels_last" (default) or "channels_first".
    """

    def __init__(self, seed: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.data_format = data_format_of(data_format)
        self.generator = random.SeedGenerator(seed)

    def _draw(self, data: Any, seed: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _transform(self, x: Any, transformation: dict[str, Any]) -> Any:
        raise NotImplementedError

    def call(self, data: Any, training: bool = True) -> Any:
        transformation = self.get_random_transformation(data, training)
        return self.transform_images(data, transformation, training)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any] | None:
        """What is to happen to these pictures; None outside of training."""
        # While a size is not known, only the shape of y is asked for.
        if not training or None in data.shape:
            return None
        return self._draw(data, self.generator if seed is None else seed)

    def transform_images(
        self, images: Any, transformation: dict[str, Any] | None, training: bool = True
    ) -> Any:
        """The pictures, changed as a transformation says."""
        x = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return x
        return self._transform(x, transformation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"data_format": self.data_format, "seed": self.seed}
        return {**super().get_config(), **own}
