"""Sequential: one layer after the other."""

from __future__ import annotations

from typing import Any

from deepneuron.engine import scope
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ArgumentError
from deepneuron.layers.input_layer import InputLayer
from deepneuron.layers.layer import Layer
from deepneuron.models.model import Model
from deepneuron.models.network import Network, input_of
from deepneuron.serialization import deserialize, keras_class, serialize


@keras_class("keras", None, "keras.models", "keras.src.models.sequential")
class Sequential(Model):
    """y = layer_n(... layer_2(layer_1(x)))

    Args:
        layers: the layers; the first may be an `Input`. Without one, the weights are
            made when the first data comes.
        trainable: whether the weights learn.
        name: "sequential", "sequential_1" ... by default.

    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((4,)), dn.layers.Dense(2)])
    >>> model.count_params()
    10
    """

    _not_tracked = Model._not_tracked | {"_network"}

    def __init__(
        self, layers: Any = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._stack: list[Any] = []
        self._defer_build = True
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._build_if_possible()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top.

        Raises:
            ArgumentError: it is no layer, its name is taken, or an Input is not first.
        """
        if isinstance(layer, Tensor) and layer.node is not None:
            layer = layer.node.op  # what Input() returns
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"Sequential takes layers; it received {layer!r} of type "
                f"{type(layer).__name__}."
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ArgumentError(
                f"Sequential {self.name!r}: an Input must come first, but there are "
                f"{len(self._stack)} layers before {layer.name!r}."
            )
        if any(layer.name == other.name for other in self._stack):
            raise ArgumentError(
                f"Sequential {self.name!r} has a layer {layer.name!r} already; names "
                "must differ."
            )
        if not self._stack and layer._input_shape_arg is not None:
            self._stack.append(InputLayer(shape=layer._input_shape_arg))
        self._stack.append(layer)
        if rebuild:
            self._build_if_possible()

    def pop(self, rebuild: bool = True) -> Any:
        """Take the last layer off and return it."""
        layer = self._stack.pop()
        self._network, self.built = None, False
        if rebuild:
            self._build_if_possible()
        return layer

    def _build_if_possible(self) -> None:
        self._network, self.built = None, False
        self._functions.clear()  # their plans know the layers that there were
        if (
            self._stack
            and isinstance(self._stack[0], InputLayer)
            and len(self._stack) > 1
        ):
            self._connect(self._stack[0].output)
        elif self._stack and isinstance(self._stack[0], Model) and self._stack[0].built:
            first = self._stack[0]
            if first._network is not None and len(first._network.flat_inputs) == 1:
                self._connect(first._network.flat_inputs[0])

    def _connect(self, x: Tensor) -> None:
        y: Any = x
        if not isinstance(x.node.op, InputLayer) or x.node.op is not self._stack[0]:  # type: ignore[union-attr]
            x = y = input_of(x.shape, x.dtype)
        for layer in self._stack:
            y = y if isinstance(layer, InputLayer) else layer(y)
        self._network = Network(x, y, self.name)
        self._build_shapes = {"input_shape": x.shape}
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, for inputs of this shape (the batch as None)."""
        if self._network is not None:
            return
        if isinstance(input_shape, Tensor):
            input_shape = input_shape.shape
        if not self._stack:
            raise ArgumentError(f"Sequential {self.name!r} has no layers to build.")
        if input_shape is None:
            raise ArgumentError(
                f"Sequential {self.name!r} needs the shape of its input: begin it with "
                "Input(shape), or call build((None, ...))."
            )
        shape = (None, *tuple(input_shape)[1:])
        # Calls of layers are what is to be written down, not what they compute.
        with scope.eager():
            first = InputLayer(batch_shape=shape, dtype=self.compute_dtype)
            self._stack.insert(0, first)
            try:
                self._connect(first.output)
            except BaseException:  # another shape may fit
                self._stack.remove(first)
                raise

    def _build_for(self, shapes: dict[str, Any]) -> None:
        self.build(next(iter(shapes.values()), None))

    def compute_output_spec(
        self, inputs: Any, training: Any = None, mask: Any = None
    ) -> Any:
        if self._network is None:
            self.build(inputs.shape)
        return super().compute_output_spec(inputs, training=training)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The output of the last layer."""
        if self._network is None:
            self.build(inputs.shape)
        return super().call(inputs, training=training)

    @property  # type: ignore[misc]  # Model's setter only says that it must not be set
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    @property
    def _layers(self) -> list[Layer]:
        return list(self._stack)

    def get_config(self) -> dict[str, Any]:
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize(self.dtype_policy),
            "layers": [serialize(layer) for layer in self._stack],
        }
        if self._network is not None:
            config["build_input_shape"] = list(self._network.flat_inputs[0].shape)
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        if self._network is None:
            return None
        return {"input_shape": self._network.flat_inputs[0].shape}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model that a configuration describes."""
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        for data in config["layers"]:
            model.add(deserialize(data, custom_objects), rebuild=False)
        model._build_if_possible()
        shape = config.get("build_input_shape")
        if model._network is None and shape and model._stack:
            model.build(tuple(shape))
        return model


__all__ = ["Sequential"]
