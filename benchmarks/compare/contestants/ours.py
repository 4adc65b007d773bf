"""deepneuron, with the kernels that DEEPNEURON_KERNELS names."""

from __future__ import annotations

import time
from importlib.util import find_spec

import numpy as np

from benchmarks.compare.cases import Task
from benchmarks.compare.contestants import AbsentError
from benchmarks.compare.contestants.keras_api import KerasLearner
from benchmarks.compare.network import DepthwiseConv


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

    (kernels,) = variant
    if kernels == "native" and not _has_native():
        raise AbsentError("the extension deepneuron.kernels.native is not built here")
    if any(isinstance(part, DepthwiseConv) for part in task.case.network) and not (
        hasattr(deepneuron.layers, "DepthwiseConv2D")
    ):
        raise AbsentError("deepneuron.layers has no DepthwiseConv2D yet")
    return OurLearner(deepneuron, task)


def _has_native() -> bool:
    """Whether the compiled kernels are there, and the setting that chooses them."""
    import deepneuron

    if not hasattr(deepneuron.config, "kernels"):
        return False
    try:
        return find_spec("deepneuron.kernels.native._native") is not None
    except ModuleNotFoundError:
        return False
