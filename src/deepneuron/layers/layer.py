"""Layer: weights, and a `call` that uses them.

    class Linear(Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):                 # once, when the shape is known
            self.kernel = self.add_weight((input_shape[-1], self.units))

        def call(self, x):                            # y = x @ kernel
            return ops.matmul(x, self.kernel)

`call` is written with `deepneuron.ops`; its gradient is derived from theirs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.engine import scope
from deepneuron.engine.dtypes import is_float
from deepneuron.engine.nest import flatten, map_structure
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, DeepneuronError, NotBuiltError, ShapeError
from deepneuron.layers.call import Call
from deepneuron.layers.dtype_policy import policy_of
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.signature import bound_arguments, parameters, signature
from deepneuron.layers.weights import WeightHolder
from deepneuron.naming import auto_name, to_snake_case
from deepneuron.serialization import serialize

# Whether we are inside of a layer's call, and the `training` that it was given.
_training: ContextVar[tuple[bool, Any]] = ContextVar("training", default=(False, None))


class Layer(WeightHolder):
    """A function with weights.

    Args:
        activity_regularizer: a penalty on what the layer returns, added to the loss.
        trainable: whether its weights learn.
        dtype: the type of weights and computation; `floatx()` by default.
        autocast: whether float inputs are cast to that type.
        name: "dense", "dense_1" ... by default, after the class.

    Attributes:
        built: whether the weights exist.
        input_spec: an InputSpec (or a list of them) that inputs are checked against.
        source: `file:line` where the layer was made.
    """

    # Layers that set this see their inputs as they are, without a cast.
    _convert_inputs = True

    _auto_config: dict[str, Any]  # the arguments that it was made with

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self.__dict__["_auto_config"] = bound_arguments(cls, args, kwargs)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _marks_built(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        from deepneuron import regularizers

        super().__init__(trainable)
        self._losses: list[Any] = []
        self._inbound_nodes: list[Call] = []
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype_policy = policy_of(dtype)
        self.autocast = autocast
        self.built = False
        self.input_spec: Any = None
        self.supports_masking = False
        self.source = scope.user_line()
        self._input_shape_arg = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            self._input_shape_arg = (kwargs.pop("input_dim"),)
        if kwargs:
            raise ArgumentError(
                f"{type(self).__name__} does not know the argument "
                f"{', '.join(map(repr, kwargs))}. It takes: "
                f"{', '.join(parameters(type(self)))}."
            )

    # --- what a subclass writes

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the weights; called once, with the shape of the first input."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """y = f(x), written with `deepneuron.ops`."""
        raise NotImplementedError(f"{type(self).__name__} has no method `call`.")

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of what the layer returns for an input of this shape."""

        def tensors(shape: Any) -> Any:
            if _is_shape(shape):
                return Tensor(shape, self.compute_dtype)
            kind = type(shape)
            return kind(map(tensors, shape)) if kind in (list, tuple) else shape

        spec = self.compute_output_spec(*map(tensors, args), **kwargs)
        return map_structure(lambda y: y.shape, spec)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that the layer returns: `call` without values."""
        with scope.use(scope.Capture()):
            returned = self.call(*args, **kwargs)
        self._forget_losses()
        return map_structure(ops.convert_to_tensor, returned)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize(self.dtype_policy),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer)
        own = type(self).get_config is Layer.get_config
        return {**config, **self._auto_config} if own else config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer that a configuration describes."""
        from deepneuron.serialization import deserialize

        takes = parameters(cls)
        return cls(
            **{
                key: value if key == "dtype" else deserialize(value)
                for key, value in config.items()
                if key in takes or value is not None
            }
        )

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that `build` was given."""
        return getattr(self, "_build_shapes", None)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the shapes of a configuration."""
        shapes = {k: _as_shapes(v) for k, v in config.items()}
        if any(v is not None for v in shapes.values()):
            self._build_for(shapes)

    # --- types and losses

    @property
    def dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        return self.compute_dtype

    def add_loss(self, loss: Any) -> None:
        """Add a penalty to the loss that is trained on."""
        self._losses.extend(flatten(loss)[0])

    @property
    def losses(self) -> list[Any]:
        """The penalties of the last call, and those of the weights' regularizers."""
        added = [loss for layer in self._flatten_layers() for loss in layer._losses]
        if not scope.capturing():  # what is left over from a captured step has no value
            added = [
                x
                for x in added
                if not isinstance(x, Tensor) or x.value_or_none() is not None
            ]
        penalties = [
            v.regularizer(v)
            for v in self.trainable_weights
            if v.regularizer is not None
        ]
        return added + penalties

    def _forget_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    # --- the call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check and cast the inputs, build if need be, and `call`."""
        if "_own_variables" not in self.__dict__:
            raise ArgumentError(
                f"{type(self).__name__}.__init__ must call super().__init__() first."
            )
        if self._convert_inputs:
            args = map_structure(self._convert, args)
            kwargs = map_structure(self._convert, kwargs)
        self._check_inputs(args, kwargs)
        with scope.name_scope(self.name, self.source):
            if not self.built:
                self._build_for(self._input_shapes(args, kwargs))
            args, kwargs, told, training = self._with_training(args, kwargs)
            inside, _ = _training.get()
            if not inside:
                self._forget_losses()
            token = _training.set((True, training))
            try:
                if _symbolic((args, kwargs)) and not scope.capturing():
                    y = self._record(args, kwargs, told)
                else:
                    y = self.call(*args, **kwargs)
                    self._penalise(y)
            except DeepneuronError as error:
                error.add_note(f"in {self._called()}")
                raise
            finally:
                _training.reset(token)
        return y

    def _with_training(self, args: Any, kwargs: Any) -> tuple[Any, Any, Any, Any]:
        """The arguments of `call`, and whether it is training.

        That is what the caller says, else what holds for the layer around, else the
        default of `call`.

        Returns:
            (args, kwargs, what the caller said, what holds for the layers within)
        """
        takes = signature(type(self).call).parameters
        kwargs = dict(kwargs)
        if "training" in takes:  # from here on by name
            names = [name for name in takes if name != "self"]
            position = names.index("training")
            kwargs.update(zip(names[position:], args[position:], strict=False))
            args = args[:position]
        told = kwargs.get("training")
        training = _training.get()[1] if told is None else told
        if "training" in takes:
            default = takes["training"].default
            if training is None and default is not inspect.Parameter.empty:
                training = default
            kwargs["training"] = bool(training)
        elif all(p.kind is not p.VAR_KEYWORD for p in takes.values()):
            kwargs.pop("training", None)  # for the layers within, if any
        return args, kwargs, told, training

    def _record(self, args: Any, kwargs: Any, told: Any) -> Any:
        """Note that the layer is used in a functional model."""
        returned = self.compute_output_spec(*args, **kwargs)
        if "training" in kwargs and told is None:  # decided anew in every run
            del kwargs["training"]
        call = Call(self, args, kwargs, returned)
        self._inbound_nodes.append(call)
        return call.result

    def _convert(self, x: Any) -> Any:
        if isinstance(x, (bool, int, float, str)) or x is None:
            return x
        if not isinstance(x, (Tensor, np.ndarray)):
            if not hasattr(x, "__array__"):
                return x
            x = np.asarray(x)
        wanted = self.compute_dtype
        cast = self.autocast and is_float(x.dtype) and is_float(wanted)
        return ops.cast(x, wanted) if cast and x.dtype != wanted else x

    def _check_inputs(self, args: Any, kwargs: Any) -> None:
        if self.input_spec is None:
            return
        first = args[0] if args else next(iter(kwargs.values()), None)
        values = flatten(first)[0]
        specs = flatten(self.input_spec)[0]
        if len(specs) != len(values):
            raise ShapeError(
                f"{self._called()} expects {len(specs)} inputs, but received "
                f"{len(values)}."
            )
        for x, spec in zip(values, specs, strict=True):
            if isinstance(spec, InputSpec) and hasattr(x, "shape"):
                spec.check(x, self._called())

    def _input_shapes(self, args: Any, kwargs: Any) -> dict[str, Any]:
        """{argument of build: shape}, for the tensors that the layer is called with."""
        names = [p for p in signature(type(self).call).parameters if p != "self"]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        shapes = {name: _shapes(x) for name, x in given.items() if _holds_arrays(x)}
        plain = [
            p.name
            for p in inspect.signature(self.build).parameters.values()
            if p.name != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
        if len(plain) > 1 and all(f"{name}_shape" in plain for name in shapes):
            return {f"{name}_shape": shape for name, shape in shapes.items()}
        first = next(iter(shapes.values()), None)
        return {plain[0] if plain else "input_shape": first}

    def _build_for(self, shapes: dict[str, Any]) -> None:
        with scope.eager():
            if type(self).build is Layer.build:
                self.build()
            else:
                self.build(**shapes)
        self._build_shapes = shapes

    def _penalise(self, y: Any) -> None:
        if self.activity_regularizer is None:
            return
        for output in flatten(y)[0]:
            loss = self.activity_regularizer(output)
            if output.ndim and output.shape[0]:  # per sample, whatever the batch size
                loss = loss / output.shape[0]
            self.add_loss(loss)

    # --- in a functional model

    @property
    def input(self) -> Any:
        """The symbolic input of the layer's only use in a functional model."""
        call = self._only_call()
        args, kwargs = call.arguments({x: x for x in call.inputs})
        if not args and not kwargs:
            return self.output
        return args[0] if args else next(iter(kwargs.values()))

    @property
    def output(self) -> Any:
        """The symbolic output of the layer's only use in a functional model."""
        return self._only_call().result

    def _only_call(self) -> Call:
        if not self._inbound_nodes:
            raise NotBuiltError(
                f"{self._called()} has not been called on a symbolic tensor, so it has "
                "no symbolic input or output."
            )
        return self._inbound_nodes[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


@contextmanager
def training_scope(training: bool | None) -> Iterator[None]:
    """Layers called in this block are told so unless they are told otherwise."""
    token = _training.set((False, training))
    try:
        yield
    finally:
        _training.reset(token)


def _marks_built(build: Callable[..., Any]) -> Callable[..., Any]:
    import functools

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> Any:
        result = build(self, *args, **kwargs)
        self.built = True
        if "_build_shapes" not in self.__dict__:
            bound = inspect.signature(build).bind(self, *args, **kwargs).arguments
            self._build_shapes = {k: v for k, v in bound.items() if k != "self"}
        return result

    return wrapped


def _symbolic(tree: Any) -> bool:
    return any(
        isinstance(x, Tensor)
        and not isinstance(x, Variable)
        and x.value_or_none() is None
        for x in flatten(tree)[0]
    )


def _holds_arrays(value: Any) -> bool:
    leaves = flatten(value)[0]
    return bool(leaves) and all(hasattr(x, "shape") for x in leaves)


def _shapes(value: Any) -> Any:
    return map_structure(lambda x: tuple(x.shape), value)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(
        n is None or isinstance(n, int) for n in value
    )


def _as_shapes(value: Any) -> Any:
    """Shapes from a file, where tuples have become lists."""
    if _is_shape(value):
        return tuple(value)
    if isinstance(value, dict):
        return {k: _as_shapes(v) for k, v in value.items()}
    return [_as_shapes(v) for v in value] if isinstance(value, list) else value
