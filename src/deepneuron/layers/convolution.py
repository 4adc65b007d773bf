"""What Conv1D and Conv2D have in common: everything but the number of spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import activations, constraints, initializers, ops, regularizers
from deepneuron.errors import ArgumentError
from deepneuron.layers.arguments import (
    check_window,
    data_format_of,
    known_size,
    padding_of,
    positive,
    refuse,
    sizes_of,
    spatial_axes,
)
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer
from deepneuron.serialization import serialize


class Convolution(Layer):
    """y = activation(x * kernel + bias), `*` being a convolution over `rank` axes.

    Attributes:
        rank: the number of spatial axes.
        paddings: what `padding` may be, besides "valid" and "same".
    """

    rank: ClassVar[int]
    paddings: ClassVar[tuple[str, ...]] = ()

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
        refuse(
            type(self).__name__,
            lora_rank=kwargs.pop("lora_rank", None),
            lora_alpha=kwargs.pop("lora_alpha", None),
        )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive(filters, "filters")
        self.groups = positive(groups, "groups")
        self.kernel_size = sizes_of(kernel_size, self.rank, "kernel_size")
        self.strides = sizes_of(strides, self.rank, "strides")
        self.dilation_rate = sizes_of(dilation_rate, self.rank, "dilation_rate")
        self.padding = padding_of(padding, *self.paddings)
        self.data_format = data_format_of(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        if filters % groups:
            raise ArgumentError(
                f"{type(self).__name__}: filters must be a multiple of groups; "
                f"received filters={filters}, groups={groups}."
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{type(self).__name__}: strides and dilation_rate cannot both be "
                f"above 1; received strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}."
            )

    def build(self, input_shape: Any) -> None:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = known_size(self._called(), input_shape, axis)
        if channels % self.groups:
            raise ArgumentError(
                f"{self._called()}: the number of input channels must be a multiple of "
                f"groups={self.groups}; received {channels} (shape {input_shape})."
            )
        self._check_size(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})

    def _reach(self) -> tuple[int, ...]:
        """How many positions the kernel spans on each axis, dilation included."""
        pairs = zip(self.kernel_size, self.dilation_rate, strict=True)
        return tuple((size - 1) * rate + 1 for size, rate in pairs)

    def _check_size(self, shape: Any) -> None:
        if self.padding == "valid":
            window = self._reach()
            check_window(self._called(), "kernel_size", shape, window, self.data_format)

    def call(self, inputs: Any) -> Any:
        self._check_size(tuple(inputs.shape))
        padding = self.padding
        if padding == "causal":  # zeros before the first position, none after the last
            margins = [(0, 0)] * len(inputs.shape)
            (axis,) = spatial_axes(self.data_format, 1)
            margins[axis] = (self._reach()[0] - 1, 0)
            inputs, padding = ops.pad(inputs, tuple(margins)), "valid"
        y = ops.conv(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        if self.bias is not None:
            bias = self.bias  # (filters,)
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, self.filters, *(1,) * self.rank))
            y = ops.add(y, bias)
        return y if self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_size(input_shape)
        shape = list(input_shape)
        shape[-1 if self.data_format == "channels_last" else 1] = self.filters
        axes = spatial_axes(self.data_format, self.rank)
        for axis, reach, stride in zip(axes, self._reach(), self.strides, strict=True):
            if shape[axis] is not None:
                lost = reach - 1 if self.padding == "valid" else 0
                shape[axis] = -(-(shape[axis] - lost) // stride)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": serialize(self.kernel_initializer),
            "bias_initializer": serialize(self.bias_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "bias_regularizer": serialize(self.bias_regularizer),
            "activity_regularizer": serialize(self.activity_regularizer),
            "kernel_constraint": serialize(self.kernel_constraint),
            "bias_constraint": serialize(self.bias_constraint),
        }
