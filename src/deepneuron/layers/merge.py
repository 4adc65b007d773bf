"""Merging: several tensors of one shape become one, value by value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepneuron import ops
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


def checked_list(layer: str, inputs: Any, least: int = 1) -> list[Any]:
    """The inputs of a merging layer, which takes a list of them."""
    if not isinstance(inputs, (list, tuple)):
        shape = tuple(getattr(inputs, "shape", ()))
        raise ArgumentError(
            f"{layer} takes a list of inputs, as in layer([a, b]); received one of "
            f"shape {shape}."
        )
    if len(inputs) < least:
        raise ArgumentError(
            f"{layer} takes a list of at least {least} inputs; received {len(inputs)}."
        )
    return list(inputs)


class Merge(Layer):
    """y = x1 . x2 . ... , `.` being what the subclass's `merge` does.

    Sizes of 1 broadcast. Inputs with fewer axes get axes of size 1 behind the batch.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def merge(self, xs: Sequence[Any]) -> Any:
        """One tensor from several with the same number of axes."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        xs = checked_list(self._called(), inputs)
        self._merged_shape([tuple(x.shape) for x in xs])
        ndim = max(len(x.shape) for x in xs)
        return self.merge(
            [
                ops.expand_dims(x, tuple(range(1, 1 + ndim - len(x.shape))))
                if len(x.shape) < ndim
                else x
                for x in xs
            ]
        )

    def _merged_shape(self, shapes: list[tuple[int | None, ...]]) -> Any:
        ndim = max(map(len, shapes))
        aligned = [(*s[:1], *(1,) * (ndim - len(s)), *s[1:]) for s in shapes]
        sizes: list[int | None] = []
        for axis, column in enumerate(zip(*aligned, strict=True)):
            known = {n for n in column if n is not None and (n != 1 or axis == 0)}
            if len(known) > 1:
                raise ShapeError(
                    f"{self._called()} received inputs of shapes "
                    f"{', '.join(map(str, shapes))}, which differ on axis {axis}. They "
                    "must be equal"
                    + ("." if axis == 0 else ", or 1. A Dense layer can adapt one.")
                )
            open_size = None in column
            sizes.append(known.pop() if known else None if open_size else 1)
        return tuple(sizes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = checked_list(self._called(), input_shape)
        return self._merged_shape([tuple(shape) for shape in shapes])


@keras_class("keras.layers")
class Add(Merge):
    """y = x1 + x2 + ...

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Add()([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")])
    array([[2., 2.]], dtype=float32)
    """

    def merge(self, xs: Sequence[Any]) -> Any:
        y = xs[0]
        for x in xs[1:]:
            y = ops.add(y, x)
        return y


@keras_class("keras.layers")
class Subtract(Merge):
    """y = x1 - x2

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Subtract()([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")])
    array([[0., 0.]], dtype=float32)
    """

    def merge(self, xs: Sequence[Any]) -> Any:
        if len(xs) != 2:
            raise ArgumentError(
                f"{self._called()} takes exactly 2 inputs; received {len(xs)}."
            )
        return ops.subtract(*xs)


@keras_class("keras.layers")
class Multiply(Merge):
    """y = x1 * x2 * ...

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Multiply()([np.full((1, 2), 3.0, "float32")] * 2)
    array([[9., 9.]], dtype=float32)
    """

    def merge(self, xs: Sequence[Any]) -> Any:
        y = xs[0]
        for x in xs[1:]:
            y = ops.multiply(y, x)
        return y


@keras_class("keras.layers")
class Average(Merge):
    """y = (x1 + ... + xn) / n

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Average()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")])
    array([[0.5, 0.5]], dtype=float32)
    """

    def merge(self, xs: Sequence[Any]) -> Any:
        y = xs[0]
        for x in xs[1:]:
            y = ops.add(y, x)
        return ops.divide(y, len(xs))


@keras_class("keras.layers")
class Maximum(Merge):
    """y = max(x1, x2, ...), position by position

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Maximum()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")])
    array([[1., 1.]], dtype=float32)
    """

    def merge(self, xs: Sequence[Any]) -> Any:
        y = xs[0]
        for x in xs[1:]:
            y = ops.maximum(y, x)
        return y


@keras_class("keras.layers")
class Minimum(Merge):
    """y = min(x1, x2, ...), position by position

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Minimum()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")])
    array([[0., 0.]], dtype=float32)
    """

    def merge(self, xs: Sequence[Any]) -> Any:
        y = xs[0]
        for x in xs[1:]:
            y = ops.minimum(y, x)
        return y


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`: the sum of a list of tensors."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`: the first of two tensors minus the second."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`: the product of a list of tensors."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`: the mean of a list of tensors."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`: the largest of a list of tensors, by position."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`: the smallest of a list of tensors, by position."""
    return Minimum(**kwargs)(inputs)
