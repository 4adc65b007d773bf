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
from deepneuron.naming import auto_name, to_snake_case
from deepneuron.serialization import serialize

# Whether we are inside of a layer's call, and the `training` that it was given.
_training: ContextVar[tuple[bool, Any]] = ContextVar("training", default=(False, None))


class Layer:
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

    # Attributes whose contents are not part of the layer.
    _not_tracked = frozenset(
        {"_own_variables", "_inbound_nodes", "_losses", "_auto_config", "input_spec"}
    )
    # Layers that set this see their inputs as they are, without a cast.
    _convert_inputs = True

    _auto_config: dict[str, Any]  # the arguments that it was made with

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self.__dict__["_auto_config"] = _bound_arguments(cls, args, kwargs)
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

        self._own_variables: list[Variable] = []
        self._learning = 0  # how many of them learn
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
        self._trainable = bool(trainable)
        self._input_shape_arg = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            self._input_shape_arg = (kwargs.pop("input_dim"),)
        if kwargs:
            raise ArgumentError(
                f"{type(self).__name__} does not know the argument "
                f"{', '.join(map(repr, kwargs))}. It takes: "
                f"{', '.join(_parameters(type(self)))}."
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

        takes = _parameters(cls)
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

    # --- weights

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A Variable that belongs to the layer.

        Args:
            shape: () by default.
            initializer: "glorot_uniform" for float weights by default, else "zeros".
            dtype: that of the layer by default.
            trainable: False for statistics and counters.
            regularizer: a penalty that is added to the loss.
            constraint: applied after each update.
            autocast, aggregation, overwrite_with_gradient: accepted as in Keras.
            name: one part of its path.
        """
        from deepneuron import constraints, initializers, regularizers

        if isinstance(shape, str):
            raise ArgumentError(
                "add_weight takes the shape first; received the text "
                f"{shape!r}. Write name={shape!r}."
            )
        dtype = dtype or self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if is_float(dtype) else "zeros"
        if not hasattr(self, "_own_variables"):
            raise ArgumentError(
                f"{type(self).__name__}.__init__ must call super().__init__() before "
                "it adds weights."
            )
        variable = Variable(
            initializers.get(initializer),
            shape=() if shape is None else tuple(shape),
            dtype=dtype,
            trainable=trainable,
            name=name,
        )
        place = scope.current_path()  # the layers around, if they built this one
        if place.rpartition("/")[2] != self.name:
            place = f"{place}/{self.name}".lstrip("/")
        variable.path = f"{place}/{variable.name}"
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._adopt(variable)
        return variable

    def _adopt(self, variable: Variable) -> None:
        """Weights that learn come first; freezing them later does not reorder them."""
        at = self._learning if variable.trainable else len(self._own_variables)
        self._own_variables.insert(at, variable)
        self._learning += variable.trainable

    def __setattr__(self, name: str, value: Any) -> None:
        if (
            isinstance(value, Variable)
            and "_own_variables" in self.__dict__
            and all(value is not v for v in self._own_variables)
        ):
            self._adopt(value)
        super().__setattr__(name, value)

    def _parts(self, kind: type) -> Iterator[Any]:
        """What the layer holds of a kind, in its attributes and in lists among them."""
        for name, value in self.__dict__.items():
            if name not in self._not_tracked:
                yield from _find(value, kind)

    @property
    def _layers(self) -> list[Layer]:
        return _unique(self._parts(Layer))

    def _flatten_layers(self, include_self: bool = True) -> list[Layer]:
        """This layer, the layers in it, the layers in those ..."""
        found: list[Layer] = [self] if include_self else []
        for layer in self._layers:
            found.extend(layer._flatten_layers())
        return _unique(found)

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer; without counters of metrics and random seeds."""
        own = self._own_variables
        listed = [v for v in self._parts(Variable) if all(v is not o for o in own)]
        nested = (w for layer in self._layers for w in layer.weights)
        return _unique([*own, *listed, *nested])

    @property
    def variables(self) -> list[Variable]:
        """All weights, and the states of random generators."""
        seeds = [v for g in self._seed_generators() for v in (g.state,)]
        return _unique([*self.weights, *seeds])

    def _seed_generators(self) -> list[Any]:
        from deepneuron.ops.random import SeedGenerator

        found = list(self._parts(SeedGenerator))
        for layer in self._layers:
            found.extend(layer._seed_generators())
        return _unique(found)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that learn; none while the layer is frozen."""
        frozen = {
            id(v)
            for layer in self._flatten_layers()
            if not layer.trainable
            for v in layer.weights
        }
        return [v for v in self.weights if v.trainable and id(v) not in frozen]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that do not learn: statistics, and whatever is frozen."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trainable]

    trainable_variables = trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Every variable that does not learn."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable(self) -> bool:
        """Whether the weights learn. Setting it sets it in all layers within."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._flatten_layers(include_self=False):
            layer._trainable = bool(value)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights' values."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Give the weights other values.

        Raises:
            ShapeError: another number of arrays, or other shapes, than `get_weights`
                returns. No weight is changed then.
        """
        own = self.weights
        if len(weights) != len(own):
            raise ShapeError(
                f"{self._called()} has {len(own)} weights; set_weights received "
                f"{len(weights)} arrays. Expected shapes: {[w.shape for w in own]}."
            )
        for w, value in zip(own, weights, strict=True):
            if np.shape(value) != w.shape:
                raise ShapeError(
                    f"{self._called()}: weight {w.path!r} has shape {w.shape}; "
                    f"set_weights received an array of shape {np.shape(value)}."
                )
        for w, value in zip(own, weights, strict=True):
            w.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            NotBuiltError: the weights do not exist yet.
        """
        if not self.built:
            raise NotBuiltError(
                f"{self._called()} has no weights yet. Call it on data, or build it "
                "with an input shape."
            )
        return sum(int(np.prod(w.shape)) for w in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own weights into a mapping, by number."""
        for i, v in enumerate(self._own_variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own weights from what `save_own_variables` filled."""
        own = self._own_variables
        if len(store) != len(own):
            raise ShapeError(
                f"{self._called()} has {len(own)} weights of its own; the file holds "
                f"{len(store)} for it."
                + ("" if self.built else " The layer has not been built.")
            )
        for i, v in enumerate(own):
            v.assign(np.asarray(store[str(i)]))

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
            inside, outer = _training.get()
            parameters = self._call_parameters()
            if "training" in parameters:  # from here on by name
                names = [name for name in parameters if name != "self"]
                position = names.index("training")
                kwargs.update(zip(names[position:], args[position:], strict=False))
                args = args[:position]
            explicit = kwargs.get("training")
            training = outer if explicit is None else explicit
            if "training" in parameters:
                default = parameters["training"].default
                if training is None and default is not inspect.Parameter.empty:
                    training = default
                kwargs["training"] = bool(training)
            elif all(p.kind is not p.VAR_KEYWORD for p in parameters.values()):
                kwargs.pop("training", None)  # for the layers within, if any
            if not inside:
                self._forget_losses()
            token = _training.set((True, training))
            try:
                if _symbolic((args, kwargs)) and not scope.capturing():
                    returned = self.compute_output_spec(*args, **kwargs)
                    if "training" in kwargs:  # decided anew in every run, unless told
                        kwargs = {**kwargs, "training": explicit}
                        kwargs = {k: v for k, v in kwargs.items() if v is not None}
                    call = Call(self, args, kwargs, returned)
                    self._inbound_nodes.append(call)
                    return call.result
                try:
                    y = self.call(*args, **kwargs)
                except DeepneuronError as error:
                    error.add_note(f"in {self._called()}")
                    raise
                self._penalise(y)
                return y
            finally:
                _training.reset(token)

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

    def _call_parameters(self) -> Any:
        return _signature(type(self).call).parameters

    def _input_shapes(self, args: Any, kwargs: Any) -> dict[str, Any]:
        """{argument of build: shape}, for the tensors that the layer is called with."""
        names = [p for p in self._call_parameters() if p != "self"]
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

    def _called(self) -> str:
        return f"{type(self).__name__} layer {self.name!r}"

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


_signatures: dict[Any, inspect.Signature] = {}


def _signature(function: Any) -> inspect.Signature:
    if function not in _signatures:
        _signatures[function] = inspect.signature(function)
    return _signatures[function]


def _parameters(cls: type) -> list[str]:
    """The arguments that a class and its bases take, in `__init__`."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" in base.__dict__:
            kinds = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
            names |= {
                p.name: None
                for p in kinds
                if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
            }
            if all(p.kind is not p.VAR_KEYWORD for p in kinds):
                break
    return [name for name in names if name != "self"]


def _bound_arguments(cls: type, args: Any, kwargs: Any) -> dict[str, Any]:
    try:
        bound = _signature(cls.__init__).bind(None, *args, **kwargs)  # type: ignore[misc]
    except TypeError:
        return {}  # __init__ will say it better
    values = dict(list(bound.arguments.items())[1:])
    for name, parameter in _signature(cls.__init__).parameters.items():  # type: ignore[misc]
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(values.pop(name, {}))
        elif parameter.kind is parameter.VAR_POSITIONAL:
            values.pop(name, None)
    return values


def _find(value: Any, kind: type) -> Iterator[Any]:
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _find(item, kind)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _find(item, kind)


def _unique(things: Any) -> list[Any]:
    return list({id(thing): thing for thing in things}.values())


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
