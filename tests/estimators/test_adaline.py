"""The delta rule, against numbers worked out by hand, least squares, and the engine."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

import deepneuron as dn
from deepneuron.errors import ArgumentError
from deepneuron.estimators import Adaline, DivergenceWarning


def standardised(
    seed: int, samples: int, features: int, classes: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(samples, features)) @ rng.normal(size=(features, features))
    y = rng.integers(0, classes, samples)
    y[:classes] = np.arange(classes)
    return StandardScaler().fit_transform(X), y


def test_two_epochs_by_hand() -> None:
    # y = (1, -1), X = ((1, 0), (1, 2)), eta = 1/10
    # z = (0, 0):     y - z = (1, -1),    dw = 1/10 (1 - 1, -2),  db = 0
    # z = (0, -0.4):  y - z = (1, -0.6),  dw = 1/10 (0.4, -1.2),  db = 0.04
    # z = (0.08, -0.56): J = 1/2 (0.92^2 + 0.44^2) = 0.52
    X, y = [[1, 0], [1, 2]], [1, 0]
    neuron = Adaline(0.1, max_iter=2, tol=None).fit(X, y)
    np.testing.assert_allclose(neuron.weights_history_[0][0], [0.0, -0.2])
    assert neuron.weights_history_[0][1] == 0.0
    np.testing.assert_allclose(neuron.w_, [0.04, -0.32])
    np.testing.assert_allclose(neuron.b_, 0.04)
    np.testing.assert_allclose(neuron.cost_, [0.5 * (1 + 0.36), 0.52])
    assert neuron.eta_ == 0.1


def test_the_stochastic_rule_by_hand() -> None:
    # (1, 0) up:    z = 0,    w = 0.1 (1, 0),                  b = 0.1
    # (1, 2) down:  z = 0.2,  w = (0.1, 0) - 0.12 (1, 2),      b = 0.1 - 0.12
    X, y = [[1, 0], [1, 2]], [1, 0]
    neuron = Adaline(0.1, max_iter=1, tol=None, stochastic=True, shuffle=False)
    neuron.fit(X, y)
    np.testing.assert_allclose(neuron.w_, [-0.02, -0.24])
    np.testing.assert_allclose(neuron.b_, -0.02)


@given(
    seed=st.integers(0, 2**31 - 1),
    samples=st.integers(2, 40),
    features=st.integers(1, 10),
    eta=st.floats(1e-6, 1e-3),
)
def test_dw_is_minus_eta_times_the_gradient_that_the_engine_finds(
    seed: int, samples: int, features: int, eta: float
) -> None:
    X, y = standardised(seed, samples, features)
    neuron = Adaline(eta, tol=None, max_iter=1).partial_fit(X, y)
    w, b = neuron.w_.copy(), neuron.b_
    neuron.partial_fit(X, y)

    J = dn.losses.SumOfSquaredErrors(dtype="float64")
    target = np.where(y == 1, 1.0, -1.0)[:, None]

    def cost(w: object, b: object) -> object:
        return J(target, dn.ops.matmul(X, w) + b)

    value, (dw, db) = dn.value_and_grad(cost, [w[:, None], np.array([b])])
    np.testing.assert_allclose(value, neuron.cost_[0], rtol=1e-12)
    np.testing.assert_allclose(neuron.w_ - w, -eta * dw[:, 0], atol=1e-12)
    np.testing.assert_allclose(neuron.b_ - b, -eta * db[0], atol=1e-12)


@given(
    seed=st.integers(0, 2**31 - 1),
    samples=st.integers(3, 300),
    features=st.integers(1, 60),
    classes=st.integers(2, 3),
)
def test_the_cost_falls_in_every_epoch_with_the_default_eta(
    seed: int, samples: int, features: int, classes: int
) -> None:
    X, y = standardised(seed, samples, features, classes)
    neuron = Adaline(max_iter=50, tol=None).fit(X, y)
    first = 0.5 * samples * (1 if classes == 2 else 3)
    cost = np.array([first, *neuron.cost_])
    assert (np.diff(cost) <= 1e-12 * first).all()
    assert cost[1] < first


@given(
    seed=st.integers(0, 2**31 - 1),
    size=st.floats(1e-3, 1e3),
    samples=st.integers(3, 50),
)
def test_the_default_eta_converges_without_standardising_too(
    seed: int, size: float, samples: int
) -> None:
    X, y = standardised(seed, samples, 3)
    neuron = Adaline(max_iter=30, tol=None).fit(size * (X + 1), y)
    assert (np.diff(neuron.cost_) <= 1e-9 * samples).all()


@given(seed=st.integers(0, 2**31 - 1), features=st.integers(1, 5))
def test_in_the_limit_it_is_the_least_squares_solution(
    seed: int, features: int
) -> None:
    rng = np.random.default_rng(seed)
    X = StandardScaler().fit_transform(rng.normal(size=(60, features)))
    y = rng.integers(0, 2, 60)
    y[:2] = 0, 1
    weight = rng.uniform(0.5, 2.0, 60)
    neuron = Adaline(max_iter=2000, tol=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last bits may go on
        neuron.fit(X, y, sample_weight=weight)
    root = np.sqrt(weight)[:, None]
    rows = np.column_stack([X, np.ones(60)]) * root
    solution = np.linalg.lstsq(rows, np.where(y, 1.0, -1.0) * root[:, 0])[0]
    np.testing.assert_allclose(neuron.w_, solution[:-1], atol=1e-6)
    np.testing.assert_allclose(neuron.b_, solution[-1], atol=1e-6)


@given(
    seed=st.integers(0, 2**31 - 1),
    samples=st.integers(5, 100),
    features=st.integers(1, 20),
    factor=st.floats(1.05, 100.0),
)
def test_beyond_two_over_the_curvature_it_diverges_warns_and_stops(
    seed: int, samples: int, features: int, factor: float
) -> None:
    X, y = standardised(seed, samples, features)
    limit = 2 * Adaline(max_iter=1, tol=None).fit(X, y).eta_
    neuron = Adaline(factor * limit, max_iter=5000, tol=None)
    with pytest.warns(DivergenceWarning, match=f"must be below {limit:.4g}"):
        neuron.fit(X, y)
    assert neuron.n_iter_ < 5000
    assert np.isfinite(neuron.w_).all()


def test_below_that_limit_it_does_not_diverge() -> None:
    X, y = standardised(0, 50, 4)
    limit = 2 * Adaline(max_iter=1, tol=None).fit(X, y).eta_
    neuron = Adaline(0.99 * limit, max_iter=500, tol=None).fit(X, y)
    assert neuron.cost_[-1] <= neuron.cost_[0]


def test_an_absurd_eta_is_a_warning_and_no_overflow() -> None:
    X, y = standardised(0, 50, 4)
    for stochastic in (False, True):
        with pytest.warns(DivergenceWarning, match='Take eta="auto"'):
            Adaline(1e200, stochastic=stochastic, random_state=0).fit(X, y)


def test_stochastic_learning_comes_near_the_least_squares_solution() -> None:
    X, y = standardised(1, 200, 3)
    exact = Adaline(tol=None).fit(X, y)
    near = Adaline(stochastic=True, max_iter=50, tol=None, random_state=0).fit(X, y)
    assert exact.cost_[-1] <= near.cost_[-1] <= 1.05 * exact.cost_[-1]


def test_weights_are_the_same_as_repeated_examples() -> None:
    X, y = standardised(2, 30, 3, classes=3)
    times = np.random.default_rng(0).integers(0, 4, 30)
    times[:3] = 1
    weighted = Adaline(max_iter=20, tol=None).fit(X, y, sample_weight=times)
    repeated = Adaline(max_iter=20, tol=None).fit(X.repeat(times, 0), y.repeat(times))
    np.testing.assert_allclose(weighted.w_, repeated.w_, rtol=1e-9)


def test_partial_fits_are_epochs_of_fit() -> None:
    X, y = load_iris(return_X_y=True)
    whole = Adaline(max_iter=4, tol=None).fit(X, y)
    steps = Adaline()
    for _ in range(4):
        steps.partial_fit(X, y)
    np.testing.assert_allclose(steps.w_, whole.w_, rtol=1e-12)
    assert steps.n_iter_ == len(steps.cost_) == len(steps.weights_history_) == 4


def test_it_says_when_the_epochs_were_not_enough() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="StandardScaler"):
        Adaline(max_iter=10).fit(X, y)


def test_iris_is_learned_well() -> None:
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    neuron = Adaline().fit(X, y)
    assert neuron.score(X, y) > 0.8
    assert neuron.w_.shape == (4, 3)
    assert neuron.decision_function(X).shape == (150, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"eta": "fast"},
        {"eta": -1.0},
        {"tol": -1.0},
        {"max_iter": 0},
        {"stochastic": "yes"},
    ],
)
def test_wrong_arguments_of_an_adaline_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        Adaline(**wrong).fit(*standardised(0, 10, 2))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(10), "is zero"),
        (-np.ones(10), "must not be negative"),
        (np.ones((10, 1)), "one number for each sample"),
        (np.ones(9), "inconsistent numbers of samples"),
    ],
)
def test_wrong_sample_weights_are_refused(weights: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Adaline().fit(*standardised(0, 10, 2), sample_weight=weights)
