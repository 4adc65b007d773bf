"""AdamW: Adam, with weights that shrink a little in each step."""

from __future__ import annotations

from typing import Any

from deepneuron.errors import ArgumentError
from deepneuron.optimizers.adam import Adam
from deepneuron.serialization import keras_class


@keras_class("keras.optimizers")
class AdamW(Adam):
    """w := (1 - learning_rate * weight_decay) w - (the step of Adam)

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        weight_decay: the share that is taken off, times the learning rate.
        beta_1, beta_2, epsilon, amsgrad: see `Adam`.
        clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name: see `Optimizer`.

    Raises:
        ArgumentError: an argument outside of what is allowed.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization (2017).

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> AdamW(learning_rate=0.1, weight_decay=0.5).apply([[0.5, -4.0]], [w])
    >>> w.numpy().round(3)
    array([0.85, 2.  ], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
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
        if weight_decay is None:
            raise ArgumentError("AdamW needs a number as its weight_decay; use Adam.")
