"""Lambda: a function of yours as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from deepneuron.errors import ArgumentError, SavingError
from deepneuron.layers.layer import Layer
from deepneuron.serialization import deserialize, keras_class, serialize


@keras_class("keras.layers")
class Lambda(Layer):
    """y = function(x, **arguments)

    Write the function with `deepneuron.ops`. It has no weights; a function that needs
    some is a Layer of its own. A model with a Lambda can be saved only if the function
    has a name, and loaded only if it is passed in `custom_objects` or registered:
    files never hold code.

    Args:
        function: what y is. If it has arguments `training` or `mask`, it gets them.
        output_shape: without the axis of the batch, or a function of the input's shape;
            found out by itself if None.
        mask: what `compute_mask` returns, or a function of input and mask.
        arguments: a dictionary of further arguments.

    >>> import numpy as np
    >>> from deepneuron import layers
    >>> layers.Lambda(lambda x: 2 * x)(np.ones(2, "float32"))
    array([2., 2.], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(f"Lambda takes a function; received {function!r}.")
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        self._wants = _parameters(function)
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        told = {"mask": mask, "training": training}
        asked = {name: value for name, value in told.items() if name in self._wants}
        return self.function(inputs, **{**self.arguments, **asked})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return (input_shape[0], *self._output_shape)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": self._saved(self.function)}
        if self._output_shape is not None:
            config["output_shape"] = self._saved(self._output_shape)
        if self.mask is not None:
            config["mask"] = self._saved(self.mask)
        return {**config, "arguments": serialize(self.arguments)}

    def _saved(self, value: Any) -> Any:
        if getattr(value, "__name__", "") == "<lambda>":
            raise SavingError(
                f"{self._called()} holds a Python lambda, which cannot be saved: "
                "loading would have to run code from the file. Define a named function "
                "instead, and pass it to load_model(custom_objects=...)."
            )
        return value if isinstance(value, tuple) else serialize(value)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        for key in ("function", "output_shape", "mask"):
            value = config.get(key)
            if isinstance(value, dict) and value.get("class_name") == "__lambda__":
                raise SavingError(
                    f"The file holds a Python lambda as {key} of the Lambda layer "
                    f"{config.get('name')!r}. Running code from a file is not safe, so "
                    "it is not loaded. Define the function by name, save the model "
                    "again, and pass it to load_model(custom_objects=...)."
                )
        values = {k: v if k == "dtype" else deserialize(v) for k, v in config.items()}
        shape = values.get("output_shape")
        if isinstance(shape, list):
            values["output_shape"] = tuple(shape)
        return cls(**values)


def _parameters(function: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some functions written in C do not tell
        return set()
