"""Rosenblatt's rule, against numbers worked out by hand and against its theorem."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning

from deepneuron.errors import ArgumentError
from deepneuron.estimators import Perceptron

AND = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 0, 0, 1])


def one_epoch(**arguments: object) -> Perceptron:
    return Perceptron(shuffle=False, **arguments)


def test_three_examples_by_hand() -> None:
    # w = (0, 0), b = 0, eta = 1/2; the answer is "up" where x @ w + b > 0
    # (2, 1) up:    z = 0, says down:  w = (1, 1/2),   b = 1/2
    # (1, 3) down:  z = 3, says up:    w = (1/2, -1),  b = 0
    # (4, 1) up:    z = 1, right
    X, y = [[2, 1], [1, 3], [4, 1]], ["up", "down", "up"]
    neuron = one_epoch(eta=0.5).partial_fit(X, y)
    assert neuron.w_.tolist() == [0.5, -1.0]
    assert neuron.b_ == 0.0
    assert neuron.cost_ == [2]
    assert neuron.decision_function(X).tolist() == [0.0, -2.5, 1.0]
    assert neuron.predict(X).tolist() == ["down", "down", "up"]


def test_logical_and_epoch_by_epoch() -> None:
    neuron = one_epoch().fit(*AND)
    path = [(*w.tolist(), float(b)) for w, b in neuron.weights_history_]
    by_hand = [(1, 1, 1), (2, 1, 0), (2, 1, -1), (2, 2, -1), (2, 1, -2), (2, 1, -2)]
    assert path == by_hand
    assert neuron.cost_ == [1, 3, 3, 2, 1, 0]
    assert neuron.n_iter_ == len(neuron.cost_) == len(neuron.weights_history_)


def test_a_sample_weight_multiplies_eta_for_its_example() -> None:
    X, y = [[2.0, 1.0], [1.0, 3.0]], [1, 0]
    neuron = one_epoch().partial_fit(X, y, sample_weight=[3.0, 0.0])
    assert neuron.w_.tolist() == [6.0, 3.0]
    assert neuron.b_ == 3.0


def test_each_of_three_classes_has_a_perceptron_of_its_own() -> None:
    X, y = make_blobs(60, centers=3, random_state=3)
    together = one_epoch().partial_fit(X, y)
    assert together.w_.shape == (2, 3)
    assert together.coef_.shape == (3, 2)
    for k in range(3):
        alone = one_epoch().partial_fit(X, y == k)
        np.testing.assert_array_equal(together.w_[:, k], alone.w_)
        np.testing.assert_array_equal(together.b_[k], alone.b_)


@given(
    seed=st.integers(0, 2**31 - 1),
    samples=st.integers(2, 60),
    features=st.integers(1, 8),
    eta=st.floats(1e-3, 1e3),
)
def test_it_separates_what_a_line_separates_within_novikoffs_bound(
    seed: int, samples: int, features: int, eta: float
) -> None:
    rng = np.random.default_rng(seed)
    line = rng.normal(size=features + 1)
    line /= np.linalg.norm(line)
    X = rng.normal(size=(samples, features))
    X1 = np.column_stack([X, np.ones(samples)])
    distance = X1 @ line
    y = distance > 0
    # Push the examples apart along the line's normal, to a margin of at least 1/2.
    normal = line[:-1] @ line[:-1]
    assume(normal > 0.05 and y.any() and not y.all())
    X += np.outer(np.where(y, 0.5, -0.5) / normal, line[:-1])
    X1 = np.column_stack([X, np.ones(samples)])
    margin = np.abs(X1 @ line).min()
    # A correction of an example on the wrong side of 0; (R / margin)^2 at most.
    bound = (np.linalg.norm(X1, axis=1).max() / margin) ** 2
    neuron = Perceptron(eta, max_iter=int(bound) + 2, random_state=seed).fit(X, y)
    assert sum(neuron.cost_) <= bound + 1e-9
    assert neuron.cost_[-1] == 0
    assert neuron.score(X, y) == 1.0


@given(eta=st.sampled_from([0.25, 0.5, 2.0, 8.0]), seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_eta_scales_the_weights_and_changes_no_answer(eta: float, seed: int) -> None:
    X, y = make_blobs(40, centers=[[-5, 0], [5, 0]], random_state=seed)
    one = Perceptron(random_state=seed).fit(X, y)
    other = Perceptron(eta, random_state=seed).fit(X, y)
    np.testing.assert_array_equal(other.w_, eta * one.w_)
    assert other.cost_ == one.cost_


def test_exclusive_or_ends_with_a_warning_that_gives_advice() -> None:
    X, y = AND[0], [0, 1, 1, 0]
    with pytest.warns(ConvergenceWarning, match="no straight line separates"):
        neuron = Perceptron(max_iter=7, random_state=0).fit(X, y)
    assert neuron.n_iter_ == 7


def test_partial_fit_is_one_epoch_of_fit() -> None:
    X, y = load_iris(return_X_y=True)
    whole = Perceptron(max_iter=3, random_state=4)
    with pytest.warns(ConvergenceWarning):
        whole.fit(X, y)
    steps = Perceptron(random_state=4)
    for _ in range(3):
        steps.partial_fit(X, y)
    np.testing.assert_array_equal(steps.w_, whole.w_)
    assert steps.cost_ == whole.cost_


def test_partial_fit_wants_the_classes_that_come_later() -> None:
    X, y = AND
    neuron = Perceptron().partial_fit(X[:3], y[:3], classes=[0, 1])
    neuron.partial_fit(X[3:], y[3:])
    assert neuron.classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match="needs at least two"):
        Perceptron().partial_fit(X[:3], y[:3])
    with pytest.raises(ValueError, match=r"holds the classes \[7\]"):
        neuron.partial_fit(X, [0, 1, 7, 0])
    with pytest.raises(ValueError, match="not the same as on the first call"):
        neuron.partial_fit(X, y, classes=[0, 1, 2])


def test_the_order_depends_on_random_state_alone() -> None:
    X, y = make_blobs(50, centers=[[-1, 0], [1, 0]], random_state=0)

    def learned(seed: int) -> list[float]:
        with pytest.warns(ConvergenceWarning):
            return Perceptron(max_iter=5, random_state=seed).fit(X, y).w_.tolist()

    assert learned(1) == learned(1)
    assert learned(1) != learned(2)


def test_the_history_can_be_left_out() -> None:
    neuron = Perceptron(keep_weights=False, random_state=0).fit(*AND)
    assert neuron.weights_history_ == []
    assert len(neuron.cost_) == neuron.n_iter_


@pytest.mark.parametrize(
    "wrong",
    [
        {"eta": 0},
        {"eta": "fast"},
        {"max_iter": 0},
        {"max_iter": 1.5},
        {"shuffle": "no"},
    ],
)
def test_wrong_arguments_of_a_perceptron_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        Perceptron(**wrong).fit(*AND)
