"""What holds weights: its own, and those of the layers within."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron.engine import scope
from deepneuron.engine.dtypes import is_float
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, NotBuiltError, ShapeError


class WeightHolder:
    """The half of a Layer that keeps weights, freezes, copies and files them."""

    # Attributes whose contents are not part of the layer.
    _not_tracked = frozenset(
        {"_own_variables", "_inbound_nodes", "_losses", "_auto_config", "input_spec"}
    )

    # What the other half brings.
    name: str
    built: bool
    variable_dtype: Any

    def __init__(self, trainable: bool) -> None:
        self._own_variables: list[Variable] = []
        self._learning = 0  # how many of them learn
        self._trainable = bool(trainable)

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

    def _parts(self, kind: type) -> list[Any]:
        """What the layer holds of a kind, in its attributes and in lists among them."""
        found: list[Any] = []
        holders, others = (kind, list, tuple, dict), self._not_tracked
        for name, value in self.__dict__.items():
            plain = type(value) in _PLAIN or not isinstance(value, holders)
            if not plain and name not in others:
                _find(value, kind, found)
        return found

    @property
    def _layers(self) -> list[Any]:
        return unique(self._parts(WeightHolder))

    def _flatten_layers(self, include_self: bool = True) -> list[Any]:
        """This layer, the layers in it, the layers in those ..."""
        found: list[Any] = [self] if include_self else []
        for layer in self._layers:
            found.extend(layer._flatten_layers())
        return unique(found)

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer; without counters of metrics and random seeds."""
        own = self._own_variables
        listed = [v for v in self._parts(Variable) if all(v is not o for o in own)]
        nested = (w for layer in self._layers for w in layer.weights)
        return unique([*own, *listed, *nested])

    @property
    def variables(self) -> list[Variable]:
        """All weights, and the states of random generators."""
        seeds = [v for g in self._seed_generators() for v in (g.state,)]
        return unique([*self.weights, *seeds])

    def _seed_generators(self) -> list[Any]:
        from deepneuron.ops.random import SeedGenerator

        found = self._parts(SeedGenerator)
        for layer in self._layers:
            found.extend(layer._seed_generators())
        return unique(found)

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

    def _called(self) -> str:
        return f"{type(self).__name__} layer {self.name!r}"


_PLAIN = frozenset({bool, int, float, str, type(None)})


def _find(value: Any, kind: type, found: list[Any]) -> None:
    if isinstance(value, kind):
        found.append(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _find(item, kind, found)
    elif isinstance(value, dict):
        for item in value.values():
            _find(item, kind, found)


def unique(things: Any) -> list[Any]:
    return list({id(thing): thing for thing in things}.values())
