"""deepneuron, with the kernels that DEEPNEURON_KERNELS names."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.compare.cases import Task
from benchmarks.compare.contestants import AbsentError
from benchmarks.compare.contestants.keras_api import KerasLearner


class OurLearner(KerasLearner):
    def bare_steps(self, x: np.ndarray, y: np.ndarray) -> float:
        """The seconds of the engine's steps alone: batches are cut beforehand."""
        n = self.batch
        batches = [(x[i : i + n], y[i : i + n], None) for i in range(0, len(x), n)]
        step = self.model._function("train", self.model.train_step)
        began = time.perf_counter()
        for batch in batches:
            step(batch)
        return time.perf_counter() - began


def build(task: Task, variant: tuple[str, ...]) -> OurLearner:
    import deepneuron
    from deepneuron.errors import KernelsError

    (asked,) = variant
    try:
        kernels = deepneuron.config.kernels()
    except KernelsError as error:
        raise AbsentError(str(error)) from error
    if kernels != asked:
        raise AbsentError(f"{asked} kernels were asked for, {kernels} would compute")
    return OurLearner(deepneuron, task)
