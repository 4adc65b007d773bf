"""Adaline: the neuron whose learning is the descent of a cost."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from deepneuron.errors import ArgumentError
from deepneuron.estimators.checking import one_of, positive
from deepneuron.estimators.neurons import Neurons
from deepneuron.estimators.warning import DivergenceWarning, warn


class Adaline(Neurons):
    """w := w + dw,  dw = -eta grad J(w),  J(w) = 1/2 sum over examples of (y - z)^2

    with z = x @ w + b, and y = 1 for the second class, -1 for the first. The sum is a
    sum and not a mean, so grad J(w) = -sum of (y - z) x, over all examples; one epoch
    is one update. b is learned in the same way, as the weight of an input that is
    always 1.

    With more than two classes each has a neuron that tells it from the rest.

    Which eta converges depends on the data: it must be below 2 / L, where L is the
    largest eigenvalue of sum of x x^T (x with its 1 appended), the curvature of J. L
    grows with the number of examples and with the size of features. eta="auto" takes
    1 / L, with which J falls in every epoch until it is at its minimum, on any data.
    How fast is another question: features of very different sizes make it slow, so
    standardise them (`sklearn.preprocessing.StandardScaler`).

    Args:
        eta: the learning rate, exactly as in the equation; or "auto".
        max_iter: the largest number of epochs.
        tol: learning has converged when an epoch takes less than `tol` of the cost at
            the beginning off the cost. None goes through all `max_iter` epochs.
        stochastic: whether to learn one example at a time, w := w + eta (y - z) x,
            instead of from all at once. A constant eta then ends near the minimum, not
            in it; "auto" is 0.1 / (the largest x @ x, with the 1), a tenth of what
            would take z to its target at once.
        shuffle: whether each epoch takes the examples in a fresh order; matters only if
            stochastic.
        random_state: what the order depends on; a whole number gives the same in every
            run.
        keep_weights: whether `weights_history_` is kept.

    Attributes:
        w_, b_: the weights: (features,) and a number for two classes, else
            (features, classes) and (classes,).
        coef_, intercept_: the same by scikit-learn's names and shapes.
        eta_: the learning rate that was used.
        cost_: J after each epoch, summed over the neurons.
        weights_history_: (w, b) after each epoch. They begin at zero.
        n_iter_: the number of epochs.
        classes_: the classes, sorted.
        n_features_in_, feature_names_in_: of the data.

    A `DivergenceWarning` says that J grew, which it does only if eta is too large;
    learning then stops. A `ConvergenceWarning` says that `max_iter` epochs were not
    enough. A sample_weight multiplies the squared error of its example.

    Source: Widrow and Hoff, Adaptive switching circuits, 1960.

    >>> X, y = [[-1.0], [0.0], [1.0]], ["no", "no", "yes"]
    >>> neuron = Adaline(eta=0.1, max_iter=1, tol=None).fit(X, y)
    >>> neuron.w_, float(neuron.b_)  # 0.1 sum of y x,  0.1 sum of y
    (array([0.2]), -0.1)
    >>> neuron = Adaline(tol=1e-12).fit(X, y)
    >>> neuron.w_.round(3), round(float(neuron.b_), 3)  # the least squares solution
    (array([1.]), -0.333)
    >>> neuron.predict(X)
    array(['no', 'no', 'yes'], dtype='<U3')
    """

    _off: ClassVar[float] = -1.0

    eta_: float

    def __init__(
        self,
        eta: float | str = "auto",
        *,
        max_iter: int = 1000,
        tol: float | None = 1e-5,
        stochastic: bool = False,
        shuffle: bool = True,
        random_state: Any = None,
        keep_weights: bool = True,
    ) -> None:
        self.eta = eta
        self.max_iter = max_iter
        self.tol = tol
        self.stochastic = stochastic
        self.shuffle = shuffle
        self.random_state = random_state
        self.keep_weights = keep_weights

    def _epoch(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> None:
        """The delta rule: for all examples at once, or for one after the other."""
        w, b, eta = self._w, self._b, self.eta_  # (features, neurons), (neurons,)
        if self.stochastic:
            for i in self._order(len(X)):
                x = X[i]  # (features,)
                error = sample_weight[i] * (y[i] - (x @ w + b))  # (neurons,)
                w += eta * np.outer(x, error)
                b += eta * error
        else:
            z = X @ w + b  # (samples, neurons)
            error = sample_weight[:, None] * (y - z)
            w += eta * X.T @ error  # dw = -eta grad J(w)
            b += eta * error.sum(axis=0)

    def _cost(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> float:
        """J(w)"""
        z = X @ self._w + self._b
        return float(0.5 * np.sum(sample_weight[:, None] * (y - z) ** 2))

    def _learn(
        self,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray,
        epochs: int | None,
    ) -> None:
        if self.eta == "auto":
            self.eta_ = self._auto_eta(X, sample_weight)
        else:
            self.eta_ = float(self.eta)
        with np.errstate(over="ignore", invalid="ignore"):  # J says it, and is watched
            first = before = self._cost(X, y, sample_weight)
            for _ in range(epochs or self.max_iter):
                self._epoch(X, y, sample_weight)
                cost = self._cost(X, y, sample_weight)
                self._remember(cost)
                if self._diverged(cost, before, first):
                    advice = self._advice(X, sample_weight, cost, before)
                    warn(advice, DivergenceWarning)
                    return
                if self.tol is not None and abs(before - cost) <= self.tol * first:
                    return
                before = cost
        if epochs is None and self.tol is not None:
            warn(
                f"Adaline has not converged after {self.n_iter_} epochs: its cost J "
                f"is {cost:.4g} and still falls. Standardise the features "
                "(StandardScaler) if their sizes differ, which makes descent slow; or "
                "raise max_iter or tol; tol=None goes through max_iter epochs without "
                "this warning."
            )

    def _auto_eta(self, X: np.ndarray, sample_weight: np.ndarray) -> float:
        if self.stochastic:
            squares = sample_weight * (np.einsum("ij,ij->i", X, X) + 1)
            return float(0.1 / squares.max())
        return float(1 / curvature(X, sample_weight))

    def _diverged(self, cost: float, before: float, first: float) -> bool:
        if self.stochastic:  # an epoch may end a little higher by chance
            return not cost <= 10 * first
        # Each direction of descent shrinks its error by the same factor every epoch.
        # Once J grows, a factor is above 1, and J will grow for ever.
        return not cost <= before + 1e-9 * first

    def _advice(
        self, X: np.ndarray, sample_weight: np.ndarray, cost: float, before: float
    ) -> str:
        limit = 20 * self._auto_eta(X, sample_weight)  # a single step that overshoots
        kind = "should be well below"
        if not self.stochastic:
            limit, kind = 2 / curvature(X, sample_weight), "must be below"
        return (
            f"Adaline diverges: its cost J grew from {before:.4g} to {cost:.4g} in "
            f"epoch {self.n_iter_}, so learning stopped. eta={self.eta_:.4g} is too "
            f'large: on this data it {kind} {limit:.4g}. Take eta="auto", or a smaller '
            "one; standardised features (StandardScaler) allow a larger one."
        )

    def _check_arguments(self) -> None:
        super()._check_arguments()
        if not (isinstance(self.eta, str) and self.eta == "auto"):
            if isinstance(self.eta, str):
                raise ArgumentError(
                    f'eta must be a number above 0 or "auto"; received {self.eta!r}.'
                )
            positive(self.eta, "eta")
        positive(self.max_iter, "max_iter", whole=True)
        if self.tol is not None and self.tol != 0:
            positive(self.tol, "tol")
        one_of(self.stochastic, "stochastic", (True, False))


def curvature(X: np.ndarray, sample_weight: np.ndarray) -> float:
    """L: the largest eigenvalue of sum of sample_weight x x^T, x with a 1 appended."""
    rows = np.column_stack([X, np.ones(len(X))]) * np.sqrt(sample_weight)[:, None]
    # rows @ rows.T has the same largest eigenvalue as rows.T @ rows: take the smaller.
    gram = rows.T @ rows if rows.shape[0] > rows.shape[1] else rows @ rows.T
    return float(np.linalg.eigvalsh(gram)[-1])
