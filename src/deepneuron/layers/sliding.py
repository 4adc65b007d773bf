"""What layers with sliding kernels share: where those go, and what comes after."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import activations, constraints, initializers, ops, regularizers
from deepneuron.layers.arguments import (
    check_window,
    data_format_of,
    known_size,
    padding_of,
    sizes_of,
    spatial_axes,
)
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import serialize


class Sliding(Layer):
    """y = activation(kernels that slide over x + bias)

    Attributes:
        rank: the number of spatial axes.
        paddings: what `padding` may be, besides "valid" and "same".
    """

    rank: ClassVar[int]
    paddings: ClassVar[tuple[str, ...]] = ()

    def _slide(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
    ) -> None:
        """Where the kernels go."""
        self.kernel_size = sizes_of(kernel_size, self.rank, "kernel_size")
        self.strides = sizes_of(strides, self.rank, "strides")
        self.dilation_rate = sizes_of(dilation_rate, self.rank, "dilation_rate")
        self.padding = padding_of(padding, *self.paddings)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _finish(
        self,
        activation: Any,
        use_bias: bool,
        initializer: Any,
        regularizer: Any,
        constraint: Any,
    ) -> None:
        """What comes after; the last three are those of the bias."""
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(initializer)
        self.bias_regularizer = regularizers.get(regularizer)
        self.bias_constraint = constraints.get(constraint)

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels(self, input_shape: Any) -> int:
        """How many channels come in, once the picture is found to be large enough."""
        channels = known_size(self._called(), input_shape, self._channel_axis)
        self._check_size(input_shape)
        return channels

    def _add_bias_weight(self, channels: int, filters: int) -> None:
        """The last weight; with it, the number of channels is settled."""
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        axes = {self._channel_axis: channels}
        self.input_spec = InputSpec(ndim=self.rank + 2, axes=axes)

    def _reach(self) -> tuple[int, ...]:
        """How many positions the kernel spans on each axis, dilation included."""
        pairs = zip(self.kernel_size, self.dilation_rate, strict=True)
        return tuple((size - 1) * rate + 1 for size, rate in pairs)

    def _check_size(self, shape: Any) -> None:
        if self.padding == "valid":
            window = self._reach()
            check_window(self._called(), "kernel_size", shape, window, self.data_format)

    def _finished(self, y: Any) -> Any:
        """activation(y + bias)"""
        if self.bias is not None:
            bias = self.bias  # (filters,)
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, -1, *(1,) * self.rank))
            y = ops.add(y, bias)
        return y if self.activation is None else self.activation(y)

    def _filters_of(self, input_shape: Any) -> int | None:
        """How many channels y has."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_size(input_shape)
        shape = list(input_shape)
        shape[self._channel_axis] = self._filters_of(input_shape)
        axes = spatial_axes(self.data_format, self.rank)
        for axis, reach, stride in zip(axes, self._reach(), self.strides, strict=True):
            if shape[axis] is not None:
                lost = reach - 1 if self.padding == "valid" else 0
                shape[axis] = -(-(shape[axis] - lost) // stride)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "bias_initializer": serialize(self.bias_initializer),
            "bias_regularizer": serialize(self.bias_regularizer),
            "activity_regularizer": serialize(self.activity_regularizer),
            "bias_constraint": serialize(self.bias_constraint),
        }
