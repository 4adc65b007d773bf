"""Dot: products of two tensors, summed along one axis of each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError, DTypeError, ShapeError
from deepneuron.layers.layer import Layer
from deepneuron.layers.merge import checked_list
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Dot(Layer):
    """y[b, i, j] = sum_k x1[b, i, k] x2[b, k, j], k being the axis `axes` of both

    Shapes: y has the axes of x1 without the summed one, then those of x2 without the
    batch and the summed one; (batch, 1) where none is left.

    Args:
        axes: the axis to sum along, or one for each input; not that of the batch.
        normalize: whether vectors are brought to length 1 first, so that y is the
            cosine of their angle.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Dot(1)([np.ones((1, 4), "float32"), np.ones((1, 4), "float32")])
    array([[4.]], dtype=float32)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, (int, list, tuple)):
            raise DTypeError(f"Dot: axes is an integer or two; received {axes!r}.")
        if not isinstance(axes, int) and (
            len(axes) != 2 or not all(isinstance(a, int) for a in axes)
        ):
            raise ArgumentError(f"Dot: axes is an integer or two; received {axes!r}.")
        self.axes = axes
        self.normalize = normalize
        self.supports_masking = True
        self.built = True

    def _axes(self, shape1: Any, shape2: Any) -> tuple[int, int]:
        first, second = (self.axes,) * 2 if isinstance(self.axes, int) else self.axes
        axes = first % len(shape1), second % len(shape2)
        n, m = shape1[axes[0]], shape2[axes[1]]
        if 0 in axes or (n != m and None not in (n, m)):
            raise ShapeError(
                f"{self._called()}: axis {first} of an input of shape {tuple(shape1)} "
                f"and axis {second} of {tuple(shape2)} must have the same size, and "
                "not be the batch."
            )
        return axes

    def call(self, inputs: Any) -> Any:
        x1, x2 = self._pair(inputs)
        axis1, axis2 = self._axes(x1.shape, x2.shape)
        batch, *rest = self.compute_output_shape((tuple(x1.shape), tuple(x2.shape)))
        if self.normalize:
            x1, x2 = _unit(x1, axis1), _unit(x2, axis2)
        # Both as matrices with the summed axis k between: (b, i, k) @ (b, k, j).
        others1 = [a for a in range(1, len(x1.shape)) if a != axis1]
        others2 = [a for a in range(1, len(x2.shape)) if a != axis2]
        size = x1.shape[axis1]
        rows = _product(x1.shape[a] for a in others1)
        columns = _product(x2.shape[a] for a in others2)
        x1 = ops.transpose(x1, (0, *others1, axis1))
        x2 = ops.transpose(x2, (0, axis2, *others2))
        x1 = ops.reshape(x1, (x1.shape[0], rows, size))
        x2 = ops.reshape(x2, (x2.shape[0], size, columns))
        y = ops.matmul(x1, x2)  # (b, i, j)
        return ops.reshape(y, (batch, *(-1 if n is None else n for n in rest)))

    def _pair(self, inputs: Any) -> Any:
        xs = checked_list(self._called(), inputs)
        if len(xs) != 2:
            raise ArgumentError(
                f"{self._called()} takes a list of 2 inputs; received {len(xs)}."
            )
        return xs

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape1, shape2 = self._pair(input_shape)
        axis1, axis2 = self._axes(shape1, shape2)
        rest1 = [n for a, n in enumerate(shape1) if a != axis1]
        rest2 = [n for a, n in enumerate(shape2) if a not in (0, axis2)]
        shape = (*rest1, *rest2)
        return (*shape, 1) if len(shape) == 1 else shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _product(sizes: Iterable[int | None]) -> int:
    """How many there are; -1 while one of the sizes is not known."""
    known = list(sizes)
    return -1 if None in known else math.prod(n for n in known if n is not None)


def _unit(x: Any, axis: int) -> Any:
    """x / |x| along an axis; the 1e-12 is Keras's guard against |x| = 0."""
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x / ops.sqrt(ops.maximum(square, 1e-12))


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`: products of two tensors, summed along an axis."""
    return Dot(axes=axes, **kwargs)(inputs)
