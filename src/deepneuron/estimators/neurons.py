"""What Perceptron and Adaline share: one layer of neurons, one neuron for each class.

    z = x @ w + b                     two classes: one neuron, the second class if z > 0
                                      more: one against the rest, the largest z wins

They differ in what a neuron learns from an example: that is all in their own files.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from deepneuron.estimators.checking import checked_classes, checked_weights, one_of


class Neurons(ClassifierMixin, BaseEstimator):
    """z = x @ w + b, and the class that z says

    A subclass writes `_learn`, which changes `_w` and `_b` in place.
    """

    _off: ClassVar[float]  # the target of a neuron for classes that are not its own

    max_iter: int
    shuffle: bool
    random_state: Any
    keep_weights: bool

    classes_: np.ndarray
    n_features_in_: int
    cost_: list[float]
    weights_history_: list[tuple[np.ndarray, Any]]
    n_iter_: int
    _w: np.ndarray  # (features, neurons)
    _b: np.ndarray  # (neurons,)
    _random: np.random.RandomState

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from zero weights on.

        Args:
            X: examples, (samples, features).
            y: the class of each, (samples,).
            sample_weight: how much each example counts, (samples,); all the same by
                default. Those of weight zero are left out.

        Returns:
            The estimator.

        Raises:
            ValueError: data that cannot be learned from, or an argument outside of
                what is allowed.
        """
        return self._fit(X, y, sample_weight, first=True, epochs=None)

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """One more epoch, on these examples, from the weights that there are.

        Args:
            X, y, sample_weight: as in `fit`.
            classes: all classes that will ever come; the first call needs it unless
                its y holds all of them.

        Returns:
            The estimator.

        Raises:
            ValueError: as in `fit`.
        """
        first = not hasattr(self, "classes_")
        return self._fit(X, y, sample_weight, first=first, epochs=1, given=classes)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        first: bool,
        epochs: int | None,
        given: Any = None,
    ) -> Self:
        self._check_arguments()
        X, y = validate_data(self, X, y, dtype=np.float64, reset=first)
        check_classification_targets(y)
        weights = checked_weights(sample_weight, X)
        known = None if first else self.classes_
        self.classes_ = checked_classes(y, known, given, type(self).__name__)
        if first:
            self._start()
        used = weights > 0
        X, targets, weights = X[used], self._targets(y[used]), weights[used]
        self._learn(X, targets, weights, epochs)
        return self

    def _check_arguments(self) -> None:
        one_of(self.shuffle, "shuffle", (True, False))
        one_of(self.keep_weights, "keep_weights", (True, False))

    def _start(self) -> None:
        neurons = 1 if len(self.classes_) == 2 else len(self.classes_)
        self._w = np.zeros((self.n_features_in_, neurons))
        self._b = np.zeros(neurons)
        self._random = check_random_state(self.random_state)
        self.cost_, self.weights_history_, self.n_iter_ = [], [], 0

    def _targets(self, y: np.ndarray) -> np.ndarray:
        """What each neuron should say: 1 for its own class, (samples, neurons)."""
        own = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        return np.where(y[:, None] == own, 1.0, self._off)

    def _learn(
        self,
        X: np.ndarray,  # (samples, features)
        y: np.ndarray,  # (samples, neurons)
        sample_weight: np.ndarray,  # (samples,)
        epochs: int | None,
    ) -> None:
        """So many epochs; None is until it has converged or `max_iter` is reached."""
        raise NotImplementedError

    def _order(self, samples: int) -> np.ndarray:
        """The order in which an epoch visits the examples."""
        return self._random.permutation(samples) if self.shuffle else np.arange(samples)

    def _remember(self, cost: float) -> None:
        """An epoch is over: write down its cost and the weights it led to."""
        self.n_iter_ += 1
        self.cost_.append(float(cost))
        if self.keep_weights:
            self.weights_history_.append((self.w_.copy(), np.copy(self.b_)))

    def decision_function(self, X: Any) -> np.ndarray:
        """z = x @ w + b: (samples,) for two classes, else (samples, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        z = X @ self._w + self._b
        return z[:, 0] if len(self.classes_) == 2 else z

    def predict(self, X: Any) -> np.ndarray:
        """The class of each example, (samples,)."""
        z = self.decision_function(X)
        winner = (z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)
        return self.classes_[winner]

    # --- the weights, as they are drawn, and as scikit-learn calls them

    @property
    def w_(self) -> np.ndarray:
        """(features,) for two classes, else (features, classes)."""
        return self._w[:, 0] if self._w.shape[1] == 1 else self._w

    @property
    def b_(self) -> Any:
        """A number for two classes, else (classes,)."""
        return self._b[0] if len(self._b) == 1 else self._b

    @property
    def coef_(self) -> np.ndarray:
        """`w_` by scikit-learn's name: (1 or classes, features)."""
        return self._w.T

    @property
    def intercept_(self) -> np.ndarray:
        """`b_` by scikit-learn's name: (1 or classes,)."""
        return self._b
