"""What the global pooling layers have in common: the axes that vanish."""

from __future__ import annotations

from typing import Any, ClassVar

from deepneuron import ops
from deepneuron.layers.arguments import data_format_of, spatial_axes
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.layer import Layer


class GlobalPooling(Layer):
    """y = one value for every channel of x.

    Attributes:
        rank: the number of spatial axes.
        operation: the name of the reduction in `deepneuron.ops`.
    """

    rank: ClassVar[int]
    operation: ClassVar[str]

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        axes = spatial_axes(self.data_format, self.rank)
        return getattr(ops, self.operation)(inputs, axis=axes, keepdims=self.keepdims)

    def compute_output_shape(self, input_shape: Any) -> Any:
        axes = spatial_axes(self.data_format, self.rank)
        return tuple(
            1 if axis in axes else n
            for axis, n in enumerate(input_shape)
            if self.keepdims or axis not in axes
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }
