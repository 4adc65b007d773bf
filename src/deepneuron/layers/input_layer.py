"""Input: where a functional model begins."""

from __future__ import annotations

from typing import Any

from deepneuron.engine.dtypes import standardize_dtype
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ArgumentError
from deepneuron.layers.call import Call
from deepneuron.layers.layer import Layer
from deepneuron.serialization import keras_class


@keras_class("keras.layers")
class InputLayer(Layer):
    """y = the data that the model is given.

    Args:
        shape: without the axis of the batch, such as (784,).
        batch_size: None where it may vary.
        dtype: "float32" by default.
        sparse, ragged: only False; everything here is dense.
        batch_shape: the shape with the axis of the batch, instead of `shape`.
        input_tensor: a symbolic tensor to take as the input.
        optional: accepted as in Keras.
        name: "input_layer" by default.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Tensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        if sparse or ragged:
            raise ArgumentError("Input: sparse and ragged data are not supported.")
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ArgumentError(
                f"Input takes either shape or batch_shape; it received shape={shape!r} "
                f"and batch_shape={batch_shape!r}."
            )
        if batch_shape is None:
            sizes = (shape,) if isinstance(shape, int) else tuple(shape)
            batch_shape = (batch_size, *sizes)
        self._batch_shape = tuple(batch_shape)
        self._dtype = standardize_dtype(dtype)
        self.optional, self.built = optional, True
        if input_tensor is None:
            input_tensor = Tensor(self._batch_shape, self._dtype)
        self._inbound_nodes.append(Call(self, (), {}, input_tensor))

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        return self._batch_shape

    @property
    def dtype(self) -> str:
        return self._dtype

    def call(self) -> None:
        """Nothing to do: a model puts the data where the input stands."""

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self._batch_shape,
            "dtype": self._dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }


def Input(  # noqa: N802 - Keras's name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Tensor | None = None,
    optional: bool = False,
) -> Tensor:
    """A symbolic tensor with which a functional model begins.

    Args:
        shape: without the axis of the batch, such as (784,).
        batch_size, dtype, sparse, ragged, batch_shape, name, optional: see InputLayer.
        tensor: a symbolic tensor to take as the input.

    Returns:
        A Tensor of shape (batch_size, *shape), to call layers on.

    >>> import deepneuron as dn
    >>> dn.Input((784,)).shape
    (None, 784)
    """
    layer = InputLayer(
        shape,
        batch_size,
        dtype,
        sparse,
        ragged,
        batch_shape,
        tensor,
        optional,
        name,
    )
    return layer.output
