"""PReLU: a ReLU whose slope below 0 is learned."""

from __future__ import annotations

from typing import Any

from deepneuron import activations, constraints, initializers, regularizers
from deepneuron.errors import ShapeError
from deepneuron.layers.arguments import known_size
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class, serialize


@keras_class("keras.layers")
class PReLU(Layer):
    """y = x where x > 0, else alpha * x

    Shapes: alpha has one value for each position of x, without the axis of the batch;
    along `shared_axes` it has one for all.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes.
        shared_axes: such as (1, 2) for one slope per channel of an image.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.PReLU("ones")(np.array([[-1.0, 2.0]], "float32"))
    array([[-1.,  2.]], dtype=float32)
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None:
            one = isinstance(shared_axes, int)
            shared_axes = [shared_axes] if one else list(shared_axes)
        self.shared_axes = shared_axes
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        for axis in self.shared_axes or ():
            if not -rank <= axis < rank:
                raise ShapeError(
                    f"{self._called()}: shared_axes={self.shared_axes} names an axis "
                    f"that inputs of shape {tuple(input_shape)} do not have."
                )
        shared = {axis % rank for axis in self.shared_axes or ()}
        kept = {
            axis: known_size(self._called(), input_shape, axis)
            for axis in range(1, len(input_shape))
            if axis not in shared
        }
        self.alpha = self.add_weight(
            tuple(kept.get(axis, 1) for axis in range(1, len(input_shape))),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes=kept)

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs) - self.alpha * activations.relu(-inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": serialize(self.alpha_initializer),
            "alpha_regularizer": serialize(self.alpha_regularizer),
            "alpha_constraint": serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
