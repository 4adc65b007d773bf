"""The estimators as parts of scikit-learn's machinery."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deepneuron.estimators import Adaline, MLPClassifier, MLPRegressor, Perceptron

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ALL = [
    Perceptron(max_iter=5, random_state=0),
    Adaline(random_state=0),
    MLPClassifier((6,), max_iter=60, learning_rate_init=0.02, random_state=0),
    MLPRegressor((6,), max_iter=60, learning_rate_init=0.02, random_state=0),
]


def pickled(estimator: Any) -> Any:
    return pickle.loads(pickle.dumps(estimator))  # noqa: S301 - our own bytes


def iris() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
def test_they_work_behind_a_scaler_and_in_cross_validation(estimator: Any) -> None:
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    scores = cross_val_score(
        make_pipeline(StandardScaler(), clone(estimator)), X[order], y[order], cv=3
    )
    assert scores.mean() > 0.7


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (ALL[0], {"eta": [0.1, 1.0], "max_iter": [2, 5]}),
        (ALL[1], {"eta": ["auto", 1e-4], "tol": [1e-3, 1e-5]}),
        (ALL[2], {"hidden_layer_sizes": [(3,), (6, 3)], "solver": ["sgd", "adam"]}),
        (ALL[3], {"alpha": [1e-4, 10.0]}),
    ],
    ids=lambda x: type(x).__name__,
)
def test_a_grid_search_finds_their_best_arguments(estimator: Any, grid: Any) -> None:
    search = GridSearchCV(estimator, grid, cv=3).fit(*iris())
    assert set(search.best_params_) == set(grid)
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("way", [copy.deepcopy, pickled])
def test_copies_answer_and_go_on_learning_as_the_original(
    estimator: Any, way: Any
) -> None:
    X, y = iris()
    original = clone(estimator).fit(X, y).partial_fit(X, y)
    twin = way(original)
    np.testing.assert_array_equal(twin.predict(X), original.predict(X))
    original.partial_fit(X, y)
    twin.partial_fit(X, y)
    for a, b in zip(original.coef_ if hasattr(original, "coef_") else original.coefs_,
                    twin.coef_ if hasattr(twin, "coef_") else twin.coefs_,
                    strict=True):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    assert twin.n_iter_ == original.n_iter_
    assert len(twin.weights_history_) == twin.n_iter_


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
def test_a_clone_has_the_arguments_and_nothing_learned(estimator: Any) -> None:
    fitted = clone(estimator).fit(*iris())
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params() == estimator.get_params()
    assert not [name for name in vars(twin) if name.endswith("_")]
    assert not hasattr(twin, "coefs_")


def test_threads_may_train_networks_side_by_side() -> None:
    X, y = iris()
    seeds = list(range(4))

    def trained(seed: int) -> np.ndarray:
        network = clone(ALL[2]).set_params(random_state=seed, max_iter=20)
        return network.fit(X, y).predict_proba(X)

    alone = [trained(seed) for seed in seeds]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(trained, seeds))
    np.testing.assert_array_equal(together, alone)
