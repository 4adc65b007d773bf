"""What Conv1D and Conv2D have in common: everything but the number of spatial axes."""

from __future__ import annotations

from typing import Any

from deepneuron import constraints, initializers, ops, regularizers
from deepneuron.errors import ArgumentError
from deepneuron.layers.arguments import positive, refuse, spatial_axes
from deepneuron.layers.sliding import Sliding
from deepneuron.serialization import serialize


class Convolution(Sliding):
    """y = activation(x * kernel + bias), `*` being a convolution over `rank` axes."""

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
        self._slide(kernel_size, strides, padding, data_format, dilation_rate)
        self._finish(
            activation, use_bias, bias_initializer, bias_regularizer, bias_constraint
        )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
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
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ArgumentError(
                f"{self._called()}: the number of input channels must be a multiple of "
                f"groups={self.groups}; received {channels} (shape {input_shape})."
            )
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias_weight(channels, self.filters)

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
        return self._finished(y)

    def _filters_of(self, input_shape: Any) -> int:
        return self.filters

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            "kernel_initializer": serialize(self.kernel_initializer),
            "kernel_regularizer": serialize(self.kernel_regularizer),
            "kernel_constraint": serialize(self.kernel_constraint),
        }
