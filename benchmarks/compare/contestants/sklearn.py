"""scikit-learn's multi-layer perceptrons, through `partial_fit`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.compare.cases import LEARNING_RATE, Task


class SklearnLearner:
    def __init__(self, task: Task) -> None:
        case = task.case
        kind = MLPRegressor if case.loss == "mse" else MLPClassifier
        self.classes = None if case.loss == "mse" else np.arange(case.outputs)
        self.model = kind(
            hidden_layer_sizes=[part.units for part in case.network[:-1]],  # type: ignore[union-attr]
            activation="relu",
            solver=case.optimizer,
            learning_rate_init=LEARNING_RATE[case.optimizer],
            alpha=0.0,
            batch_size=case.batch,
            shuffle=False,
            momentum=0.0,
            nesterovs_momentum=False,
            epsilon=1e-7,
        )
        # It draws its weights in the first step, so this step is taken and forgotten.
        self._fit(*self.ready(*task.batches(0, 1)))
        kernels = [own["kernel"] for own in task.weights]
        if case.loss != "mse" and case.outputs == 2:
            # Two classes have one output here: the difference of the two logits.
            kernels[-1] = kernels[-1][:, 1:] - kernels[-1][:, :1]
        for i, kernel in enumerate(kernels):
            self.model.coefs_[i] = kernel.copy()
            self.model.intercepts_[i] = np.zeros(kernel.shape[1], "float32")
        del self.model._optimizer

    def ready(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x, y.ravel()

    def fit(self, x: np.ndarray, y: np.ndarray) -> float:
        self._fit(x, y)
        # Its squared error is halved.
        return float(self.model.loss_) * (2 if self.classes is None else 1)

    def _fit(self, x: np.ndarray, y: np.ndarray) -> None:
        more: dict[str, Any] = {} if self.classes is None else {"classes": self.classes}
        self.model.partial_fit(x, y, **more)

    def predict(self, x: np.ndarray) -> np.ndarray:
        if self.classes is None:
            return self.model.predict(x)
        return self.model.predict_proba(x)


def build(task: Task, variant: tuple[str, ...]) -> SklearnLearner:
    return SklearnLearner(task)
