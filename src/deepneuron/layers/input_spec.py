"""What a layer expects of its inputs, and the sentence that says what came instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepneuron.errors import ShapeError


class InputSpec:
    """The shape, number of axes and sizes that an input must have.

    Args:
        dtype: the expected type; None is any.
        shape: the expected shape; None within it is any size.
        ndim, max_ndim, min_ndim: how many axes.
        axes: {axis: size}.
        allow_last_axis_squeeze, name, optional: as in Keras.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype, self.ndim = dtype, ndim if shape is None else len(shape)
        self.shape = None if shape is None else tuple(shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = dict(axes or {})
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name, self.optional = name, optional

    def check(self, x: Any, layer: str) -> None:
        """Raise a ShapeError, unless x is as expected.

        Args:
            x: anything with a shape.
            layer: how the message calls the layer, such as "Dense layer 'dense'".
        """
        shape = tuple(x.shape)
        ndim = len(shape)
        sizes = {**dict(enumerate(self.shape or ())), **self.axes}
        problem = None
        if self.ndim is not None and ndim != self.ndim:
            problem = f"{self.ndim} axes"
        elif self.min_ndim is not None and ndim < self.min_ndim:
            problem = f"at least {self.min_ndim} axes"
        elif self.max_ndim is not None and ndim > self.max_ndim:
            problem = f"at most {self.max_ndim} axes"
        else:
            for axis, size in sizes.items():
                if size is not None and shape[axis] not in (size, None):
                    problem = f"size {size} on axis {axis}"
        if problem:
            raise ShapeError(
                f"{layer} expects an input with {problem}, but received one of shape "
                f"{shape}. {self._advice(ndim)}"
            )

    def _advice(self, ndim: int) -> str:
        if self.ndim is not None and ndim == self.ndim - 1:
            return (
                "Is the axis of the batch or of the channels missing? Try x[..., None]."
            )
        if self.ndim is not None and ndim > self.ndim:
            return "A Flatten or global pooling layer before it takes axes away."
        return "Check what the layer before it returns, and the data you pass."
