"""TerminateOnNaN: no epoch more once the loss is no number."""

from __future__ import annotations

import math

from deepneuron.callbacks.callback import Callback, Logs
from deepneuron.callbacks.message import say
from deepneuron.errors import DivergenceError


class TerminateOnNaN(Callback):
    """Stops as soon as the loss is NaN or infinite.

    Args:
        raise_error: whether to raise an error instead of stopping quietly.

    Raises:
        DivergenceError: the loss is NaN or infinite, and `raise_error` is set.

    >>> TerminateOnNaN(raise_error=True).on_batch_end(0, {"loss": 0.5})
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise DivergenceError(
                f"The loss is {loss} at batch {batch}, so training cannot go on. A "
                "smaller learning rate, scaled inputs or clipnorm often help."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
