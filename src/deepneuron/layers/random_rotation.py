"""RandomRotation: while training, pictures are turned by random angles."""

from __future__ import annotations

import math
from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError
from deepneuron.layers.arguments import spatial_axes
from deepneuron.layers.random_picture_layer import RandomPictureLayer
from deepneuron.ops import random
from deepneuron.serialization import keras_class

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")
_INTERPOLATIONS = ("nearest", "bilinear")


@keras_class("keras.layers")
class RandomRotation(RandomPictureLayer):
    """y(p) = x(R (p - c) + c), R a rotation by a random angle and c the centre

    Outside of training, y = x.

    Shapes: x (batch, height, width, channels), or one picture without a batch.

    Args:
        factor: the largest angle as a part of a full turn: 0.1 is from -36 to 36
            degrees. (low, high) for other bounds; positive turns counter-clockwise.
        fill_mode: what lies outside of the picture: "reflect" (its mirror image),
            "wrap" (itself again), "nearest" (its border) or "constant" (fill_value).
        interpolation: "bilinear" or "nearest".
        seed: for the same angles in every run.
        fill_value: for fill_mode="constant".
        data_format: "channels_last" (default) or "channels_first".

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layer = layers.RandomRotation(0.1, seed=1)
    >>> layer(np.ones((2, 8, 8, 3), "float32"), training=True).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        for name, value, known in (
            ("fill_mode", fill_mode, _FILL_MODES),
            ("interpolation", interpolation, _INTERPOLATIONS),
        ):
            if value not in known:
                raise ArgumentError(
                    f"RandomRotation: {name} is one of {', '.join(known)}; received "
                    f"{value!r}."
                )
        self.factor = _bounds_of(factor)
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def _draw(self, data: Any, seed: Any) -> dict[str, Any]:
        """{"angle": degrees, (batch,); "rotation_matrix": (batch, 8)}"""
        alone = len(data.shape) == 3
        batch = 1 if alone else data.shape[0]
        low, high = (360.0 * part for part in self.factor)
        angle = random.uniform(
            (batch,), minval=low, maxval=high, dtype=self.compute_dtype, seed=seed
        )
        axes = spatial_axes(self.data_format, 2)
        height, width = (data.shape[axis - alone] for axis in axes)
        matrix = _rotation(angle, height, width)
        return {
            "angle": angle,
            "rotation_matrix": ops.squeeze(matrix, 0) if alone else matrix,
        }

    def _transform(self, x: Any, transformation: dict[str, Any]) -> Any:
        return ops.image.affine_transform(
            x,
            transformation["rotation_matrix"],
            interpolation=self.interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def get_config(self) -> dict[str, Any]:
        own = ("factor", "fill_mode", "fill_value", "interpolation")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}


def _rotation(angle: Any, height: int, width: int) -> Any:
    """(batch, 8): the maps from places in y to places in x, about the centre.

    [cos -sin  dx]
    [sin  cos  dy]   row by row, then 0, 0 for the perspective
    """
    radians = angle * (math.pi / 180.0)
    cos, sin = ops.cos(radians), ops.sin(radians)
    x, y = (width - 1) * 0.5, (height - 1) * 0.5
    zero = ops.zeros_like(cos)
    rows = [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos]
    return ops.stack([*rows, zero, zero], axis=1)


def _bounds_of(factor: Any) -> tuple[float, float]:
    """(low, high) as parts of a full turn."""
    try:
        low, high = (
            sorted(factor)
            if isinstance(factor, (tuple, list))
            else (
                -abs(factor),
                abs(factor),
            )
        )
        fits = (
            low <= 1 and high >= -1 and (isinstance(factor, (tuple, list)) or high <= 1)
        )
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ArgumentError(
            "RandomRotation: factor is a number from -1 to 1 (parts of a full turn), "
            f"or two such numbers; received {factor!r}."
        )
    return low, high
