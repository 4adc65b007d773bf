"""Adagrad: weights that were often changed change less."""

from __future__ import annotations

from typing import Any

from deepneuron.ops import adagrad_update
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class Adagrad(Optimizer):
    """v := v + g^2
    w := w - learning_rate * g / sqrt(v + epsilon)

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        initial_accumulator_value: the v to begin with.
        epsilon: keeps the quotient finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Duchi et al., Adaptive subgradient methods (2011).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> Adagrad(learning_rate=0.1).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.915, 2.1  ], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def slots(self) -> list[dict[str, float]]:
        return [{"accumulator": self.initial_accumulator_value}]

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        accumulator = self.slot("accumulator", variable)
        w, v = adagrad_update(
            variable,
            gradient,
            accumulator,
            self.rate(learning_rate, variable.dtype),
            epsilon=self.epsilon,
            weight_decay=self.decay_of(variable),
        )
        self.assign(accumulator, v)
        self.assign(variable, w)

    def get_config(self) -> dict[str, Any]:
        own = ("initial_accumulator_value", "epsilon")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
