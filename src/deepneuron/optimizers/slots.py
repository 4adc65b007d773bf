"""What an optimizer remembers: the step, its learning rate, slots for each weight."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepneuron import initializers
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, NotBuiltError
from deepneuron.naming import auto_name


class SlotHolder:
    """The half of an Optimizer that makes, finds and files its variables."""

    # What the other half brings.
    name: str
    use_ema: bool
    gradient_accumulation_steps: int | None
    _iterations: Variable
    _learning_rate: Any

    def __init__(self) -> None:
        self._own: list[Variable] = []  # what a subclass adds
        # name -> variable -> slot
        self._slots: dict[str, dict[Variable, Variable]] = {}
        self._trainable_variables: list[Variable] = []
        self._positions: dict[Variable, int] = {}
        self.built = False

    def slots(self) -> Sequence[dict[str, float]]:
        """Names and initial values of what is remembered for each variable, in groups.

        Within a group the variables alternate in `variables`, as Keras's files have it.
        """
        return ()

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of these variables; those that have theirs keep them.

        Args:
            variables: the weights that are to be trained.
        """
        variables = list(dict.fromkeys(variables))
        new = [v for v in variables if v not in self._positions]
        self.built = True
        if not new:
            return
        # Slots are filed in the order in which a loaded model names its variables.
        before = [v for v in self._trainable_variables if v not in set(variables)]
        self._trainable_variables = [*variables, *before]
        self._positions = {v: i for i, v in enumerate(self._trainable_variables)}
        for name, value in (pair for g in self._groups() for pair in g.items()):
            slots = self._slots.setdefault(name, {})
            for v in new:
                slots[v] = self._new(v.shape, value, v.dtype, _slot_name(v, name))

    def _groups(self) -> list[dict[str, float]]:
        common = []
        if self.use_ema:
            common.append({"average": 0.0})
        if self.gradient_accumulation_steps:
            common.append({"gradient_accumulator": 0.0})
        return [*common, *self.slots()]

    def slot(self, name: str, variable: Variable) -> Variable:
        """What is remembered under a name for one variable."""
        return self._slots[name][variable]

    @property
    def variables(self) -> list[Variable]:
        """The step, the learning rate, and all slots, in the order of Keras's files."""
        rate = self._learning_rate
        slots = (
            self._slots[name][v]
            for group in self._groups()
            for v in self._trainable_variables
            for name in group
        )
        first = [self._iterations, *([rate] if isinstance(rate, Variable) else [])]
        return [*first, *slots, *self._own]

    def _new(self, shape: Any, value: Any, dtype: Any, name: str) -> Variable:
        def initial(shape: Any, dtype: Any) -> np.ndarray:
            return np.full(shape, value, dtype)

        initializer = value if callable(value) else initial
        variable = Variable(
            initializer, tuple(shape), dtype=dtype, trainable=False, name=name
        )
        variable.path = f"{self.name}/{name}"
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A variable of the optimizer, for its `build`.

        Args:
            shape: a tuple of known sizes.
            initializer: a name or an Initializer.
            dtype: `floatx()` by default.
            aggregation: accepted as in Keras; without effect here.
            layout: the same.
            name: the last part of its path.
        """
        self._check_ready()
        initial = initializers.get(initializer)
        variable = self._new(shape, initial, dtype, name or auto_name("variable"))
        self._own.append(variable)
        return variable

    def add_variable_from_reference(
        self,
        reference_variable: Variable,
        name: str | None = None,
        initializer: Any = "zeros",
    ) -> Variable:
        """A variable of the shape and type of another one.

        Args:
            reference_variable: a weight of the model.
            name: what it is: "momentum" ...
            initializer: a name or an Initializer.
        """
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            name=_slot_name(reference_variable, name or "var"),
        )

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: Any,
        initializer: Any = "zeros",
    ) -> Any:
        """A list of one variable for each of these; for several names, several lists.

        Args:
            trainable_variables: weights of the model.
            name: "momentum", or a list of names.
            initializer: one for all, or a list of as many as there are names.
        """
        names = [name] if isinstance(name, str) else list(name)
        single = isinstance(name, str) or not isinstance(initializer, (list, tuple))
        chosen = [initializer] * len(names) if single else list(initializer)
        if len(names) != len(chosen):
            raise ArgumentError(
                f"There are {len(names)} names ({names}), but {len(chosen)} "
                "initializers."
            )
        made: tuple[list[Variable], ...] = tuple([] for _ in names)
        for v in trainable_variables:
            for column, n, i in zip(made, names, chosen, strict=True):
                column.append(self.add_variable_from_reference(v, n, i))
        return made[0] if isinstance(name, str) else made

    def _get_variable_index(self, variable: Variable) -> int:
        """The position of a variable in the list that `build` was given."""
        return self._positions[variable]

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Variable) and name not in (
            "_iterations",
            "_learning_rate",
        ):
            self._check_ready()
            if not any(v is value for v in self._own):
                self._own.append(value)
        super().__setattr__(name, value)

    def _check_ready(self) -> None:
        if "_own" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}.__init__ must call super().__init__(...) first."
            )

    def save_own_variables(self, store: Any) -> None:
        """Put all of `variables` into `store`, under "0", "1" ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take every variable from what `save_own_variables` has filled."""
        variables = self.variables
        if len(store.keys()) != len(variables):
            hint = "" if self.built else " It has not been built yet."
            warnings.warn(
                f"Skipping variable loading for optimizer {self.name!r}, because it "
                f"has {len(variables)} variables whereas the saved optimizer has "
                f"{len(store.keys())} variables.{hint}",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign a value to each of `variables`.

        Raises:
            NotBuiltError: before `build`.
            ShapeError: a value of another shape.
        """
        if not self.built:
            raise NotBuiltError(
                f"Optimizer {self.name!r} has no slots yet: call "
                "build(trainable_variables) before set_weights(...)."
            )
        for variable, weight in zip(self.variables, weights, strict=False):
            variable.assign(weight)


def _slot_name(variable: Variable, name: str) -> str:
    return f"{variable.path.replace('/', '_')}_{name}"
