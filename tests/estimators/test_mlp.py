"""Multi-layer networks: what they learn, and scikit-learn's numbers as their judge.

A learning rate is a float32 here, as in Keras, and a float64 there; Adam makes more of
such a difference where gradients are small. Hence the tolerances.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as judge
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import (
    load_iris,
    make_classification,
    make_moons,
    make_multilabel_classification,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import deepneuron as dn
from deepneuron import estimators
from deepneuron.errors import (
    ArgumentError,
    DataError,
    DivergenceError,
    UnknownNameError,
)
from deepneuron.estimators import MLPClassifier, MLPRegressor


def quiet(estimator: Any, *args: Any, **kwargs: Any) -> Any:
    """Fitted, where the test is not about enough epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*args, **kwargs)


# --- they learn


@pytest.mark.parametrize(
    "arguments",
    [
        {"solver": "lbfgs"},
        {"solver": "sgd", "learning_rate_init": 0.5, "activation": "tanh"},
        {"learning_rate_init": 0.05},
        {"solver": "rmsprop", "learning_rate_init": 0.01, "activation": "gelu"},
    ],
)
def test_exclusive_or_is_learned(arguments: dict[str, Any]) -> None:
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "other", "other", "same"]
    network = quiet(MLPClassifier((16,), random_state=1, **arguments), X, y)
    assert network.predict(X).tolist() == y


def test_moons_are_told_apart() -> None:
    X, y = make_moons(400, noise=0.15, random_state=0)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    network = MLPClassifier((32, 16), max_iter=400, learning_rate_init=0.01)
    assert quiet(network.set_params(random_state=0), X, y).score(X_test, y_test) > 0.95


