"""Many steps at once: an epoch without Python between its batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from deepneuron.callbacks import CallbackList
from deepneuron.engine.capture import Function
from deepneuron.engine.nest import pack
from deepneuron.training.data import ArrayData

_STRETCH = 0.05  # seconds at once; then a progress bar, or Ctrl-C, has its turn


def many_steps(
    prepare: Callable[[Any], Function], kind: str, data: Any, callbacks: CallbackList
) -> Any:
    """The logs of an epoch whose steps are made many at a time, or None.

    That needs arrays, kernels that can do it, and callbacks that need not hear of every
    batch. They hear of one now and then.

    Args:
        prepare: returns the function of a step, ready for such a batch.
        kind: "train" or "test".
        data: what the epoch goes through.
        callbacks: are told, now and then, of the last batch.
    """
    if callbacks.wants_every_batch(kind):
        return None
    if not isinstance(data, ArrayData) or data.steps:
        return None
    rows, logs = min(data.batch_size, data.samples), None
    function = prepare(pack(data.structure, [x[:rows] for x in data.arrays]))
    if function.many(data.arrays, data.structure, rows) is None:
        return None

    def one_step(numbers: Any) -> Any:
        batch = [x[numbers] for x in data.arrays]
        return function(pack(data.structure, batch))

    order = data.epoch_order()
    full = data.samples - data.samples % rows
    tell = getattr(callbacks, f"on_{kind}_batch_end")
    start, steps = 0, 1
    while start < data.samples:
        if start == full:
            rows, steps = data.samples - full, 1
        # The plan of the last, smaller batch may need Python in between.
        run = function.many(data.arrays, data.structure, rows) or one_step
        end = min(start + steps * rows, full if start < full else data.samples)
        began = time.perf_counter()
        logs = run(order[start:end])
        seconds = (time.perf_counter() - began) / max((end - start) // rows, 1)
        steps = max(1, int(_STRETCH / max(seconds, 1e-7)))
        start = end
        tell(-(-start // data.batch_size) - 1, logs)
    return logs
