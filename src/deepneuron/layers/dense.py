"""Dense: every output sees every input."""

from __future__ import annotations

from typing import Any

from deepneuron import activations, constraints, initializers, ops, regularizers
from deepneuron.layers.arguments import known_size, positive, refuse
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class, serialize


@keras_class("keras.layers")
class Dense(Layer):
    """y = activation(x @ kernel + bias)

    Shapes: x (batch, ..., features) gives y (batch, ..., units), with a kernel of
    (features, units) and a bias of (units,).

    Args:
        units: how many outputs, that is how many neurons.
        activation: a name such as "relu", or a function; None leaves y as it is.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: the first values of the weights.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: a penalty on y.
        kernel_constraint, bias_constraint: applied to the weights after each update.
        lora_rank, lora_alpha, quantization_config: only None.

    Raises:
        ArgumentError: `units` is not a positive integer.
        ShapeError: (at the call) another number of features than it was built for.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layer = layers.Dense(2, kernel_initializer="ones")
    >>> layer(np.ones((1, 3), "float32"))
    array([[3., 3.]], dtype=float32)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse(
            "Dense",
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
        )
        self.units = positive(units, "units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = None
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        features = known_size(self._called(), input_shape, -1)
        self.kernel = self.add_weight(
            (features, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        y = ops.matmul(inputs, self.kernel)  # (batch, ..., units)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        return y if self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "bias_regularizer": serialize(self.bias_regularizer),
            "kernel_constraint": serialize(self.kernel_constraint),
            "bias_constraint": serialize(self.bias_constraint),
            "quantization_config": self.quantization_config,
        }
