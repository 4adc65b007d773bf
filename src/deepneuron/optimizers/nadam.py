"""Nadam: Adam with Nesterov's look ahead."""

from __future__ import annotations

from typing import Any

from deepneuron import ops
from deepneuron.engine.config import floatx
from deepneuron.engine.variable import Variable
from deepneuron.ops import nadam_update
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class Nadam(Optimizer):
    """m := beta_1 m + (1 - beta_1) g,  v := beta_2 v + (1 - beta_2) g^2
    w := w - learning_rate * (a m + b g) / (sqrt(v / (1 - beta_2^t)) + epsilon)

    With u_t = beta_1 (1 - 0.96^t / 2) and U_t = u_1 u_2 ... u_t the shares are
    a = u_(t+1) / (1 - U_(t+1)) and b = (1 - u_t) / (1 - U_t).

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: how much of the average of the gradients stays in each step.
        beta_2: how much of the average of their squares stays.
        epsilon: keeps the quotient finite.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Dozat, Incorporating Nesterov momentum into Adam (2016).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> Nadam(learning_rate=0.1).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.894, 2.106], dtype=float32)
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
        self._u_product = Variable(1.0, dtype=floatx(), trainable=False)

    def slots(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0, "velocity": 0.0}]

    def update_steps(self, grads: Any, variables: Any, learning_rate: Any) -> None:
        self.assign(self._u_product, self._u_product * self._u(1, floatx()))
        super().update_steps(grads, variables, learning_rate)

    def _u(self, ahead: int, dtype: str) -> Any:
        t = ops.cast(self.iterations + ahead, dtype)
        return self.beta_1 * (1.0 - 0.5 * ops.power(ops.cast(0.96, dtype), t))

    def _shares(self, dtype: str) -> tuple[Any, Any, Any]:
        """a, b and 1 - beta_2^t"""
        now, ahead = self._u(1, dtype), self._u(2, dtype)
        product = ops.cast(self._u_product, dtype)
        t = ops.cast(self.iterations + 1, dtype)
        return (
            ahead / (1 - product * ahead),
            (1 - now) / (1 - product),
            1 - ops.power(ops.cast(self.beta_2, dtype), t),
        )

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dtype = variable.dtype
        slots = [self.slot("momentum", variable), self.slot("velocity", variable)]
        values = nadam_update(
            variable,
            gradient,
            *slots,
            self.rate(learning_rate, dtype),
            *self.shared(("shares", dtype), lambda: self._shares(dtype)),
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
