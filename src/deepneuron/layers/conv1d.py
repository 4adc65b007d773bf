"""Conv1D: small filters slide along a sequence."""

from __future__ import annotations

from typing import Any

from deepneuron.layers.convolution import Convolution
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Conv1D(Convolution):
    """y[b, i, f] = activation(sum_{p, c} x[b, i + p, c] kernel[p, c, f] + bias[f])

    Shapes: x (batch, steps, channels) gives y (batch, steps', filters), with a kernel
    of (*kernel_size, channels / groups, filters) and a bias of (filters,). With
    padding="same" or "causal", steps' = ceil(steps / stride).

    Args:
        filters: how many channels y has.
        kernel_size: the length of the window.
        strides: how far it moves at a time.
        padding: "valid" stays inside of the sequence, "same" puts zeros around it,
            "causal" puts them all before it, so that y sees no later x.
        data_format: "channels_last" (default) or "channels_first".
        dilation_rate: the distance between neighbouring positions of the window.
        groups: into how many parts the channels are divided, each with filters of its
            own.
        activation: a name such as "relu", or a function; None leaves y as it is.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: the first values of the weights.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: a penalty on y.
        kernel_constraint, bias_constraint: applied to the weights after each update.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Conv1D(8, 3)(np.ones((2, 10, 4), "float32")).shape
    (2, 8, 8)
    """

    rank = 1
    paddings = ("causal",)

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            groups,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
