"""RMSprop: gradients, divided by their recent size."""

from __future__ import annotations

from typing import Any

from deepneuron.ops import (
    centered_rmsprop_momentum_update,
    centered_rmsprop_update,
    rmsprop_momentum_update,
    rmsprop_update,
)
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class

_UPDATES: dict[tuple[bool, bool], Any] = {  # (centered, with momentum)
    (False, False): rmsprop_update,
    (False, True): rmsprop_momentum_update,
    (True, False): centered_rmsprop_update,
    (True, True): centered_rmsprop_momentum_update,
}


@keras_class("keras.optimizers")
class RMSprop(Optimizer):
    """v := rho v + (1 - rho) g^2
    w := w - learning_rate * g / sqrt(v + epsilon)

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        rho: how much of the average of the squares stays in each step.
        momentum: how much of the last step stays in the next.
        epsilon: keeps the quotient finite.
        centered: divide by the standard deviation of the gradients instead.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Hinton, Neural networks for machine learning, lecture 6e (2012).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> RMSprop(learning_rate=0.1).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.684, 2.316], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def slots(self) -> list[dict[str, float]]:
        names = ["velocity"]
        names += ["momentum"] if self.momentum > 0 else []
        names += ["average_gradient"] if self.centered else []
        return [{name: 0.0} for name in names]

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        moving = self.momentum > 0
        update = _UPDATES[bool(self.centered), moving]
        names = ["velocity"]
        names += ["average_gradient"] if self.centered else []
        names += ["momentum"] if moving else []
        slots = [self.slot(name, variable) for name in names]
        values = update(
            variable,
            gradient,
            *slots,
            self.rate(learning_rate, variable.dtype),
            rho=self.rho,
            epsilon=self.epsilon,
            weight_decay=self.decay_of(variable),
            **({"momentum": self.momentum} if moving else {}),
        )
        for target, value in zip([variable, *slots], values, strict=True):
            self.assign(target, value)

    def get_config(self) -> dict[str, Any]:
        own = ("rho", "momentum", "epsilon", "centered")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
