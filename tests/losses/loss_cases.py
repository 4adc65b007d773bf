"""Inputs on which every loss is tested, and compared with Keras."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class LossCase(NamedTuple):
    """A loss, its arguments, and the kind of data that it takes."""

    name: str
    kwargs: dict[str, Any]
    data: str

    def arrays(
        self, seed: int = 0, dtype: str = "float32"
    ) -> tuple[np.ndarray, np.ndarray]:
        """(y_true, y_pred) of shape (6, 4), or (6,) for class numbers."""
        rng = np.random.default_rng(seed)
        normal = rng.normal(size=(6, 4))
        exponentials = np.exp(normal)
        softmax = exponentials / exponentials.sum(-1, keepdims=True)
        labels = rng.integers(0, 4, 6)
        y_true, y_pred = {
            "real": (rng.normal(size=(6, 4)), normal),
            "positive": (rng.uniform(0.5, 2, (6, 4)), rng.uniform(0.5, 2, (6, 4))),
            "signs": (rng.choice([-1.0, 1.0], (6, 4)), 0.9 * np.tanh(normal)),
            "bits": (rng.choice([0.0, 1.0], (6, 4)), 1 / (1 + np.exp(-normal))),
            "bits/logits": (rng.choice([0.0, 1.0], (6, 4)), normal),
            "one-hot": (np.eye(4)[labels], softmax),
            "one-hot/logits": (np.eye(4)[labels], normal),
            "distributions": (rng.dirichlet(np.ones(4), 6), softmax),
            "classes": (labels, softmax),
            "classes/logits": (labels, normal),
            "classes/ignored": (np.where(labels == 2, -1, labels), softmax),
        }[self.data]
        integer = self.data.startswith("classes")
        return y_true.astype("int32" if integer else dtype), y_pred.astype(dtype)

    def __str__(self) -> str:
        arguments = ",".join(f"{k}={v}" for k, v in self.kwargs.items())
        return f"{self.name}({arguments})"


CASES = [
    LossCase("MeanSquaredError", {}, "real"),
    LossCase("MeanAbsoluteError", {}, "real"),
    LossCase("MeanAbsolutePercentageError", {}, "positive"),
    LossCase("MeanSquaredLogarithmicError", {}, "positive"),
    LossCase("Huber", {}, "real"),
    LossCase("Huber", {"delta": 0.4}, "real"),
    LossCase("LogCosh", {}, "real"),
    LossCase("CosineSimilarity", {}, "real"),
    LossCase("CosineSimilarity", {"axis": 0}, "real"),
    LossCase("Poisson", {}, "positive"),
    LossCase("KLDivergence", {}, "distributions"),
    LossCase("Hinge", {}, "signs"),
    LossCase("Hinge", {}, "bits"),
    LossCase("SquaredHinge", {}, "signs"),
    LossCase("CategoricalHinge", {}, "one-hot/logits"),
    LossCase("BinaryCrossentropy", {}, "bits"),
    LossCase("BinaryCrossentropy", {"from_logits": True}, "bits/logits"),
    LossCase("BinaryCrossentropy", {"label_smoothing": 0.1}, "bits"),
    LossCase("BinaryCrossentropy", {"axis": 0}, "bits"),
    LossCase("BinaryFocalCrossentropy", {}, "bits"),
    LossCase(
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5},
        "bits",
    ),
    LossCase("BinaryFocalCrossentropy", {"from_logits": True}, "bits/logits"),
    LossCase("CategoricalCrossentropy", {}, "one-hot"),
    LossCase("CategoricalCrossentropy", {"from_logits": True}, "one-hot/logits"),
    LossCase("CategoricalCrossentropy", {"label_smoothing": 0.2}, "one-hot"),
    LossCase("CategoricalCrossentropy", {}, "distributions"),
    LossCase("CategoricalFocalCrossentropy", {}, "one-hot"),
    LossCase("CategoricalFocalCrossentropy", {"from_logits": True}, "one-hot/logits"),
    LossCase("SparseCategoricalCrossentropy", {}, "classes"),
    LossCase("SparseCategoricalCrossentropy", {"from_logits": True}, "classes/logits"),
    LossCase("SparseCategoricalCrossentropy", {"ignore_class": -1}, "classes/ignored"),
    LossCase("SparseCategoricalCrossentropy", {"ignore_class": 1}, "classes"),
]

OURS = LossCase("SumOfSquaredErrors", {}, "real")
