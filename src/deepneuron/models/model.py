"""Model: a layer that can be trained, evaluated, saved and printed."""

from __future__ import annotations

import json
from typing import Any

from deepneuron.errors import ArgumentError, NotBuiltError, UnknownNameError
from deepneuron.layers.layer import Layer
from deepneuron.models.network import Network
from deepneuron.serialization import deserialize, keras_class, serialize
from deepneuron.training.trainer import Trainer


@keras_class("keras", None, "keras.models", "keras.src.models.model")
class Model(Trainer, Layer):
    """Layers that train together. There are three ways to make one.

    From symbolic inputs and outputs (functional):

    >>> import deepneuron as dn
    >>> x = dn.Input((4,))
    >>> model = dn.Model(inputs=x, outputs=dn.layers.Dense(2)(x))
    >>> model.output_shape
    (None, 2)

    By subclassing, with the layers in `__init__` and their use in `call`:

        class MyModel(deepneuron.Model):
            def __init__(self):
                super().__init__()
                self.hidden = layers.Dense(8, activation="relu")
                self.out = layers.Dense(2)

            def call(self, x, training=False):
                return self.out(self.hidden(x))

    Or with `Sequential`. A subclass may also be given inputs and outputs, in order to
    write a `train_step` of its own.

    Args:
        inputs: symbolic tensors, alone or in lists and dictionaries.
        outputs: the symbolic tensors computed from them.
        name: "model", "functional" ... by default.
        trainable: whether the weights learn.
    """

    _not_tracked = Layer._not_tracked | Trainer._not_tracked

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            from deepneuron.models.functional import Functional

            return Layer.__new__(Functional, *args, **kwargs)
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs, outputs = None, None
        if _is_functional(args, kwargs):
            args = args + (None,) * (3 - len(args))
            inputs = kwargs.pop("inputs", args[0])
            outputs = kwargs.pop("outputs", args[1])
            if args[2] is not None:
                kwargs["name"] = args[2]
        elif args:
            raise ArgumentError(
                f"{type(self).__name__} takes inputs and outputs (or neither); it "
                f"received {len(args)} argument(s): {args!r}."
            )
        Trainer.__init__(self)
        Layer.__init__(self, **kwargs)
        self._network: Network | None = None
        if inputs is not None:
            self._set_network(inputs, outputs)

    def _set_network(self, inputs: Any, outputs: Any) -> None:
        self._network = Network(inputs, outputs, self.name)
        self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs for these inputs; `mask` stands in Keras's files, as None."""
        if self._network is None:
            raise NotImplementedError(
                f"Model {self.name!r} of class {type(self).__name__} has no method "
                "`call`."
            )
        return self._network.run(inputs)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, for inputs of this shape (the batch as None)."""
        if self._network is None and input_shape is not None:
            self.compute_output_shape(input_shape)
        self.built = True

    def _build_for(self, shapes: dict[str, Any]) -> None:
        if type(self).build is Model.build:  # the layers within build themselves
            self._build_shapes = shapes
        else:
            super()._build_for(shapes)
        self.built = True

    # --- what it consists of

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, inputs included, from the first to the last."""
        return list(self._layers)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("`Model.layers` is reserved; give your list another name.")

    @property
    def _layers(self) -> list[Layer]:
        tracked = Layer._layers.fget(self)  # type: ignore[attr-defined]
        if self._network is None:
            return tracked
        rest = [layer for layer in tracked if layer not in self._network.layers]
        return self._network.layers + rest

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place.

        Raises:
            UnknownNameError: no layer has this name; the nearest ones are offered.
        """
        if (name is None) == (index is None):
            raise ArgumentError("get_layer takes either a name or an index.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ArgumentError(
                    f"Model {self.name!r} has {len(self.layers)} layers; there is none "
                    f"at index {index}."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise UnknownNameError("layer", name, [layer.name for layer in self.layers])

    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs, in a list."""
        return list(self._connected().flat_inputs)

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs, in a list."""
        return list(self._connected().flat_outputs)

    @property
    def input(self) -> Any:
        return self._connected().inputs

    @property
    def output(self) -> Any:
        return self._connected().outputs

    @property
    def input_shape(self) -> Any:
        from deepneuron.engine.nest import map_structure

        return map_structure(lambda x: x.shape, self.input)

    @property
    def output_shape(self) -> Any:
        from deepneuron.engine.nest import map_structure

        return map_structure(lambda y: y.shape, self.output)

    @property
    def input_names(self) -> list[str]:
        return [x.name for x in self.inputs]

    @property
    def output_names(self) -> list[str] | None:
        """The names of the layers that make the outputs."""
        if self._network is None:
            return None
        return [y.node.op.name for y in self._network.flat_outputs if y.node]

    def _connected(self) -> Network:
        if self._network is None:
            raise NotBuiltError(
                f"Model {self.name!r} has no symbolic inputs and outputs. Build it "
                "with an input shape first, or make it from Input(...)."
            )
        return self._network

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers, the shapes of their outputs, and the numbers of weights.

        Args:
            line_length, positions: accepted as in Keras; the table fits itself.
            print_fn: called with the text instead of printing.
            expand_nested: show the layers of models within.
            show_trainable: show which layers learn.
            layer_range: (first, last) names.
        """
        from deepneuron.utils.summary import print_summary

        print_summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    # --- files

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Write architecture, weights and optimizer into one `.keras` file, atomically.

        Args:
            filepath: ends in `.keras`.
            overwrite: whether a file of that name may be replaced.
            zipped: None or True; the form of the file.
        """
        from deepneuron.saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None
    ) -> None:
        """Write the weights into one `.weights.h5` file, atomically."""
        from deepneuron.saving import save_weights

        save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any
    ) -> None:
        """Take the weights from a `.weights.h5` or `.keras` file."""
        from deepneuron.saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the model's inference into an ONNX file, which runs without deepneuron.

        Args:
            filepath: usually ends in `.onnx`.
            format: "onnx"; Keras's other formats are not written.
            verbose: whether to say what was written.
            input_signature: InputSpecs, tensors or arrays, whose shapes and types the
                inputs have instead of the model's own.
            **kwargs: `opset_version`, and what else `saving.export_onnx` takes.

        Raises:
            ArgumentError: another format, or an unknown argument.
            SavingError: see `saving.export_onnx`.
        """
        from deepneuron.saving import export_model

        export_model(self, filepath, format, verbose, input_signature, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, for `models.model_from_json`."""
        return json.dumps(serialize(self), **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model that a configuration describes."""
        if "input_layers" in config:
            from deepneuron.models.functional import functional_from_config

            return functional_from_config(cls, config, custom_objects)
        return cls(**{k: deserialize(v, custom_objects) for k, v in config.items()})

    def get_config(self) -> dict[str, Any]:
        if self._network is None:
            config = Layer.get_config(self)
            if type(self).get_config is Model.get_config:
                config = {**config, **self._auto_config}
            return config
        return {
            "name": self.name,
            "trainable": self.trainable,
            **self._network.config(),
        }


def _is_functional(args: Any, kwargs: Any) -> bool:
    return (
        len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or "inputs" in kwargs
    )


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model that `Model.to_json` described, with fresh weights."""
    return deserialize(json.loads(json_string), custom_objects)
