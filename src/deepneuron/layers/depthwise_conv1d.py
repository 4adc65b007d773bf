"""DepthwiseConv1D: each channel of a sequence has filters of its own."""

from __future__ import annotations

from typing import Any

from deepneuron.layers.depthwise_convolution import DepthwiseConvolution
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class DepthwiseConv1D(DepthwiseConvolution):
    """y[b, i, c M + m] = activation(bias[c M + m]
                                     + sum_p x[b, i + p, c] kernel[p, c, m])

    Shapes: x (batch, steps, channels) gives y (batch, steps',
    channels * M), with a kernel of (*kernel_size, channels, M), where M is the
    depth_multiplier, and a bias of (channels * M,).

    Args:
        kernel_size: the length of the window.
        strides: how far it moves at a time.
        padding: "valid" stays inside of the sequence, "same" puts zeros around it.
        depth_multiplier: how many filters each channel has.
        data_format: "channels_last" (default) or "channels_first".
        dilation_rate: the distance between neighbouring positions of the window.
        activation: a name such as "relu", or a function; None leaves y as it is.
        use_bias: whether a bias is added.
        depthwise_initializer, bias_initializer: the first values of the weights.
        depthwise_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: a penalty on y.
        depthwise_constraint, bias_constraint: applied to the weights after each update.

    Raises:
        ArgumentError: an argument that is no size.
        ShapeError: (at the call) a sequence smaller than the kernel, or other channels
            than it was built for.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.DepthwiseConv1D(3, depth_multiplier=2)(
    ...     np.ones((2, 10, 4), "float32")
    ... ).shape
    (2, 8, 8)
    """

    rank = 1

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            depth_multiplier,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            bias_constraint,
            **kwargs,
        )
