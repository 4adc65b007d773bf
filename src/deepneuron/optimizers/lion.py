"""Lion: every weight takes a step of the same size."""

from __future__ import annotations

from typing import Any

from deepneuron.errors import ArgumentError
from deepneuron.ops import lion_update
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class Lion(Optimizer):
    """w := w - learning_rate * sign(beta_1 m + (1 - beta_1) g)
    m := beta_2 m + (1 - beta_2) g

    Args:
        learning_rate: a number, a schedule, or a function without arguments; three to
            ten times smaller than for Adam.
        beta_1: the share of the average in the step's direction.
        beta_2: how much of the average stays in each step.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Chen et al., Symbolic discovery of optimization algorithms (2023).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> Lion(learning_rate=0.1).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.9, 2.1], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if not 0 < beta_1 <= 1:
            raise ArgumentError(
                f"beta_1 must be greater than 0, and at most 1; received {beta_1!r}."
            )
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def slots(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0}]

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        momentum = self.slot("momentum", variable)
        w, m = lion_update(
            variable,
            gradient,
            momentum,
            self.rate(learning_rate, variable.dtype),
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            weight_decay=self.decay_of(variable),
        )
        self.assign(momentum, m)
        self.assign(variable, w)

    def get_config(self) -> dict[str, Any]:
        own = ("beta_1", "beta_2")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
