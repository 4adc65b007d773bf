"""What MLPClassifier and MLPRegressor share: a Sequential of Dense, and its loop.

    model_ = Sequential([Input, Dense(100, "relu"), Dense(outputs)])
    each epoch: shuffle, cut into batches, `train_step` for each of them

The loop is scikit-learn's, decision by decision, so that its numbers come out.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from deepneuron import activations, kernels, layers, optimizers, regularizers
from deepneuron.engine.capture import Function
from deepneuron.engine.gradients import gradients
from deepneuron.errors import ArgumentError, DataError, DivergenceError
from deepneuron.estimators.checking import between, checked_weights, one_of, positive
from deepneuron.estimators.warning import warn
from deepneuron.models import Sequential
from deepneuron.serialization import deserialize, serialize

_NAMES = {"identity": "linear", "logistic": "sigmoid"}  # scikit-learn's: ours


class MLP(BaseEstimator):
    """cost = mean over a batch of the loss + alpha / 2 * sum of squared kernels / batch

    A subclass says what the targets are (`_targets`), what the loss is (`_loss`), and
    how good a validation is (`_score`).
    """

    n_features_in_: int
    model_: Any
    loss_curve_: list[float]
    loss_: float
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    weights_history_: list[tuple[list[np.ndarray], list[np.ndarray]]]
    n_iter_: int
    n_outputs_: int
    n_layers_: int
    t_: int
    out_activation_: str
    _random: np.random.RandomState

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        keep_weights: bool = True,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.keep_weights = keep_weights

    # --- what a subclass says

    def _targets(self, y: Any, first: bool, classes: Any) -> np.ndarray:
        """The targets as numbers, (samples, outputs); sets `out_activation_`."""
        raise NotImplementedError

    def _loss(self) -> tuple[Any, float]:
        """The loss, and the number that it is multiplied by."""
        raise NotImplementedError

    def _score(self, X: np.ndarray, y: np.ndarray, sample_weight: Any) -> float:
        """How good the answers for validation data are; more is better."""
        raise NotImplementedError

    # --- learning

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        incremental: bool = False,
        classes: Any = None,
    ) -> Self:
        self._check_arguments(incremental)
        first = not (hasattr(self, "model_") and (incremental or self.warm_start))
        X, y = validate_data(
            self,
            X,
            y,
            dtype=(np.float64, np.float32),
            multi_output=True,
            reset=first,
        )
        targets = self._targets(y, first, classes)
        targets = targets.astype(X.dtype)  # (samples, outputs)
        if not first and targets.shape[1] != self.n_outputs_:
            raise DataError(
                f"{type(self).__name__} has {self.n_outputs_} outputs, but this target "
                f"needs {targets.shape[1]}. Fit a new one, or set warm_start=False."
            )
        weights = None
        total = float(len(X))
        if sample_weight is not None:
            weights = checked_weights(sample_weight, X)
            total = float(weights.sum())
            used = weights > 0
            X, targets, weights = X[used], targets[used], weights[used]
            weights = weights / weights.mean()
        if first:
            self._start(X, targets)
        batches = int(np.ceil(len(X) / self._batch_size(len(X))))
        self._penalise(self.alpha / 2 * batches / total)
        if first or not incremental:
            self._random = check_random_state(self.random_state)
            if first:
                self._draw_weights()
            loss, scale = self._loss()
            self.model_.compile(self._optimizer(), loss, loss_weights=scale)
        if self.solver == "lbfgs":
            self._descend_lbfgs(X, targets, weights)
        else:
            self._descend(X, targets, weights, incremental)
        return self

    def _start(self, X: np.ndarray, targets: np.ndarray) -> None:
        sizes = _sizes(self.hidden_layer_sizes)
        name, dtype = _NAMES.get(self.activation, self.activation), X.dtype.name
        self.n_outputs_, self.n_layers_ = targets.shape[1], len(sizes) + 2

        def dense(units: int, activation: str | None, name: str) -> Any:
            # Zeros, because `_draw_weights` follows, with the estimator's own chance.
            return layers.Dense(
                units,
                activation,
                kernel_initializer="zeros",
                kernel_regularizer=regularizers.L2(0.0),
                dtype=dtype,
                name=name,
            )

        self.model_ = Sequential(
            [
                layers.Input((X.shape[1],), dtype=dtype),
                *(dense(n, name, f"hidden_{i + 1}") for i, n in enumerate(sizes)),
                dense(self.n_outputs_, None, "output"),
            ],
            name="mlp",
        )
        self.loss_curve_, self.weights_history_ = [], []
        self.n_iter_ = self.t_ = 0
        self._stalled = 0
        self.best_loss_ = None if self.early_stopping else np.inf
        self.validation_scores_ = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None

    def _draw_weights(self) -> None:
        """w, b ~ U(-bound, bound),  bound = sqrt(6 / (inputs + outputs))

        For sigmoids there is a 2 in place of the 6. Source: Glorot and Bengio, 2010.
        """
        factor = 2.0 if self.activation == "logistic" else 6.0
        weights = []
        shapes = [layer.kernel.shape for layer in self.model_.layers]
        for fan_in, fan_out in shapes:
            bound = np.sqrt(factor / (fan_in + fan_out))
            weights.append(self._random.uniform(-bound, bound, (fan_in, fan_out)))
            weights.append(self._random.uniform(-bound, bound, fan_out))
        self.model_.set_weights(weights)

    def _penalise(self, l2: float) -> None:
        """Set the strength of the penalty on the kernels."""
        penalties = [layer.kernel_regularizer for layer in self.model_.layers]
        if any(penalty.l2 != l2 for penalty in penalties):
            for penalty in penalties:
                penalty.l2 = l2
            self.model_._functions.clear()  # planned steps have the old number in them

    def _optimizer(self) -> Any:
        rate = float(self.learning_rate_init)
        if self.solver == "sgd":
            return optimizers.SGD(
                rate, momentum=self.momentum, nesterov=self.nesterovs_momentum
            )
        if self.solver in ("adam", "lbfgs"):  # Adam takes over from lbfgs in model_.fit
            return optimizers.Adam(
                rate, beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon
            )
        optimizer = optimizers.get(self.solver)
        optimizer.learning_rate = rate
        return optimizer

    def _batch_size(self, samples: int) -> int:
        size = 200 if self.batch_size == "auto" else int(self.batch_size)
        return min(size, samples)

    def _descend(
        self, X: np.ndarray, y: np.ndarray, weights: Any, incremental: bool
    ) -> None:
        """Epoch after epoch, until the loss (or the validation score) stalls."""
        validation = None
        if self.early_stopping:
            X, y, weights, validation = self._split(X, y, weights)
        best = self.model_.get_weights()
        order = np.arange(len(X))
        self._stalled = self._stalled if incremental else 0
        for _ in range(1 if incremental else self.max_iter):
            if self.shuffle:
                order = order[self._random.permutation(len(X))]
            self._remember(self._epoch(X, y, weights, order))
            self.t_ += len(X)
            if validation is not None:
                if self._validate(validation):
                    best = self.model_.get_weights()
            else:
                self._compare_loss()
            if self.solver == "sgd" and self.learning_rate == "invscaling":
                rate = self.learning_rate_init / (self.t_ + 1) ** self.power_t
                self.model_.optimizer.learning_rate = rate
            if self._stalled > self.n_iter_no_change and self._may_stop():
                break
        else:
            if not incremental:
                warn(
                    f"{type(self).__name__} has not converged after max_iter="
                    f"{self.max_iter} epochs: the loss is {self.loss_:.4g} and still "
                    "falls. Standardise the features (StandardScaler), raise max_iter "
                    "or learning_rate_init, or accept it by a larger tol."
                )
        if validation is not None:
            self.model_.set_weights(best)

    def _epoch(
        self, X: np.ndarray, y: np.ndarray, weights: Any, order: np.ndarray
    ) -> float:
        """One `train_step` for each batch; returns the mean of the losses."""
        # Not model_.train_on_batch, which would cut float64 data to float32 first.
        step = self.model_._function("train", self.model_.train_step)
        size = self._batch_size(len(X))
        logs = {}
        self.model_.reset_metrics()
        for start in range(0, len(X), size):
            rows = order[start : start + size]
            batch = X[rows], y[rows], None if weights is None else weights[rows]
            logs = step(batch)
        loss = float(logs["loss"])
        if not np.isfinite(loss):
            raise DivergenceError(
                f"The loss of {type(self).__name__} is {loss} in epoch "
                f"{self.n_iter_ + 1}. Standardise the features (StandardScaler) and "
                f"the target, or lower learning_rate_init={self.learning_rate_init!r}."
            )
        return loss

    def _remember(self, loss: float) -> None:
        """An epoch is over: write down its loss and the weights it led to."""
        self.n_iter_ += 1
        self.loss_ = loss
        self.loss_curve_.append(loss)
        if self.keep_weights:
            self.weights_history_.append((self.coefs_, self.intercepts_))
        if self.verbose:
            print(f"Epoch {self.n_iter_}: loss {loss:.8f}")  # noqa: T201 - asked for

    def _split(self, X: np.ndarray, y: np.ndarray, weights: Any) -> Any:
        """What to train on, and what to validate with."""
        two_classes = self.out_activation_ == "logistic" and self.n_outputs_ == 1
        parts = [X, y] if weights is None else [X, y, weights]
        parts = train_test_split(
            *parts,
            random_state=self._random,
            test_size=self.validation_fraction,
            stratify=y if two_classes else None,
        )
        training, validation = parts[::2], parts[1::2]
        if len(validation[0]) < 2:
            raise ArgumentError(
                f"The validation set has {len(validation[0])} samples and needs 2. "
                f"Raise validation_fraction={self.validation_fraction}, or bring more "
                "data."
            )
        missing = [None] if weights is None else []
        return (*training, *missing, (*validation, *missing))

    def _validate(self, validation: Any) -> bool:
        """Take the validation score down; whether it is the best so far."""
        score = self._score(*validation)
        scores = self.validation_scores_ or []
        best = max(scores, default=-np.inf)
        self.validation_scores_ = [*scores, score]
        self._stalled = self._stalled + 1 if score < best + self.tol else 0
        self.best_validation_score_ = max(best, score)
        return score > best

    def _compare_loss(self) -> None:
        best = np.inf if self.best_loss_ is None else self.best_loss_
        self._stalled = self._stalled + 1 if self.loss_ > best - self.tol else 0
        self.best_loss_ = min(best, self.loss_)

    def _may_stop(self) -> bool:
        """True; but an adaptive learning rate is lowered before one gives up."""
        optimizer = self.model_.optimizer
        rate = float(optimizer.learning_rate)
        if self.solver != "sgd" or self.learning_rate != "adaptive" or rate <= 1e-6:
            return True
        optimizer.learning_rate = rate / 5
        self._stalled = 0
        return False

    def _descend_lbfgs(self, X: np.ndarray, y: np.ndarray, weights: Any) -> None:
        """SciPy's quasi-Newton method, with the gradients of the whole data."""
        from scipy.optimize import minimize

        model = self.model_
        shapes = [w.shape for w in model.trainable_variables]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

        def cost(x: Any, y: Any, sample_weight: Any) -> Any:
            y_pred = model(x, training=True)
            loss = model.compute_loss(
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight
            )
            return loss, gradients(loss, model.trainable_variables)

        planned = Function(cost, kernels=kernels.current)

        def assign(flat: np.ndarray) -> None:
            parts = np.split(flat, ends[:-1])
            model.set_weights(
                [p.reshape(s) for p, s in zip(parts, shapes, strict=True)]
            )

        def cost_at(flat: np.ndarray) -> tuple[float, np.ndarray]:
            assign(flat)
            loss, grads = planned(X, y, weights)
            flat_grads = np.concatenate([np.ravel(g) for g in grads])
            return float(loss), flat_grads.astype(np.float64)

        def after(intermediate_result: Any) -> None:
            assign(intermediate_result.x)
            self._remember(float(intermediate_result.fun))

        start = np.concatenate([w.ravel() for w in model.get_weights()])
        options = {"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol}
        result = minimize(
            cost_at,
            start.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            options=options,
            callback=after,
        )
        assign(result.x)
        if not self.loss_curve_:  # the first weights were the best
            self._remember(float(result.fun))
        if not np.isfinite(result.fun):
            raise DivergenceError(
                f"The loss of {type(self).__name__} is {result.fun}. Standardise the "
                "features (StandardScaler) and the target."
            )
        if not result.success:
            warn(
                f"{type(self).__name__} has not converged after {self.n_iter_} steps "
                f"of lbfgs ({result.message}). Standardise the features "
                "(StandardScaler), or raise max_iter or max_fun."
            )

    def _check_arguments(self, incremental: bool) -> None:
        _sizes(self.hidden_layer_sizes)
        if not isinstance(self.activation, str):
            raise ArgumentError(
                f"activation must be a name; received {self.activation!r}."
            )
        activations.get(_NAMES.get(self.activation, self.activation))
        if not isinstance(self.solver, str):
            raise ArgumentError(f"solver must be a name; received {self.solver!r}.")
        if self.solver != "lbfgs":
            optimizers.get(self.solver)
        one_of(self.learning_rate, "learning_rate", _SCHEDULES)
        if not (isinstance(self.batch_size, str) and self.batch_size == "auto"):
            positive(self.batch_size, "batch_size", whole=True)
        for name in ("learning_rate_init", "epsilon"):
            positive(getattr(self, name), name)
        for name in ("max_iter", "max_fun"):
            positive(getattr(self, name), name, whole=True)
        if self.n_iter_no_change != np.inf:
            positive(self.n_iter_no_change, "n_iter_no_change", whole=True)
        for name in ("alpha", "tol", "power_t"):
            between(getattr(self, name), name, 0, np.inf)
        for name in ("validation_fraction", "beta_1", "beta_2"):
            between(getattr(self, name), name, 0, 1)
        between(self.momentum, "momentum", 0, 1, closed=True)
        if incremental and self.early_stopping:
            raise ArgumentError(
                "partial_fit cannot stop early, because it is one epoch. Set "
                "early_stopping=False, or call fit."
            )

    # --- answers

    def _outputs(self, X: Any) -> np.ndarray:
        """What the last layer says: logits, or numbers, (samples, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return self._forward(X)

    def _forward(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.model_(X, training=False))

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The kernel of every layer, (inputs, outputs); copies of those in `model_`."""
        return [np.array(layer.kernel.numpy()) for layer in self._dense_layers()]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The bias of every layer, (outputs,); copies of those in `model_`."""
        return [np.array(layer.bias.numpy()) for layer in self._dense_layers()]

    def _dense_layers(self) -> list[Any]:
        if "model_" not in vars(self):
            raise AttributeError(
                f"This {type(self).__name__} has no weights yet: call fit first."
            )
        return list(self.model_.layers)

    # --- pickling: the model as plain data, because planned steps hold functions

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            model = state.pop("model_")
            state["model_as_data"] = {
                "model": serialize(model),
                "weights": model.get_weights(),
                "optimizer": serialize(model.optimizer),
                "slots": [np.array(v.numpy()) for v in model.optimizer.variables],
            }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        data = state.pop("model_as_data", None)
        super().__setstate__(state)
        if data is None:
            return
        self.model_ = deserialize(data["model"])
        self.model_.set_weights(data["weights"])
        loss, scale = self._loss()
        optimizer = optimizers.get(data["optimizer"])
        self.model_.compile(optimizer, loss, loss_weights=scale)
        optimizer.build(self.model_.trainable_variables)
        if len(optimizer.variables) == len(data["slots"]):
            optimizer.set_weights(data["slots"])


def goes_by_epochs(network: MLP) -> bool:
    """Whether there is a partial_fit."""
    if network.solver == "lbfgs":
        raise AttributeError(
            'partial_fit goes by epochs, which solver="lbfgs" does not have. Take '
            'solver="adam" or "sgd".'
        )
    return True


_SCHEDULES = ("constant", "invscaling", "adaptive")


def _sizes(hidden_layer_sizes: Any) -> list[int]:
    whole = isinstance(hidden_layer_sizes, (int, np.integer))
    if not whole and not np.iterable(hidden_layer_sizes):
        raise ArgumentError(
            "hidden_layer_sizes must be the number of neurons of each hidden layer, "
            f"such as (100,); received {hidden_layer_sizes!r}."
        )
    sizes = [hidden_layer_sizes] if whole else list(hidden_layer_sizes)
    for size in sizes:
        positive(size, "Each of hidden_layer_sizes", whole=True)
    return [int(size) for size in sizes]
