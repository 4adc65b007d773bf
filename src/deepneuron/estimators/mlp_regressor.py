"""MLPRegressor: layers of neurons that predict numbers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from deepneuron import losses
from deepneuron.estimators.mlp import MLP, goes_by_epochs


class MLPRegressor(RegressorMixin, MLP):
    """z = W_n act(... act(W_1 x + b_1) ...) + b_n
    cost = 1/2 mean over a batch of (z - y)^2 + alpha / 2 * sum of W^2 / batch

    The gradients come from backpropagation through `model_`, which is a
    `deepneuron.Sequential`. Several numbers for each example are allowed; (z - y)^2 is
    then the sum over them. Standardise a target whose numbers are large.

    Names, defaults and numbers are those of scikit-learn's MLPRegressor: with the same
    `random_state` it learns the same weights, up to rounding.

    Args:
        hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate,
            learning_rate_init, power_t, max_iter, shuffle, random_state, tol, verbose,
            warm_start, momentum, nesterovs_momentum, early_stopping,
            validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun,
            keep_weights: see `MLPClassifier`.

    Attributes:
        model_, coefs_, intercepts_, loss_curve_, weights_history_, n_iter_, loss_,
            best_loss_, n_outputs_, n_layers_, out_activation_, t_, n_features_in_,
            feature_names_in_: see `MLPClassifier`.
        validation_scores_, best_validation_score_: with early_stopping, R^2.

    A `ConvergenceWarning` says that `max_iter` epochs were not enough.

    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> network = MLPRegressor((16,), "tanh", solver="lbfgs", random_state=0)
    >>> network.fit(X, np.sin(3 * X[:, 0])).score(X, np.sin(3 * X[:, 0])) > 0.99
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from random weights on.

        Args:
            X: examples, (samples, features). float32 is computed in float32, everything
                else in float64.
            y: the number, (samples,), or the numbers, (samples, outputs), of each.
            sample_weight: how much each example counts, (samples,).

        Returns:
            The estimator.

        Raises:
            ValueError: data that cannot be learned from, or an argument outside of
                what is allowed.
            DivergenceError: the loss left the finite numbers.
        """
        return self._fit(X, y, sample_weight)

    @available_if(goes_by_epochs)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One more epoch, on these examples, from the weights that there are.

        Args:
            X, y, sample_weight: as in `fit`.

        Returns:
            The estimator.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """z: (samples,) for one number an example, else (samples, outputs)."""
        z = self._outputs(X)
        return z[:, 0] if self.n_outputs_ == 1 else z

    def _targets(self, y: Any, first: bool, classes: Any) -> np.ndarray:
        self.out_activation_ = "identity"
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return np.asarray(y[:, None] if y.ndim == 1 else y, dtype=np.float64)

    def _loss(self) -> tuple[Any, float]:
        dtype = self.model_.layers[-1].compute_dtype
        # Half of the sum over the outputs, of which the loss takes the mean.
        return losses.MeanSquaredError(dtype=dtype), self.n_outputs_ / 2

    def _score(self, X: np.ndarray, y: np.ndarray, sample_weight: Any) -> float:
        return float(r2_score(y, self._forward(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
