"""Inputs on which every metric is tested, and compared with Keras."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.losses.loss_cases import LossCase


class MetricCase(NamedTuple):
    """A metric, its arguments, and the kind of data that it takes."""

    name: str
    kwargs: dict[str, Any]
    data: str

    def arrays(self, seed: int = 0) -> tuple[np.ndarray, ...]:
        """What `update_state` takes, without weights; 6 samples."""
        rng = np.random.default_rng(seed)
        if self.data == "values":
            return (rng.normal(size=6).astype("float32"),)
        if self.data == "column":
            y_true = rng.integers(0, 2, (6, 1)).astype("float32")
            return y_true, rng.uniform(size=(6, 1)).astype("float32")
        if self.data == "flat":
            y_true = rng.integers(0, 2, 6).astype("float32")
            return y_true, rng.uniform(size=6).astype("float32")
        if self.data == "coarse":  # many predictions lie on a threshold
            y_true = rng.integers(0, 2, 6).astype("float32")
            return y_true, (rng.integers(0, 11, 6) / 10).astype("float32")
        if self.data == "equal":
            return tuple(rng.integers(0, 3, (2, 6)).astype("float32"))
        if self.data == "sorted":
            y_pred = np.stack([rng.permutation(4) for _ in range(6)])
            return rng.integers(0, 4, 6).astype("int32"), y_pred.astype("float32")
        return LossCase(self.name, self.kwargs, self.data).arrays(seed)

    def __str__(self) -> str:
        arguments = ",".join(f"{k}={v}" for k, v in self.kwargs.items())
        return f"{self.name}({arguments};{self.data})"


THRESHOLDS = [0.2, 0.5, 0.9]
COUNTS = ["TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"]

CASES = [
    MetricCase("Mean", {}, "values"),
    MetricCase("Sum", {}, "values"),
    MetricCase("Accuracy", {}, "equal"),
    MetricCase("BinaryAccuracy", {}, "column"),
    MetricCase("BinaryAccuracy", {"threshold": 0.3}, "bits"),
    MetricCase("CategoricalAccuracy", {}, "one-hot"),
    MetricCase("SparseCategoricalAccuracy", {}, "classes"),
    MetricCase("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    MetricCase("SparseTopKCategoricalAccuracy", {"k": 2}, "classes"),
    MetricCase(
        "SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "sorted"
    ),
    *(
        MetricCase(name, kwargs, data)
        for name in COUNTS
        for kwargs, data in (
            ({}, "column"),
            ({"thresholds": THRESHOLDS}, "bits"),
            ({"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, "flat"),
        )
    ),
    *(
        MetricCase(name, kwargs, data)
        for name in ("Precision", "Recall")
        for kwargs, data in (
            ({}, "flat"),
            ({}, "column"),
            ({"thresholds": 0.3}, "bits"),
            ({"thresholds": THRESHOLDS}, "bits"),
            ({"top_k": 2}, "one-hot"),
            ({"class_id": 1}, "one-hot"),
            ({"top_k": 2, "class_id": 1}, "one-hot"),
            ({"thresholds": [0.0, 0.5, 1.0]}, "flat"),
        )
    ),
    MetricCase("AUC", {}, "flat"),
    MetricCase("AUC", {}, "bits"),
    MetricCase("AUC", {"num_thresholds": 11}, "coarse"),
    MetricCase("AUC", {"num_thresholds": 2}, "flat"),
    MetricCase("AUC", {"from_logits": True}, "bits/logits"),
    MetricCase("AUC", {"thresholds": THRESHOLDS}, "flat"),
    MetricCase("AUC", {"multi_label": True}, "bits"),
    MetricCase("AUC", {"multi_label": True, "num_labels": 4}, "bits"),
    MetricCase("AUC", {"multi_label": True, "thresholds": THRESHOLDS}, "bits"),
    MetricCase(
        "AUC", {"multi_label": True, "label_weights": [0.1, 0.2, 0.3, 0.4]}, "bits"
    ),
    MetricCase("AUC", {"label_weights": [0.1, 0.2, 0.3, 0.4]}, "bits"),
    *(
        MetricCase("AUC", {"curve": curve, "summation_method": method}, "bits")
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    MetricCase("AUC", {"curve": "PR", "multi_label": True}, "bits"),
    *(
        MetricCase("F1Score", {"average": average, "threshold": threshold}, "bits")
        for average in (None, "micro", "macro", "weighted")
        for threshold in (None, 0.4)
    ),
    MetricCase("FBetaScore", {"beta": 2.0, "average": "macro"}, "one-hot"),
    MetricCase("MeanSquaredError", {}, "real"),
    MetricCase("MeanAbsoluteError", {}, "real"),
    MetricCase("MeanAbsolutePercentageError", {}, "positive"),
    MetricCase("MeanSquaredLogarithmicError", {}, "positive"),
    MetricCase("RootMeanSquaredError", {}, "real"),
    MetricCase("LogCoshError", {}, "real"),
    MetricCase("CosineSimilarity", {}, "real"),
    MetricCase("R2Score", {}, "real"),
    MetricCase("R2Score", {"class_aggregation": None}, "real"),
    MetricCase("R2Score", {"class_aggregation": "variance_weighted_average"}, "real"),
    MetricCase("R2Score", {"num_regressors": 2}, "real"),
    MetricCase("Hinge", {}, "signs"),
    MetricCase("SquaredHinge", {}, "signs"),
    MetricCase("CategoricalHinge", {}, "one-hot/logits"),
    MetricCase("KLDivergence", {}, "distributions"),
    MetricCase("Poisson", {}, "positive"),
    MetricCase("BinaryCrossentropy", {}, "bits"),
    MetricCase("BinaryCrossentropy", {"from_logits": True}, "bits/logits"),
    MetricCase("CategoricalCrossentropy", {}, "one-hot"),
    MetricCase("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one-hot"),
    MetricCase("SparseCategoricalCrossentropy", {}, "classes"),
    MetricCase(
        "SparseCategoricalCrossentropy", {"ignore_class": -1}, "classes/ignored"
    ),
]
