"""Metrics inside of a captured step, metrics of one's own, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from deepneuron import metrics, ops
from deepneuron.engine.capture import Function, capture
from deepneuron.errors import ArgumentError, ShapeError, UnknownNameError
from tests.metrics.metric_cases import CASES


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_planned_equals_eager(case, weighted):
    eager, planned = (getattr(metrics, case.name)(**case.kwargs) for _ in range(2))
    weight = (np.linspace(0, 1, 6, dtype="float32"),) if weighted else ()
    planned.update_state(*case.arrays())  # makes variables, as building a model does
    planned.reset_state()

    def step(*batch):
        planned.update_state(*batch)
        return planned.result()

    function = Function(step)
    for seed in range(2):
        eager.update_state(*case.arrays(seed), *weight)
        y = function(*case.arrays(seed), *weight)
        np.testing.assert_allclose(y, eager.result(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(planned.result(), eager.result(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_float32_plan_holds_no_float64(case):
    metric = getattr(metrics, case.name)(**case.kwargs)
    metric.update_state(*case.arrays())

    def step(*batch):
        metric.update_state(*batch)
        return metric.result()

    graph, _ = capture(step, *case.arrays())
    assert all(t.dtype != "float64" for t in graph.tensors())


@pytest.mark.parametrize(
    ("name", "data"), [("SparseCategoricalAccuracy", 3), ("MeanAbsoluteError", 2)]
)
def test_the_common_metrics_are_a_handful_of_operations(name, data):
    case = next(c for c in CASES if c.name == name)
    metric = getattr(metrics, name)()
    graph, _ = capture(metric.update_state, *case.arrays())
    assert len(graph.nodes) <= 4 + data


def test_float64():
    metric = metrics.Mean(dtype="float64")
    metric.update_state(np.array([0.1, 0.2]))
    assert metric.result() == (0.1 + 0.2) / 2
    assert metric.get_config()["dtype"] == "float64"


class Worst(metrics.Metric):
    def __init__(self, name="worst", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.error = self.add_weight(name="error")
        self.seen = metrics.Sum(name="seen")

    def update_state(self, y_true, y_pred, sample_weight=None):
        worst = ops.max(ops.abs(y_true - y_pred))
        self.error.assign(ops.maximum(self.error, worst))
        self.seen.update_state(ops.abs(y_true - y_pred))

    def result(self):
        return {"worst": self.error.value, "sum": self.seen.result()}


def test_a_metric_of_ones_own_with_a_metric_inside():
    metric = Worst()
    result = metric(np.array([1.0, 2.0], "float32"), np.array([1.0, 5.0], "float32"))
    assert result == {"worst": 3.0, "sum": 3.0}
    assert [v.path for v in metric.variables] == ["worst/error", "seen/total"]
    metric.reset_state()
    assert metric.result() == {"worst": 0.0, "sum": 0.0}


def test_names_are_numbered():
    from deepneuron.naming import reset_names

    reset_names()
    names = [metrics.Precision().name for _ in range(2)]
    assert names == ["precision", "precision_1"]


def test_forgotten_super():
    class Wrong(metrics.Metric):
        def __init__(self):
            self.total = self.add_weight()

    with pytest.raises(ArgumentError, match="super"):
        Wrong()


def test_unknown_names_offer_near_ones():
    with pytest.raises(UnknownNameError, match="precision"):
        metrics.get("precison")


def test_what_a_metric_must_write():
    with pytest.raises(NotImplementedError, match="def update_state"):
        metrics.Metric().update_state(1)
    with pytest.raises(NotImplementedError, match="def result"):
        metrics.Metric().result()


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), "1.5"),
        (lambda: metrics.AUC(curve="DET"), "DET"),
        (lambda: metrics.AUC(summation_method="best"), "best"),
        (lambda: metrics.AUC(num_thresholds=1), "received 1"),
        (lambda: metrics.AUC(num_labels=3), "multi_label"),
        (lambda: metrics.F1Score(average="mean"), "mean"),
        (lambda: metrics.FBetaScore(beta=1), "beta"),
        (lambda: metrics.F1Score(threshold=1.5), "1.5"),
        (lambda: metrics.R2Score(class_aggregation="sum"), "sum"),
        (lambda: metrics.R2Score(num_regressors=-1), "-1"),
    ],
)
def test_arguments_outside_of_what_is_allowed(make, word):
    with pytest.raises(ArgumentError, match=word):
        make()


@pytest.mark.parametrize(
    ("name", "true", "pred", "word"),
    [
        ("SparseCategoricalAccuracy", (4, 3), (4, 3), "without `sparse`"),
        ("CategoricalAccuracy", (4,), (4, 3), "with `sparse`"),
        ("CategoricalAccuracy", (4, 2), (4, 3), r"\(4, 3\) is needed"),
        ("Precision", (4,), (4, 3), "to_categorical"),
        ("F1Score", (4,), (4, 3), r"\(batch, classes\)"),
        ("R2Score", (4, 2), (4, 3), r"\(4, 2\) and \(4, 3\)"),
        ("MeanSquaredError", (4, 2), (4, 3), "number by number"),
    ],
)
def test_shapes_that_do_not_fit(name, true, pred, word):
    with pytest.raises(ShapeError, match=word):
        getattr(metrics, name)().update_state(np.zeros(true), np.zeros(pred))


def test_adjusted_r2_with_too_few_samples_is_the_plain_one():
    y_true, y_pred = np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]])
    plain = metrics.R2Score()(y_true, y_pred)
    assert metrics.R2Score(num_regressors=3)(y_true, y_pred) == plain
