"""Gradient descent, plain or with momentum."""

from __future__ import annotations

from typing import Any

from deepneuron.errors import ArgumentError
from deepneuron.ops import momentum_update, sgd_update
from deepneuron.optimizers.optimizer import Optimizer, decays_weights
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class SGD(Optimizer):
    """w := w - learning_rate * g
    with momentum  m := momentum * m - learning_rate * g,  w := w + m
    (and Nesterov  w := w + momentum * m - learning_rate * g)

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        momentum: between 0 and 1; 0 is plain gradient descent.
        nesterov: look at where the momentum leads.
        weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Sutskever et al., On the importance of initialization and momentum (2013).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> SGD(learning_rate=0.1).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.95, 2.4 ], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ArgumentError(
                f"momentum must lie between 0 and 1; received {momentum!r}."
            )
        self.momentum = momentum
        self.nesterov = nesterov

    def slots(self) -> list[dict[str, float]]:
        return [{"momentum": 0.0}] if self.momentum != 0 else []

    @decays_weights
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = self.rate(learning_rate, variable.dtype)
        decay = self.decay_of(variable)
        if self.momentum == 0:
            w = sgd_update(variable, gradient, rate, weight_decay=decay)
        else:
            moment = self.slot("momentum", variable)
            w, m = momentum_update(
                variable,
                gradient,
                moment,
                rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                weight_decay=decay,
            )
            self.assign(moment, m)
        self.assign(variable, w)

    def get_config(self) -> dict[str, Any]:
        own = ("momentum", "nesterov")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}
