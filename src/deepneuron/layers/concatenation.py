"""Concatenate: several tensors one after the other along an axis."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.errors import ShapeError
from deepneuron.layers.layer import Layer
from deepneuron.layers.merge import checked_list
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Concatenate(Layer):
    """y = x1, x2, ... one after the other along `axis`

    Shapes: all inputs have the same, but for that axis.

    Args:
        axis: the last by default.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Concatenate()(
    ...     [np.ones((5, 2), "float32"), np.ones((5, 3), "float32")]
    ... ).shape
    (5, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        xs = checked_list(self._called(), inputs)
        self.compute_output_shape([tuple(x.shape) for x in xs])
        return ops.concatenate(xs, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = [tuple(s) for s in checked_list(self._called(), input_shape)]
        ndim = len(shapes[0])
        axis = self.axis % ndim if -ndim <= self.axis < ndim else None
        fits = axis is not None and all(len(s) == ndim for s in shapes)
        sizes: list[int | None] = []
        for i, column in enumerate(zip(*shapes, strict=False)):
            known = {n for n in column if n is not None}
            if i == axis:
                sizes.append(None if None in column else sum(column))
            else:
                fits = fits and len(known) <= 1
                sizes.append(known.pop() if known else None)
        if not fits:
            raise ShapeError(
                f"{self._called()} puts inputs together along axis {self.axis}; on all "
                "other axes their sizes must be equal. Received shapes "
                f"{', '.join(map(str, shapes))}."
            )
        return tuple(sizes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`: a list of tensors one after the other."""
    return Concatenate(axis=axis, **kwargs)(inputs)
