"""Normalization: features get mean 0 and variance 1, as measured on data before."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.engine.config import epsilon
from deepneuron.errors import ArgumentError, DataError, DTypeError, ShapeError
from deepneuron.layers.arguments import known_size
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Normalization(Layer):
    """y = (x - mean) / sqrt(variance), feature by feature

    Mean and variance are given, or measured by `adapt(data)` before the layer is used.

    Args:
        axis: of the features, each with a mean of its own; several if a tuple. None is
            one mean for everything.
        mean, variance: numbers, or arrays over `axis`; both or neither.
        invert: y = x * sqrt(variance) + mean instead.

    Raises:
        ArgumentError: only one of mean and variance, or of different shapes.
        ShapeError: the input has no such axis, or its size is not known.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layer = layers.Normalization()
    >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]], "float32"))
    >>> layer(np.array([[3.0, 10.0]], "float32"))
    array([[ 1., -1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if axis is None:
            axis = ()
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.supports_masking = True
        if (mean is None) != (variance is None):
            raise ArgumentError(
                "Normalization takes both mean and variance, or neither; received "
                f"mean={mean!r}, variance={variance!r}."
            )
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ArgumentError(
                "Normalization: mean and variance must have the same shape; received "
                f"{np.shape(mean)} and {np.shape(variance)}."
            )
        if np.ndim(mean) > len(self.axis):
            raise ArgumentError(
                f"Normalization: mean has shape {np.shape(mean)}, which is more than "
                f"the axes {self.axis} that are normalised."
            )

    def build(self, input_shape: Any) -> None:
        ndim = len(input_shape)
        sizes = {a: known_size(self._called(), input_shape, a) for a in self.axis}
        self._kept = {a % ndim: sizes[a] for a in sorted(sizes, key=lambda a: a % ndim)}
        self._spread = tuple(self._kept.get(a, 1) for a in range(ndim))
        self._reduced = tuple(a for a in range(ndim) if a not in self._kept)
        if self.input_mean is None:
            shape = tuple(self._kept.values())
            self.adapt_mean = self.add_weight(
                shape, "zeros", trainable=False, name="mean"
            )
            self.adapt_variance = self.add_weight(
                shape, "ones", trainable=False, name="variance"
            )
            # Without use; Keras's files have it.
            self.count = self.add_weight(
                (), "zeros", dtype="int32", trainable=False, name="count"
            )

    def adapt(self, data: Any) -> None:
        """Measure mean and variance.

        Args:
            data: an array, or an iterable of batches (of arrays, or of tuples that
                begin with one).

        Raises:
            DataError: no batches.
            DTypeError: batches that are no arrays.
            ShapeError: another number of features than before.
        """
        if self.input_mean is not None:
            raise ArgumentError(
                f"{self._called()} was given its mean and variance; it has nothing to "
                "adapt."
            )
        if hasattr(data, "shape"):
            data = np.asarray(data)
            self._check_data(data)
            mean, variance = data.mean(self._reduced), data.var(self._reduced)
        else:
            mean, variance = self._over_batches(data)
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    def _over_batches(self, batches: Any) -> tuple[Any, Any]:
        """Mean and variance of all batches together, one batch in memory at a time."""
        if not isinstance(batches, Iterable):
            raise DTypeError(
                "adapt() takes an array or an iterable of batches; received "
                f"{type(batches).__name__}."
            )
        mean = variance = np.float64(0)
        count = 0
        for batch in batches:
            x = batch[0] if isinstance(batch, tuple) else batch
            if not hasattr(x, "shape"):
                raise DTypeError(
                    "adapt() takes an array or an iterable of arrays; a batch was "
                    f"{type(x).__name__}."
                )
            x = np.asarray(x, "float64")
            self._check_data(x)
            n = math.prod(x.shape[a] for a in self._reduced)
            count += n
            delta = x.mean(self._reduced) - mean  # Chan's update of mean and variance
            weight = n / count
            mean = mean + delta * weight
            spread = x.var(self._reduced) - variance + delta**2 * (1 - weight)
            variance = variance + spread * weight
        if count == 0:
            raise DataError("adapt() received no batches.")
        return mean, variance

    def _check_data(self, data: np.ndarray) -> None:
        if not self.built:
            self._build_for({"input_shape": tuple(data.shape)})
        sizes = {a: data.shape[a] for a in self._kept if a < data.ndim}
        if sizes != self._kept:
            raise ShapeError(
                f"{self._called()} was built for {self._kept} (axis: size); adapt() "
                f"received data of shape {data.shape}."
            )

    @property
    def mean(self) -> Any:
        """As it broadcasts to x; None before the layer is built."""
        return self._statistic("mean") if self.built else None

    @property
    def variance(self) -> Any:
        """As it broadcasts to x; None before the layer is built."""
        return self._statistic("variance") if self.built else None

    def _statistic(self, name: str) -> Any:
        if self.input_mean is None:
            return ops.reshape(getattr(self, f"adapt_{name}"), self._spread)
        given = np.asarray(getattr(self, f"input_{name}"), self.compute_dtype)
        # Aligned with the kept axes from the right.
        shape = [1] * len(self._spread)
        for axis, size in zip(
            reversed(list(self._kept)), reversed(given.shape), strict=False
        ):
            shape[axis] = size
        return np.broadcast_to(given.reshape(shape), self._spread)

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        deviation = ops.maximum(ops.sqrt(self.variance), epsilon())
        if self.invert:
            return self.mean + x * deviation
        return (x - self.mean) / deviation

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": np.array(self.input_mean).tolist(),
            "variance": np.array(self.input_variance).tolist(),
        }
