import json
import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.errors import ArgumentError, DivergenceError, ShapeError
from deepneuron.vision.examples import confident_mistakes, least_sure
from deepneuron.vision.scores import losses_of, scores, wilson


def drawn(seed, samples, classes, skill=1.0):
    """Random answers that are right more often than not, and the true labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=samples)
    logits = rng.normal(size=(samples, classes))
    logits[np.arange(samples), y] += skill
    p = np.exp(logits)
    return (p / p.sum(-1, keepdims=True)).astype("float32"), y


def names_of(classes):
    return [f"class {i}" for i in range(classes)]


def has_only_plain_data(value):
    if isinstance(value, dict):
        return all(type(k) is str and has_only_plain_data(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(has_only_plain_data, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or type(value) in (int, str)


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(2, 8))
def test_scores_are_those_of_scikit_learn(seed, samples, classes):
    p, y = drawn(seed, samples, classes)
    answers, labels = p.argmax(-1), list(range(classes))
    s = scores(p, y, names_of(classes))
    p64 = p.astype("float64")
    p64 /= p64.sum(-1, keepdims=True)
    confusion = sklearn.metrics.confusion_matrix(y, answers, labels=labels)
    there = confusion.sum(1) > 0
    recall = np.diag(confusion)[there] / confusion.sum(1)[there]
    expected = {
        "accuracy": sklearn.metrics.accuracy_score(y, answers),
        "balanced_accuracy": recall.mean(),
        "macro_f1": sklearn.metrics.f1_score(y, answers, average="macro"),
        "loss": sklearn.metrics.log_loss(y, p64, labels=labels),
        "brier": sklearn.metrics.brier_score_loss(
            y, p64, labels=labels, scale_by_half=False
        ),
    }
    for name, value in expected.items():
        assert s[name] == pytest.approx(value, abs=1e-6), name
    assert s["confusion"] == confusion.tolist()
    assert set(s["top_k"]) == {str(k) for k in (2, 3, 5) if k < classes}
    for k, share in s["top_k"].items():
        if classes > 2:
            assert share == pytest.approx(
                sklearn.metrics.top_k_accuracy_score(y, p, k=int(k), labels=labels)
            )
    precision, recall, f1, support = sklearn.metrics.precision_recall_fscore_support(
        y, answers, labels=labels, zero_division=np.nan
    )
    for i, one in enumerate(s["classes"]):
        assert one["samples"] == support[i]
        assert one["predicted"] == (answers == i).sum()
        for name, value in (("precision", precision[i]), ("recall", recall[i])):
            assert one[name] == (None if np.isnan(value) else pytest.approx(value))
        if one["f1"] is not None:
            assert one["f1"] == pytest.approx(f1[i])


@pytest.mark.filterwarnings("ignore")  # scikit-learn's, of a class that is absent
def test_balanced_accuracy_is_that_of_scikit_learn():
    p, y = drawn(3, 500, 6)
    s = scores(p, y, names_of(6))
    expected = sklearn.metrics.balanced_accuracy_score(y, p.argmax(-1))
    assert s["balanced_accuracy"] == pytest.approx(expected)


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 12))
def test_scores_are_plain_data_with_ordered_intervals(seed, samples, classes):
    p, y = drawn(seed, samples, classes)
    s = scores(p, y, names_of(classes))
    assert has_only_plain_data(s)
    json.dumps(s, allow_nan=False)
    for name in ("accuracy", "loss", "balanced_accuracy", "macro_f1"):
        low, high = s[f"{name}_interval"]
        assert low <= high
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        low, high = s[f"{name}_interval"]
        assert 0 <= low <= s[name] <= high <= 1
    assert sum(b["samples"] for b in s["calibration"]) == samples
    assert scores(p, y, names_of(classes)) == s


def test_absent_classes_are_null_and_not_counted():
    p = np.array([[0.8, 0.1, 0.1, 0.0], [0.1, 0.2, 0.7, 0.0]])
    s = scores(p, np.array([0, 0]), "abcd")
    a, b, c, d = s["classes"]
    assert (a["precision"], a["recall"]) == (1.0, 0.5)
    assert (b["precision"], b["recall"], b["f1"]) == (None, None, None)
    assert b["recall_interval"] is None
    assert (c["precision"], c["recall"], c["f1"]) == (0.0, None, 0.0)
    assert d["f1"] is None
    assert s["balanced_accuracy"] == 0.5
    assert s["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_calibration_bins_hold_what_they_say():
    p, y = drawn(1, 400, 3)
    confidence, right = p.max(-1).astype("float64"), p.argmax(-1) == y
    s, error = scores(p, y, "abc"), 0.0
    assert len(s["calibration"]) == 15
    for b in s["calibration"]:
        inside = (confidence > b["from"]) & (confidence <= b["to"])
        assert b["samples"] == inside.sum()
        if inside.any():
            assert b["confidence"] == pytest.approx(confidence[inside].mean())
            assert b["accuracy"] == pytest.approx(right[inside].mean())
            error += inside.mean() * abs(right[inside].mean() - b["confidence"])
        else:
            assert b["confidence"] is b["accuracy"] is None
    assert s["calibration_error"] == pytest.approx(error)


def test_a_sure_and_right_classifier_is_perfectly_calibrated():
    s = scores(np.eye(3)[[0, 1, 2, 2]], np.array([0, 1, 2, 2]), "abc")
    assert (s["accuracy"], s["loss"], s["brier"]) == (1, 0, 0)
    assert s["calibration_error"] == 0
    assert s["majority_accuracy"] == 0.5
    assert s["accuracy_interval"][1] == 1.0


def test_an_impossible_answer_costs_no_infinity():
    assert losses_of(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(
        -np.log(1e-7)
    )


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_solves_its_equation(correct, samples):
    correct = min(correct, samples)
    share = correct / samples
    for end in wilson(correct, samples):
        if 0 < end < 1:
            distance = abs(share - end) / math.sqrt(end * (1 - end) / samples)
            assert distance == pytest.approx(1.959964, rel=1e-5)
        else:
            assert share == end


@pytest.mark.parametrize("samples", [20, 100, 1000])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97])
def test_wilson_covers_the_true_share_in_19_of_20_test_sets(samples, share):
    rng = np.random.default_rng(samples)
    inside = []
    for correct in rng.binomial(samples, share, 4000).tolist():
        low, high = wilson(correct, samples)
        inside.append(low <= share <= high)
    # Exactly 95 % is not possible with whole numbers, least of all with few.
    assert (0.86 if samples == 20 else 0.93) <= np.mean(inside) <= 0.99


def test_bootstrapped_intervals_cover_the_true_values():
    """The true values are those of a test set that is very large."""
    whole = scores(*drawn(0, 200_000, 4), "abcd")
    inside = dict.fromkeys(("macro_f1", "balanced_accuracy", "loss"), 0)
    for seed in range(1, 101):
        s = scores(*drawn(seed, 300, 4), "abcd")
        for name in inside:
            low, high = s[f"{name}_interval"]
            inside[name] += low <= whole[name] <= high
    assert all(88 <= times <= 100 for times in inside.values()), inside


def sure(answers, classes):
    return np.eye(classes)[answers]


@pytest.mark.parametrize("samples", [20, 100, 500])
@pytest.mark.parametrize("recall", [(0.98, 0.98), (0.99, 0.9), (0.99, 0.03)])
def test_intervals_of_means_cover_where_a_class_is_nearly_always_right_or_wrong(
    samples, recall
):
    recall = np.array(recall)
    right, wrong = recall / 2, (1 - recall) / 2  # of all, (classes,)
    true = {
        "balanced_accuracy": recall.mean(),
        "macro_f1": (2 * right / (0.5 + right + wrong[::-1])).mean(),
    }
    rng, inside = np.random.default_rng(samples), dict.fromkeys(true, 0)
    for _ in range(100):
        y = rng.integers(2, size=samples)
        y[:2] = 0, 1
        answers = np.where(rng.random(samples) < recall[y], y, 1 - y)
        s = scores(sure(answers, 2), y, "ab")
        for name, value in true.items():
            low, high = s[f"{name}_interval"]
            inside[name] += low <= value <= high
    assert all(times >= 88 for times in inside.values()), inside


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_no_mistake_is_not_taken_for_certainty(classes):
    y = np.arange(100) % classes
    s = scores(sure(y, classes), y, names_of(classes))
    for name in ("balanced_accuracy", "macro_f1"):
        low, high = s[f"{name}_interval"]
        assert high == 1.0
        # Wilson's low end of 100 of 100 is 0.963.
        assert low == pytest.approx(wilson(100, 100)[0], abs=0.03), name


def test_one_answer_to_everything_is_no_certainty_either():
    y = np.arange(100) % 2
    s = scores(sure(np.zeros(100, int), 2), y, "ab")
    low, high = s["balanced_accuracy_interval"]
    assert 0.44 < low < 0.49
    assert 0.51 < high < 0.56
    one = scores(sure(np.zeros(50, int), 2), np.zeros(50, int), "ab")
    assert one["balanced_accuracy_interval"][0] < 0.95


def test_the_bootstrap_of_cells_is_that_of_pictures():
    p, y = drawn(5, 120, 3)
    answers, rng, found = p.argmax(-1), np.random.default_rng(0), []
    for _ in range(400):
        rows = rng.integers(120, size=120)
        found.append(sklearn.metrics.f1_score(y[rows], answers[rows], average="macro"))
    interval = scores(p, y, "abc")["macro_f1_interval"]
    assert interval == pytest.approx(np.quantile(found, (0.025, 0.975)), abs=0.02)


def test_thousands_of_classes_have_scores_but_no_matrix():
    p, y = drawn(0, 300, 3000, skill=3)
    s = scores(p, y, names_of(3000))
    assert s["confusion"] is None
    assert len(s["classes"]) == 3000
    low, high = s["macro_f1_interval"]
    assert 0 < low <= high < 1
    expected = sklearn.metrics.f1_score(y, p.argmax(-1), average="macro")
    assert s["macro_f1"] == pytest.approx(expected)


def test_many_pictures_have_a_normal_interval_of_the_loss():
    p, y = drawn(0, 30_000, 3)
    s = scores(p, y, "abc")
    low, high = s["loss_interval"]
    deviation = losses_of(p, y).std(ddof=1) / math.sqrt(30_000)
    assert high - low == pytest.approx(2 * 1.959964 * deviation)


@pytest.mark.parametrize(
    ("p", "y", "names", "error"),
    [
        (np.zeros((0, 2)), np.zeros(0), "ab", ArgumentError),
        (np.eye(2), np.array([0, 2]), "ab", ArgumentError),
        (np.eye(2), np.array([0, -1]), "ab", ArgumentError),
        (np.eye(2), np.array([0, 1]), "abc", ShapeError),
        (np.eye(2), np.array([0]), "ab", ShapeError),
        (np.eye(2) * np.nan, np.array([0, 1]), "ab", DivergenceError),
    ],
)
def test_what_cannot_be_scored_is_said(p, y, names, error):
    with pytest.raises(error):
        scores(p, y, list(names))


def test_mistakes_come_by_confidence_then_by_row():
    p = np.array([[0.6, 0.4], [0.1, 0.9], [0.9, 0.1], [0.9, 0.1], [0.3, 0.7]])
    y = np.array([1, 1, 1, 1, 0])
    assert confident_mistakes(p, y, 3).tolist() == [2, 3, 4]
    assert confident_mistakes(p, y, 99).tolist() == [2, 3, 4, 0]
    assert confident_mistakes(p, p.argmax(-1), 5).tolist() == []


@given(st.integers(0, 1000), st.integers(0, 30), st.integers(1, 5))
def test_the_least_sure_have_the_smallest_margins(seed, samples, classes):
    p, _ = drawn(seed, samples, classes)
    rows = least_sure(p, 4)
    best = np.sort(p, axis=-1)
    margin = best[:, -1] - (best[:, -2] if classes > 1 else 0)
    assert margin[rows].tolist() == np.sort(margin)[:4].tolist()
