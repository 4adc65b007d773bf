"""What every optimizer does around its own rule.

One step: gradients -> drop missing ones -> undo the loss scale -> (accumulate) -> clip
-> weight decay -> the rule (`update_step`) -> moving average -> constraints.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Hashable, Iterable, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np

from deepneuron import ops, serialization
from deepneuron.engine import scope
from deepneuron.engine.op import as_tensor
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, DTypeError, NotBuiltError, ShapeError
from deepneuron.naming import auto_name, to_snake_case
from deepneuron.ops import moving_average
from deepneuron.optimizers.clipping import clip
from deepneuron.optimizers.schedules import LearningRateSchedule
from deepneuron.optimizers.slots import SlotHolder


class Optimizer(SlotHolder):
    """variable := variable - what `update_step` makes of its gradient

    A subclass writes `update_step`, and `build` where it remembers something for each
    variable, as in the example.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        weight_decay: the share of a variable, times the learning rate, that is taken
            off in each step.
        clipnorm: the largest norm that the gradient of one variable may have.
        clipvalue: the largest size that an element of a gradient may have.
        global_clipnorm: the largest norm that all gradients together may have.
        use_ema: whether the average of each variable over the steps replaces it when
            training ends.
        ema_momentum: the share of the old average in the new one.
        ema_overwrite_frequency: replace the variables after so many steps as well.
        loss_scale_factor: by how much `scale_loss` multiplies the loss; gradients are
            divided by it.
        gradient_accumulation_steps: take one step for so many gradients, with their
            mean.
        name: part of the names of the optimizer's variables.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    >>> import deepneuron as dn
    >>> class SignDescent(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * dn.ops.sign(gradient))
    >>> w = dn.Variable([1.0, 2.0])
    >>> SignDescent(learning_rate=0.5).apply([[3.0, -4.0]], [w])
    >>> w.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._excluded: tuple[frozenset[Variable], str] = frozenset(), ""
        self._shared: dict[Hashable, Any] | None = None
        self._rule_decays = False

        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                "The argument `decay` is no longer supported and will be ignored; use "
                "a schedule (deepneuron.optimizers.schedules).",
                stacklevel=3,
            )
        if kwargs:
            raise ArgumentError(
                f"{type(self).__name__} does not know the argument(s) "
                f"{', '.join(map(repr, kwargs))}."
            )
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_arguments()

        self._iterations = self._new((), 0, "int32", "iteration")
        if not callable(learning_rate):
            rate = float(_number(learning_rate))
            learning_rate = self._new((), rate, None, "learning_rate")
        self._learning_rate = learning_rate

    def _check_arguments(self) -> None:
        clips = {
            key: getattr(self, key)
            for key in ("clipnorm", "clipvalue", "global_clipnorm")
        }
        if sum(value is not None for value in clips.values()) > 1:
            listed = ", ".join(f"{key}={value}" for key, value in clips.items())
            raise ArgumentError(
                "Only one of clipnorm, clipvalue and global_clipnorm can be set; "
                f"received {listed}."
            )
        steps = self.gradient_accumulation_steps
        if steps and not (isinstance(steps, int) and steps >= 2):
            raise ArgumentError(
                "gradient_accumulation_steps must be an integer of at least 2; "
                f"received {steps!r}."
            )
        if not self.use_ema:
            return
        if not 0 <= self.ema_momentum <= 1:
            raise ArgumentError(
                "ema_momentum must lie between 0 and 1; received "
                f"{self.ema_momentum!r}."
            )
        every = self.ema_overwrite_frequency
        if every and not (isinstance(every, int) and every >= 1):
            raise ArgumentError(
                "ema_overwrite_frequency must be a positive integer or None; received "
                f"{every!r}."
            )

    # --- the learning rate

    @property
    def iterations(self) -> Any:
        """How many steps were taken."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The Variable that holds it; with a schedule, its value at this step.

        Assign a number, and the next step uses it.
        """
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations)
        return rate if isinstance(rate, Variable) else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if callable(learning_rate):
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(_number(learning_rate))
        else:
            raise DTypeError(
                f"The learning rate of {self.name!r} follows "
                f"{type(self._learning_rate).__name__}, so it cannot be set to "
                f"{learning_rate!r}. Make the optimizer with a number as its "
                "learning_rate, or assign another schedule."
            )

    # --- one step

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Take one step.

        Args:
            grads: the gradient of each variable, of its shape. None where the loss does
                not depend on a variable.
            trainable_variables: the variables; those that `build` was given by default.

        Raises:
            ArgumentError: another number of gradients, or all of them are None.
            ShapeError: a gradient that has not the shape of its variable.
            NotBuiltError: neither `build` was called nor variables given.
        """
        self._check_ready()
        grads = list(grads)
        if not grads:
            return
        variables = self._variables_for(grads, trainable_variables)
        with scope.name_scope(self.name):
            grads, variables = self._present(grads, variables)
            grads = [
                self._prepared(g, v) for g, v in zip(grads, variables, strict=True)
            ]
            if self.gradient_accumulation_steps:
                self._accumulate(grads, variables)
            else:
                self._update(grads, variables)
            if self.use_ema:
                self._average()
            for v in variables:
                if v.constraint is not None:
                    v.assign(v.constraint(v))
            self._iterations.assign_add(1)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """`apply`, for an iterable of (gradient, variable) pairs.

        Returns:
            The number of steps that were taken.
        """
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """The rule itself, for one variable; a subclass writes it.

        Args:
            gradient: of the variable's shape, clipped already.
            variable: what to change, with `self.assign`.
            learning_rate: a number without axes.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must write update_step(self, gradient, variable, "
            "learning_rate)."
        )

    def assign(self, variable: Variable, value: Any) -> None:
        """variable := value"""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """variable := variable + value"""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """variable := variable - value"""
        variable.assign_sub(value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss, multiplied by loss_scale_factor if there is one."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """After training: variables become their moving averages (if `use_ema`)."""
        if self.use_ema:
            for v in var_list:
                if v in self._slots.get("average", {}):
                    v.assign(self.slot("average", v))

    def shared(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What all variables have in common in one step: made once, by the first."""
        if self._shared is None:  # update_step was called from outside of a step
            return make()
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def rate(self, learning_rate: Any, dtype: str) -> Any:
        """The learning rate in a variable's type, one tensor for all variables."""

        def make() -> Any:
            if isinstance(learning_rate, Tensor):
                same = learning_rate.dtype == dtype
                return learning_rate if same else ops.cast(learning_rate, dtype)
            number = np.asarray(learning_rate, dtype)
            return as_tensor(number) if scope.capturing() else number

        return self.shared(("rate", dtype), make)

    def decay_of(self, variable: Variable) -> float:
        """The weight decay that the rule itself has to apply to a variable."""
        decays = self._rule_decays and self._use_weight_decay(variable)
        return float(self.weight_decay or 0.0) if decays else 0.0

    def _variables_for(self, grads: list[Any], variables: Any) -> list[Variable]:
        if variables is None:
            if not self.built:
                raise NotBuiltError(
                    f"Optimizer {self.name!r} does not know the variables of these "
                    "gradients: call build(variables), or apply(grads, variables)."
                )
            variables = self._trainable_variables
        else:
            variables = list(variables)
            if not self.built:
                self.build(variables)
            unknown = [v for v in variables if v not in self._positions]
            # A build that somebody else wrote may not know how to add to its lists.
            if unknown and type(self).build is not Optimizer.build:
                raise ArgumentError(
                    f"Unknown variable {unknown[0].path!r}: {type(self).__name__} was "
                    f"built for {len(self._positions)} others. Make a new optimizer."
                )
            if unknown:
                self.build(variables)
        if len(grads) != len(variables):
            raise ArgumentError(
                f"There are {len(grads)} gradients for {len(variables)} variables."
            )
        return list(variables)

    def _present(
        self, grads: list[Any], variables: list[Variable]
    ) -> tuple[list[Any], list[Variable]]:
        """Without the variables that the loss does not depend on."""
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if len(missing) == len(grads):
            raise ArgumentError(
                "No gradients provided for any variable: the loss does not depend on "
                f"{', '.join(missing)}."
            )
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the "
                "loss. If using `model.compile()`, did you forget to provide a `loss` "
                "argument?",
                stacklevel=3,
            )
        pairs = zip(grads, variables, strict=True)
        present = [(g, v) for g, v in pairs if g is not None]
        return [g for g, _ in present], [v for _, v in present]

    def _prepared(self, gradient: Any, variable: Variable) -> Any:
        gradient = ops.convert_to_tensor(gradient, variable.dtype)
        if tuple(gradient.shape) != variable.shape:
            raise ShapeError(
                f"Variable {variable.path!r} has shape {variable.shape}, but its "
                f"gradient has shape {tuple(gradient.shape)}."
            )
        scale = self.loss_scale_factor
        return gradient if scale is None else ops.divide(gradient, scale)

    def _update(self, grads: list[Any], variables: list[Variable]) -> None:
        grads = clip(grads, self.clipnorm, self.clipvalue, self.global_clipnorm)
        rate = self.learning_rate
        rule_decays = getattr(type(self).update_step, "decays_weights", False)
        if not rule_decays:
            self._apply_weight_decay(variables, rate)
        self._rule_decays, self._shared = rule_decays, {}
        try:
            self.update_steps(grads, variables, rate)
        finally:
            self._rule_decays, self._shared = False, None

    def update_steps(
        self, grads: list[Any], variables: list[Variable], learning_rate: Any
    ) -> None:
        """The rule for one variable after the other."""
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def _accumulate(self, grads: list[Any], variables: list[Variable]) -> None:
        """Work out the whole step, and keep it only if it is due."""
        steps = self.gradient_accumulation_steps
        due = ops.equal(ops.mod(ops.add(self._iterations, 1), steps), 0)
        sums = [self.slot("gradient_accumulator", v) for v in variables]
        totals = [g + total for g, total in zip(grads, sums, strict=True)]
        names = [name for group in self.slots() for name in group]
        slots = [self.slot(name, v) for v in variables for name in names]
        changing = [*variables, *slots, *self._own]
        before = [ops.stop_gradient(v) for v in changing]  # a copy of what it was
        self._update([total / steps for total in totals], variables)
        for v, old in zip(changing, before, strict=True):
            v.assign(ops.where(due, v, old))
        for accumulator, total in zip(sums, totals, strict=True):
            accumulator.assign(ops.where(due, ops.cast(0, total.dtype), total))

    def _average(self) -> None:
        """The moving average of every variable, and every now and then its use."""
        started = ops.not_equal(self.iterations, 0)
        every = self.ema_overwrite_frequency
        due = every and ops.equal(ops.mod(self.iterations + 1, every), 0)
        for v in self._trainable_variables:
            average = self.slot("average", v)
            momentum = ops.cast(started, v.dtype) * self.ema_momentum
            average.assign(moving_average(average, v, momentum))
            if every:
                v.assign(ops.where(due, average, v))

    # --- weight decay

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[Variable] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Choose variables that do not decay; call it before training.

        Args:
            var_list: variables.
            var_names: words (regular expressions) that the names of variables contain,
                such as ["bias"].
        """
        pattern = "|".join(sorted(set(var_names or ())))
        self._excluded = frozenset(var_list or ()), pattern

    def _use_weight_decay(self, variable: Variable) -> bool:
        excluded, pattern = self._excluded
        by_name = bool(pattern) and re.search(pattern, variable.name or "") is not None
        return variable not in excluded and not by_name

    def _apply_weight_decay(self, variables: list[Variable], rate: Any) -> None:
        if self.weight_decay is None:
            return
        for v in variables:
            if self._use_weight_decay(v):
                decay = ops.cast(rate, v.dtype) * self.weight_decay
                v.assign(v - v * decay)

    # --- configuration and state

    def plan_key(self) -> Hashable:
        """Whatever a captured step depends on; it changes if a setting was changed."""
        plain = (bool, int, float, str, type(None))
        settings = [(k, v) for k, v in vars(self).items() if isinstance(v, plain)]
        return self, self._learning_rate, self._excluded, tuple(settings)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer (without its state)."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        else:
            rate = serialization.serialize(rate)
        return {
            "name": self.name,
            "learning_rate": rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """The optimizer that `get_config` described."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            rate = serialization.deserialize(config["learning_rate"], custom_objects)
            config["learning_rate"] = rate
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name!r}>"


def decays_weights(update_step: Any) -> Any:
    """Decorator: this rule applies the weight decay itself, by `decay_of`."""
    update_step.decays_weights = True
    return update_step


def _number(learning_rate: Any) -> Any:
    number = isinstance(learning_rate, Real) and not isinstance(learning_rate, bool)
    has_one = hasattr(learning_rate, "dtype") and tuple(learning_rate.shape) == ()
    if not (number or has_one):
        raise ArgumentError(
            "learning_rate must be a number, a LearningRateSchedule or a function "
            f"without arguments; received {learning_rate!r}."
        )
    return learning_rate