def test_iris_is_told_apart_with_probabilities() -> None:
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    network = quiet(MLPClassifier(random_state=0, learning_rate_init=0.01), X, y)
    assert network.score(X, y) > 0.97
    p = network.predict_proba(X)
    assert p.shape == (150, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_array_equal(p.argmax(axis=1), network.predict(X))
    np.testing.assert_allclose(np.exp(network.predict_log_proba(X)), p)


def test_a_curve_is_fitted() -> None:
    X = np.linspace(-2, 2, 200)[:, None]
    y = np.sin(3 * X[:, 0])
    network = MLPRegressor((32, 32), "tanh", solver="lbfgs", max_iter=500)
    assert quiet(network.set_params(random_state=0), X, y).score(X, y) > 0.99


# --- with scikit-learn's numbers


def data_of(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows for two classes, three classes, labels, one number or two numbers."""
    if kind == "two":
        return make_moons(60, noise=0.2, random_state=seed)
    if kind == "three":
        return make_classification(
            60, n_informative=5, n_redundant=0, n_classes=3, random_state=seed
        )
    if kind == "labels":
        X, y = make_multilabel_classification(60, n_classes=4, random_state=seed)
        return X / 10, y
    X, y = make_regression(
        60, 5, n_targets=1 if kind == "number" else 2, random_state=seed
    )
    return X, y / np.abs(y).max()


@given(
    kind=st.sampled_from(["two", "three", "labels", "number", "numbers"]),
    hidden=st.sampled_from([(), (7,), (5, 4)]),
    activation=st.sampled_from(["identity", "logistic", "tanh", "relu"]),
    solver=st.sampled_from(
        [
            {"solver": "adam"},
            {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1},
            {"solver": "sgd"},
            {"solver": "sgd", "momentum": 0.0},
            {"solver": "sgd", "nesterovs_momentum": False},
            {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2},
            {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1},
        ]
    ),
    alpha=st.sampled_from([0.0, 1e-4, 1.0]),
    batch_size=st.sampled_from(["auto", 20, 60]),
    shuffle=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_the_weights_are_those_of_scikit_learn(
    kind: str,
    hidden: tuple[int, ...],
    activation: str,
    solver: dict[str, Any],
    alpha: float,
    batch_size: Any,
    shuffle: bool,
    seed: int,
) -> None:
    X, y = data_of(kind, seed)
    name = "MLPRegressor" if kind.startswith("number") else "MLPClassifier"
    arguments = {
        "hidden_layer_sizes": hidden,
        "activation": activation,
        "alpha": alpha,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "random_state": seed,
        "max_iter": 6,
        "learning_rate_init": 0.01,
        **solver,
    }
    ours = quiet(getattr(estimators, name)(**arguments), X, y)
    theirs = quiet(getattr(judge, name)(**arguments), X, y)
    for mine, right in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(mine, right, atol=2e-4)
    for mine, right in zip(ours.intercepts_, theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, right, atol=2e-4)
    assert ours.n_iter_ == theirs.n_iter_
    if kind != "numbers":  # there the judge reports a mean, and descends a sum
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-3)
    for attribute in ("n_layers_", "n_outputs_", "out_activation_", "t_"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    if name == "MLPClassifier":
        np.testing.assert_allclose(
            ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3
        )


def test_sample_weights_count_as_in_scikit_learn() -> None:
    X, y = data_of("three", 0)
    weight = np.random.default_rng(0).uniform(0.1, 3, 60)
    ours, theirs = (
        quiet(
            module.MLPClassifier((6,), "tanh", max_iter=30, random_state=0),
            X,
            y,
            sample_weight=weight,
        )
        for module in (estimators, judge)
    )
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-6)


@pytest.mark.parametrize("kind", ["two", "three", "number"])
def test_early_stopping_is_that_of_scikit_learn(kind: str) -> None:
    X, y = data_of(kind, 1)
    name = "MLPRegressor" if kind == "number" else "MLPClassifier"
    ours, theirs = (
        quiet(
            getattr(module, name)(
                hidden_layer_sizes=(6,),
                activation="tanh",
                early_stopping=True,
                validation_fraction=0.3,
                n_iter_no_change=4,
                learning_rate_init=0.01,
                random_state=2,
            ),
            X,
            y,
        )
        for module in (estimators, judge)
    )
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(
        ours.validation_scores_, theirs.validation_scores_, rtol=1e-3
    )
    assert ours.best_validation_score_ == max(ours.validation_scores_)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-3)


def test_lbfgs_finds_the_minimum_that_scikit_learn_finds() -> None:
    X, y = data_of("three", 3)
    ours, theirs = (
        module.MLPClassifier(
            (), solver="lbfgs", alpha=1.0, tol=1e-7, max_iter=1000, random_state=0
        ).fit(X, y)
        for module in (estimators, judge)
    )
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4
    )
    assert len(ours.loss_curve_) == ours.n_iter_
    assert ours.loss_curve_[-1] <= ours.loss_curve_[0]


# --- what they keep


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_the_history_has_an_entry_for_every_epoch(kind: Any) -> None:
    X, y = data_of("two", 0)
    network = quiet(kind((5,), max_iter=7, random_state=0), X, y)
    assert network.n_iter_ == 7
    assert len(network.loss_curve_) == len(network.weights_history_) == 7
    coefs, intercepts = network.weights_history_[-1]
    for kept, now in zip(
        [*coefs, *intercepts], [*network.coefs_, *network.intercepts_], strict=True
    ):
        np.testing.assert_array_equal(kept, now)
    assert not np.array_equal(coefs[0], network.weights_history_[0][0][0])
    network.partial_fit(X, y)
    assert network.n_iter_ == len(network.loss_curve_) == 8


def test_the_model_is_a_compiled_deepneuron_model(tmp_path: Any) -> None:
    X, y = data_of("three", 0)
    network = quiet(MLPClassifier((5,), max_iter=20, random_state=0), X, y)
    model = network.model_
    assert isinstance(model, dn.Sequential)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), network.coefs_[0])
    np.testing.assert_allclose(
        model.predict(X, verbose=0), network.decision_function(X), atol=1e-5
    )
    one_hot = np.eye(3)[y]
    loss = model.evaluate(X, one_hot, verbose=0)
    assert loss < network.loss_curve_[0]
    model.save(tmp_path / "mlp.keras")
    loaded = dn.models.load_model(tmp_path / "mlp.keras")
    np.testing.assert_array_equal(loaded.get_weights()[0], network.coefs_[0])


def test_float32_stays_float32_and_all_else_is_float64() -> None:
    X, y = data_of("two", 0)
    small = quiet(MLPClassifier((5,), max_iter=3), X.astype("float32"), y)
    large = quiet(MLPClassifier((5,), max_iter=3), X, y)
    assert small.coefs_[0].dtype == small.predict_proba(X).dtype == np.float32
    assert large.coefs_[0].dtype == large.predict_proba(X).dtype == np.float64


def test_fitting_touches_no_global_chance() -> None:
    import random

    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist()
    quiet(MLPClassifier((5,), max_iter=2, random_state=0), *data_of("two", 0))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_fit_begins_anew_and_warm_start_goes_on() -> None:
    X, y = data_of("two", 0)
    cold = MLPClassifier((5,), max_iter=5, random_state=0)
    quiet(cold, X, y)
    first = cold.loss_curve_
    assert quiet(cold, X, y).loss_curve_ == first
    warm = MLPClassifier((5,), max_iter=5, random_state=0, warm_start=True)
    quiet(quiet(warm, X, y), X, y)
    assert len(warm.loss_curve_) == warm.n_iter_ == 10
    assert warm.loss_curve_[9] < warm.loss_curve_[5] < warm.loss_curve_[0]


def test_partial_fit_is_an_epoch_as_in_scikit_learn() -> None:
    X, y = data_of("three", 0)
    ours = MLPClassifier((5,), random_state=0)
    theirs = judge.MLPClassifier((5,), random_state=0)
    for rows in (slice(20), slice(20, 60), slice(60)):
        for network in (ours, theirs):
            network.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=1e-6)


def test_several_numbers_are_predicted_at_once() -> None:
    X, y = data_of("numbers", 0)
    network = MLPRegressor((20,), solver="lbfgs", random_state=0)
    assert quiet(network, X, y).predict(X).shape == y.shape
    assert network.score(X, y) > 0.9


def test_verbose_prints_the_loss_of_each_epoch(capsys: Any) -> None:
    quiet(MLPClassifier((3,), max_iter=2, verbose=True), *data_of("two", 0))
    out = capsys.readouterr().out
    assert "Epoch 1: loss" in out
    assert "Epoch 2: loss" in out


# --- what they say


def test_too_few_epochs_are_warned_of() -> None:
    with pytest.warns(ConvergenceWarning, match="max_iter=2 epochs"):
        MLPClassifier(max_iter=2).fit(*data_of("two", 0))
    with pytest.warns(ConvergenceWarning, match="lbfgs"):
        MLPClassifier(max_iter=2, solver="lbfgs").fit(*data_of("two", 0))


def test_a_loss_that_leaves_the_finite_numbers_is_an_error() -> None:
    X, y = data_of("number", 0)
    network = MLPRegressor(solver="sgd", learning_rate_init=1e6, random_state=0)
    with pytest.raises(DivergenceError, match="lower learning_rate_init"):
        network.fit(X, y)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden_layer_sizes": (5, 0)},
        {"hidden_layer_sizes": None},
        {"activation": 3},
        {"solver": None},
        {"alpha": -1.0},
        {"batch_size": 0},
        {"learning_rate": "slow"},
        {"learning_rate_init": 0.0},
        {"max_iter": 0},
        {"momentum": 2.0},
        {"validation_fraction": 1.0},
        {"n_iter_no_change": 0},
    ],
)
def test_wrong_arguments_of_a_network_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        MLPClassifier(**wrong).fit(*data_of("two", 0))


def test_misspelt_names_get_the_nearest_ones() -> None:
    with pytest.raises(UnknownNameError, match="relu"):
        MLPClassifier(activation="rellu").fit(*data_of("two", 0))
    with pytest.raises(UnknownNameError, match=r"(?i)adam"):
        MLPClassifier(solver="adamm").fit(*data_of("two", 0))


def test_partial_fit_refuses_what_goes_by_more_than_an_epoch() -> None:
    X, y = data_of("two", 0)
    with pytest.raises(ArgumentError, match="early_stopping"):
        MLPClassifier(early_stopping=True).partial_fit(X, y)
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")


def test_another_kind_of_target_is_refused_in_the_middle() -> None:
    X, y = data_of("labels", 0)
    network = MLPClassifier((3,)).partial_fit(X, y)
    with pytest.raises(DataError, match="labels"):
        network.partial_fit(X, y[:, 0])
    with pytest.raises(DataError, match="4 outputs"):
        network.partial_fit(X, y[:, :3])
