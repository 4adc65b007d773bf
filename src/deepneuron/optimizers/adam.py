"""Adam: momentum, and a step size for every weight."""

from __future__ import annotations

from typing import Any

from deepneuron.ops import adam_step_size, adam_update, amsgrad_update
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class Adam(Optimizer):
    """m := beta_1 m + (1 - beta_1) g,  v := beta_2 v + (1 - beta_2) g^2
    w := w - learning_rate * m^ / (sqrt(v^) + epsilon)

    m^ and v^ make up for averages that begin at zero.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: how much of the average of the gradients stays in each step.
        beta_2: how much of the average of their squares stays.
        epsilon: keeps the quotient finite.
        amsgrad: divide by the largest v so far.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Kingma and Ba, Adam: a method for stochastic optimization (2014); Reddi et
    al., On the convergence of Adam and beyond (2018).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> Adam(learning_rate=0.1).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.9, 2.1], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def slots(self) -> list[dict[str, float]]:
        averages = {"momentum": 0.0, "velocity": 0.0}
        return [averages, {"velocity_hat": 0.0}] if self.amsgrad else [averages]

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = self.rate(learning_rate, variable.dtype)
        betas = {"beta_1": self.beta_1, "beta_2": self.beta_2}
        step = self.shared(
            ("step", variable.dtype),
            lambda: adam_step_size(self.iterations, rate, **betas),
        )
        names = ["momentum", "velocity", "velocity_hat"][: 3 if self.amsgrad else 2]
        slots = [self.slot(name, variable) for name in names]
        update = amsgrad_update if self.amsgrad else adam_update
        values = update(
            variable,
            gradient,
            *slots,
            rate,
            step,
            **betas,
            epsilon=self.epsilon,
            weight_decay=self.decay_of(variable),
        )
        for target, value in zip([variable, *slots], values, strict=True):
            self.assign(target, value)

    def get_config(self) -> dict[str, Any]:
        own = ("beta_1", "beta_2", "epsilon", "amsgrad")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
