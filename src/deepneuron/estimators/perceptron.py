"""Perceptron: the first neuron that learned."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from deepneuron.estimators.checking import positive
from deepneuron.estimators.neurons import Neurons
from deepneuron.estimators.warning import warn


class Perceptron(Neurons):
    """w := w + eta (y - y_hat) x,  b := b + eta (y - y_hat),  one example at a time

    with y_hat = 1 if x @ w + b > 0 else 0, and y = 1 for the second class, 0 for the
    first. A right answer changes nothing; a wrong one moves the line towards (or away
    from) the example. If some line separates the classes, one is found in finitely many
    steps, whatever eta is; if none does, learning goes on without end.

    With more than two classes each has a neuron that tells it from the rest.

    Args:
        eta: the learning rate. Weights begin at zero, so it scales them and changes no
            answer.
        max_iter: the largest number of epochs, that is of passes over the examples.
        shuffle: whether each epoch takes the examples in a fresh order.
        random_state: what the order depends on; a whole number gives the same in every
            run.
        keep_weights: whether `weights_history_` is kept.

    Attributes:
        w_, b_: the weights: (features,) and a number for two classes, else
            (features, classes) and (classes,).
        coef_, intercept_: the same by scikit-learn's names and shapes.
        cost_: how many examples were answered wrongly in each epoch, while it learned.
        weights_history_: (w, b) after each epoch.
        n_iter_: the number of epochs.
        classes_: the classes, sorted.
        n_features_in_, feature_names_in_: of the data.

    A `ConvergenceWarning` says that the last epoch still had mistakes. A sample_weight
    multiplies eta for its example.

    Source: Rosenblatt, The perceptron, 1958.

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]  # logical and
    >>> neuron = Perceptron(shuffle=False).fit(X, y)
    >>> neuron.w_, float(neuron.b_)
    (array([2., 1.]), -2.0)
    >>> neuron.predict(X), neuron.cost_
    (array([0, 0, 0, 1]), [1.0, 3.0, 3.0, 2.0, 1.0, 0.0])
    """

    _off: ClassVar[float] = 0.0

    def __init__(
        self,
        eta: float = 1.0,
        *,
        max_iter: int = 100,
        shuffle: bool = True,
        random_state: Any = None,
        keep_weights: bool = True,
    ) -> None:
        self.eta = eta
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.keep_weights = keep_weights

    def _epoch(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray) -> int:
        """Rosenblatt's rule for every example; returns how many were wrong."""
        w, b = self._w, self._b  # (features, neurons), (neurons,)
        mistakes = 0
        for i in self._order(len(X)):
            x = X[i]  # (features,)
            y_hat = x @ w + b > 0  # (neurons,)
            error = y[i] - y_hat  # 0 where the answer is right, else 1 or -1
            if error.any():
                dw = self.eta * sample_weight[i] * error
                w += np.outer(x, dw)
                b += dw
                mistakes += 1
        return mistakes

    def _learn(
        self,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray,
        epochs: int | None,
    ) -> None:
        for _ in range(epochs or self.max_iter):
            mistakes = self._epoch(X, y, sample_weight)
            self._remember(mistakes)
            if mistakes == 0:
                return
        if epochs is None:
            warn(
                f"Perceptron still answered {mistakes} of {len(X)} examples wrongly in "
                f"epoch {self.n_iter_}, the last. Either no straight line separates "
                "the classes (Adaline and MLPClassifier do not need one), or it needs "
                f"more epochs than max_iter={self.max_iter}."
            )

    def _check_arguments(self) -> None:
        super()._check_arguments()
        positive(self.eta, "eta")
        positive(self.max_iter, "max_iter", whole=True)
