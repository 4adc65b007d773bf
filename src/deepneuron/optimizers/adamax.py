"""Adamax: Adam with the largest gradient in the place of the mean square."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.ops import adamax_update
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class Adamax(Optimizer):
    """m := beta_1 m + (1 - beta_1) g,  u := max(beta_2 u, |g|)
    w := w - learning_rate / (1 - beta_1^t) * m / (u + epsilon)

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: how much of the average of the gradients stays in each step.
        beta_2: how fast the largest gradient is forgotten.
        epsilon: keeps the quotient finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, section 7 (2014).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> Adamax(learning_rate=0.1).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.9, 2.1], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def slots(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0, "norm": 0.0}]

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        rate = self.rate(learning_rate, dtype)

        def step_size() -> Any:
            t = ops.cast(self.iterations + 1, dtype)
            return rate / (1 - ops.power(ops.cast(self.beta_1, dtype), t))

        slots = [self.slot("momentum", variable), self.slot("norm", variable)]
        values = adamax_update(
            variable,
            gradient,
            *slots,
            rate,
            self.shared(("step", dtype), step_size),
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            weight_decay=self.decay_of(variable),
        )
        for target, value in zip([variable, *slots], values, strict=True):
            self.assign(target, value)

    def get_config(self) -> dict[str, Any]:
        own = ("beta_1", "beta_2", "epsilon")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
