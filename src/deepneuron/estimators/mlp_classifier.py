"""MLPClassifier: layers of neurons that tell classes apart."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from deepneuron import losses, ops
from deepneuron.errors import DataError
from deepneuron.estimators.checking import checked_classes
from deepneuron.estimators.mlp import MLP, goes_by_epochs


class MLPClassifier(ClassifierMixin, MLP):
    """p = softmax(z),  z = W_n act(... act(W_1 x + b_1) ...) + b_n
    cost = -mean over a batch of log p[y] + alpha / 2 * sum of W^2 / batch

    For two classes, and for several labels that are each yes or no, p is the sigmoid of
    z instead. The gradients come from backpropagation through `model_`, which is a
    `deepneuron.Sequential` whose last layer says z (logits).

    Names, defaults and numbers are those of scikit-learn's MLPClassifier: with the same
    `random_state` it learns the same weights, up to rounding.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer.
        activation: of the hidden layers: "relu", "tanh", "logistic", "identity", or any
            other name of `deepneuron.activations`.
        solver: "adam", "sgd", "lbfgs" (for small data), or any other name of
            `deepneuron.optimizers`.
        alpha: the strength of the penalty on large weights.
        batch_size: examples a step; "auto" is 200, or all if they are fewer.
        learning_rate: "constant"; or, for "sgd", "invscaling" (divided by the number of
            examples seen to the power of `power_t`) or "adaptive" (divided by 5 when
            the loss stalls).
        learning_rate_init: the learning rate to begin with.
        power_t: see `learning_rate`.
        max_iter: the largest number of epochs, that is of passes over the examples.
        shuffle: whether each epoch takes the examples in a fresh order.
        random_state: what weights, orders and the validation set depend on; a whole
            number gives the same in every run.
        tol: how much better an epoch must be than the best one, or it has stalled.
        verbose: whether to print the loss of each epoch.
        warm_start: whether `fit` goes on from the weights that there are.
        momentum, nesterovs_momentum: of "sgd".
        early_stopping: whether to keep a part of the data for validation, to stop when
            its score stalls, and to go back to the best weights.
        validation_fraction: how large that part is.
        beta_1, beta_2, epsilon: of "adam".
        n_iter_no_change: so many epochs in a row may stall.
        max_fun: the largest number of evaluations of the cost by "lbfgs".
        keep_weights: whether `weights_history_` is kept; it takes as much memory as
            n_iter_ networks.

    Attributes:
        model_: the deepneuron model, for `summary`, `save`, and everything else.
        coefs_, intercepts_: kernels (inputs, outputs) and biases of its layers.
        loss_curve_: the cost of each epoch (of each step, for "lbfgs").
        weights_history_: (coefs, intercepts) after each epoch.
        n_iter_: the number of epochs.
        loss_, best_loss_: the last and the smallest of loss_curve_.
        validation_scores_, best_validation_score_: with early_stopping, the accuracy.
        classes_, n_outputs_, n_layers_, out_activation_, t_: as in scikit-learn.
        n_features_in_, feature_names_in_: of the data.

    A `ConvergenceWarning` says that `max_iter` epochs were not enough.

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]  # exclusive or
    >>> network = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
    >>> network.predict(X)
    array([0, 1, 1, 0])
    >>> [kernel.shape for kernel in network.coefs_]
    [(2, 8), (8, 1)]
    """

    classes_: np.ndarray
    _labels: bool

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from random weights on.

        Args:
            X: examples, (samples, features). float32 is computed in float32, everything
                else in float64.
            y: the class of each, (samples,), or 0 and 1 for each label,
                (samples, labels).
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
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> Self:
        """One more epoch, on these examples, from the weights that there are.

        Args:
            X, y, sample_weight: as in `fit`.
            classes: all classes that will ever come; the first call needs it unless
                its y holds all of them.

        Returns:
            The estimator.
        """
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def decision_function(self, X: Any) -> np.ndarray:
        """z, the logits: (samples,) for two classes, else (samples, outputs)."""
        z = self._outputs(X)
        return z[:, 0] if self._is_binary() else z

    def predict_proba(self, X: Any) -> np.ndarray:
        """p, (samples, classes); for labels how likely each is, (samples, labels)."""
        z = self._outputs(X)
        if self.out_activation_ == "softmax":
            return np.asarray(ops.softmax(z))
        p = np.asarray(ops.sigmoid(z))
        return np.hstack([1 - p, p]) if self._is_binary() else p

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log p, of the shape of `predict_proba`."""
        with np.errstate(divide="ignore"):  # log 0 is -inf
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """The class of each, (samples,); for labels 0 or 1 each, (samples, labels)."""
        return self._decide(self._outputs(X))

    def _decide(self, z: np.ndarray) -> np.ndarray:
        if self.out_activation_ == "softmax":
            return self.classes_[z.argmax(axis=1)]
        positive = (z > 0).astype(int)
        return self.classes_[positive[:, 0]] if self._is_binary() else positive

    def _is_binary(self) -> bool:
        return self.out_activation_ == "logistic" and not self._labels

    def _targets(self, y: Any, first: bool, classes: Any) -> np.ndarray:
        check_classification_targets(y)
        labels = type_of_target(y) == "multilabel-indicator"
        if not first and labels != self._labels:
            raise DataError(
                "The target changed between one class for each example and several "
                "labels. Fit a new MLPClassifier for another kind of target."
            )
        self._labels = labels
        if labels:
            self.classes_ = np.arange(y.shape[1])
            self.out_activation_ = "logistic"
            return np.asarray(y)
        y = column_or_1d(y, warn=True)
        known = None if first else self.classes_
        self.classes_ = checked_classes(y, known, classes, type(self).__name__)
        two = len(self.classes_) == 2
        self.out_activation_ = "logistic" if two else "softmax"
        return y[:, None] == (self.classes_[1:] if two else self.classes_)

    def _loss(self) -> tuple[Any, float]:
        dtype = self.model_.layers[-1].compute_dtype
        if self.out_activation_ == "softmax":
            return losses.CategoricalCrossentropy(from_logits=True, dtype=dtype), 1.0
        # The sum over the labels, of which the loss takes the mean.
        loss = losses.BinaryCrossentropy(from_logits=True, dtype=dtype)
        return loss, float(self.n_outputs_)

    def _score(self, X: np.ndarray, y: np.ndarray, sample_weight: Any) -> float:
        truth = y if self.out_activation_ == "softmax" else y - 0.5  # as if it were z
        answers = self._decide(self._forward(X))
        return float(
            accuracy_score(self._decide(truth), answers, sample_weight=sample_weight)
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
