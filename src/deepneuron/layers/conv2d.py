"""Conv2D: small filters slide over a picture."""

from __future__ import annotations

from typing import Any

from deepneuron.layers.convolution import Convolution
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class Conv2D(Convolution):
    """y[b, i, j, f] = activation(bias[f]
                               + sum_{p, q, c} x[b, i + p, j + q, c] kernel[p, q, c, f])

    Shapes: x (batch, height, width, channels) gives y (batch, height', width',
    filters), with a kernel of (*kernel_size, channels / groups, filters) and a bias of
    (filters,). With padding="same", height' = ceil(height / stride).

    Args:
        filters: how many channels y has.
        kernel_size: (height, width) of the window, or one number for both.
        strides: how far it moves at a time.
        padding: "valid" stays inside of the picture, "same" surrounds it with zeros.
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

    Raises:
        ArgumentError: an argument that is no size, filters not a multiple of groups, or
            strides and dilation_rate both above 1.
        ShapeError: (at the call) a picture smaller than the kernel, or other channels
            than it was built for.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Conv2D(8, 3)(np.ones((2, 28, 28, 1), "float32")).shape
    (2, 26, 26, 8)
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
