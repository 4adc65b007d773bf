"""SeparableConv1D: a convolution of each channel alone, then one of each place."""

from __future__ import annotations

from typing import Any

from deepneuron.layers.separable_convolution import SeparableConvolution
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class SeparableConv1D(SeparableConvolution):
    """y = activation(z * pointwise_kernel + bias), where z = x * depthwise_kernel,
    channel by channel

    Shapes: x (batch, steps, channels) gives y (batch, steps',
    filters). The depthwise kernel is (*kernel_size, channels, depth_multiplier), the
    pointwise kernel (1, channels * depth_multiplier, filters), the bias (filters,).

    Args:
        filters: how many channels y has.
        kernel_size: the length of the window.
        strides: how far it moves at a time.
        padding: "valid" stays inside of the sequence, "same" puts zeros around it.
        data_format: "channels_last" (default) or "channels_first".
        dilation_rate: the distance between neighbouring positions of the window.
        depth_multiplier: how many filters each channel has, before they are mixed.
        activation: a name such as "relu", or a function; None leaves y as it is.
        use_bias: whether a bias is added.
        depthwise_initializer, pointwise_initializer, bias_initializer: the first values
            of the weights.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: penalties on the
            weights.
        activity_regularizer: a penalty on y.
        depthwise_constraint, pointwise_constraint, bias_constraint: applied to the
            weights after each update.

    Raises:
        ArgumentError: an argument that is no size.
        ShapeError: (at the call) a sequence smaller than the kernel, or other channels
            than it was built for.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.SeparableConv1D(6, 3)(np.ones((2, 10, 4), "float32")).shape
    (2, 8, 6)
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **kwargs,
        )
