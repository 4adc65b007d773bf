"""Real Keras, on the backend that KERAS_BACKEND names."""

from __future__ import annotations

from benchmarks.compare.cases import Task
from benchmarks.compare.contestants.keras_api import KerasLearner


def build(task: Task, variant: tuple[str, ...]) -> KerasLearner:
    import keras

    return KerasLearner(keras, task)
