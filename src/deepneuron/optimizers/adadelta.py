"""Adadelta: steps in the units of the weights."""

from __future__ import annotations

from typing import Any

from deepneuron.ops import adadelta_update
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class Adadelta(Optimizer):
    """v := rho v + (1 - rho) g^2,  s = g sqrt(d + epsilon) / sqrt(v + epsilon)
    d := rho d + (1 - rho) s^2,  w := w - learning_rate * s

    Args:
        learning_rate: a number, a schedule, or a function without arguments; the paper
            has 1.0.
        rho: how much of both averages stays in each step.
        epsilon: keeps the quotient finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Zeiler, Adadelta: an adaptive learning rate method (2012).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> Adadelta(learning_rate=1.0).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.999, 2.001], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon

    def slots(self) -> list[dict[str, float]]:
        return [{"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}]

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        slots = [
            self.slot("accumulated_grad", variable),
            self.slot("accumulated_delta_var", variable),
        ]
        values = adadelta_update(
            variable,
            gradient,
            *slots,
            self.rate(learning_rate, variable.dtype),
            rho=self.rho,
            epsilon=self.epsilon,
            weight_decay=self.decay_of(variable),
        )
        for target, value in zip([variable, *slots], values, strict=True):
            self.assign(target, value)

    def get_config(self) -> dict[str, Any]:
        own = ("rho", "epsilon")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
