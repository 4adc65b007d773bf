"""What MaxPooling2D and AveragePooling2D have in common: the window that moves."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.layers.arguments import (
    check_window,
    data_format_of,
    padding_of,
    sizes_of,
    spatial_axes,
)
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer


class Pooling(Layer):
    """y = one value for every window of x, channel by channel.

    Attributes:
        rank: the number of spatial axes.
        operation: the name of the operation in `deepneuron.ops`.
    """

    rank: ClassVar[int]
    operation: ClassVar[str]

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = sizes_of(pool_size, self.rank, "pool_size")
        steps = pool_size if strides is None else strides
        self.strides = sizes_of(steps, self.rank, "strides")
        self.padding = padding_of(padding)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def _check_size(self, shape: Any) -> None:
        if self.padding == "valid":
            window = self.pool_size
            check_window(self._called(), "pool_size", shape, window, self.data_format)

    def call(self, inputs: Any) -> Any:
        self._check_size(tuple(inputs.shape))
        return getattr(ops, self.operation)(
            inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_size(input_shape)
        shape = list(input_shape)
        axes = spatial_axes(self.data_format, self.rank)
        for axis, size, stride in zip(axes, self.pool_size, self.strides, strict=True):
            if shape[axis] is not None:
                lost = size - 1 if self.padding == "valid" else 0
                shape[axis] = -(-(shape[axis] - lost) // stride)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }
