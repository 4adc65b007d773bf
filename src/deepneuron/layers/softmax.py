"""Softmax as a layer: numbers become probabilities."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.errors import ShapeError
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Softmax(Layer):
    """y = exp(x) / sum(exp(x)) along `axis`; with a mask, only where it is True

    Args:
        axis: along which y sums to 1; several axes together if a list.

    Call arguments:
        mask: True (or above 0.5) where a position takes part; the others get 0. It must
            broadcast to x.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Softmax()(np.zeros((1, 4), "float32"))
    array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return self._softmax(inputs)
        self._check_mask(inputs, mask)
        if str(mask.dtype) != "bool":
            mask = ops.greater(mask, 0.5)
        # Not -inf, so that a row without any True has no NaN.
        least = -3e4 if inputs.dtype == "float16" else -1e9
        y = self._softmax(ops.where(mask, inputs, least))
        return ops.where(mask, y, 0.0)

    def _softmax(self, x: Any) -> Any:
        axes = self.axis if isinstance(self.axis, (list, tuple)) else (self.axis,)
        if len(axes) == 1:
            return ops.softmax(x, axis=axes[0])
        return ops.exp(x - ops.logsumexp(x, axis=tuple(axes), keepdims=True))

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        pairs = zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
        fits = all(m in (1, n, None) or n is None for m, n in pairs)
        if len(mask.shape) > len(inputs.shape) or not fits:
            raise ShapeError(
                f"{self._called()}: a mask of shape {tuple(mask.shape)} does not "
                f"broadcast to the input of shape {tuple(inputs.shape)}."
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
