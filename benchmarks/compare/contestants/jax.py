"""JAX: one jitted function for the whole step, written by hand, Adam included."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from benchmarks.compare.cases import LEARNING_RATE, Case, Task
from benchmarks.compare.network import (
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    Network,
    Part,
    ReLU,
    Residual,
)

Tree = Any  # lists of dictionaries of arrays
STATISTICS = ("mean", "variance")
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class JaxLearner:
    def __init__(self, task: Task) -> None:
        self.case = task.case
        params = [
            {k: jnp.asarray(v) for k, v in own.items() if k not in STATISTICS}
            for own in task.weights
        ]
        statistics = [
            {k: jnp.asarray(v) for k, v in own.items() if k in STATISTICS}
            for own in task.weights
        ]
        zeros = jax.tree.map(jnp.zeros_like, params)
        slots = (jnp.zeros((), "int32"), zeros, zeros)  # step, m, v
        self.state = jax.tree.map(jnp.copy, (params, statistics, slots))
        self.step = jax.jit(partial(_step, self.case), donate_argnums=0)
        self.forward = jax.jit(
            lambda params, statistics, x: _run(
                self.case.network, x, iter(params), iter(statistics), []
            )
        )

    def ready(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x, y if self.case.loss == "mse" else y.astype("int32")

    def fit(self, x: np.ndarray, y: np.ndarray) -> float:
        n = self.case.batch
        for i in range(0, len(x), n):
            self.state, loss = self.step(self.state, x[i : i + n], y[i : i + n])
        jax.block_until_ready(self.state)
        return float(loss)

    def predict(self, x: np.ndarray) -> np.ndarray:
        params, statistics, _ = self.state
        return np.asarray(self.forward(params, statistics, x))


def _step(case: Case, state: Tree, x: Any, y: Any) -> tuple[Tree, Any]:
    params, statistics, slots = state

    def loss_of(params: Tree) -> tuple[Any, Tree]:
        moved: list[dict[str, Any]] = []
        z = _run(case.network, x, iter(params), iter(statistics), moved, training=True)
        if case.loss == "mse":
            return jnp.mean((z - y) ** 2), moved
        z = jax.nn.log_softmax(z)
        return -jnp.mean(jnp.take_along_axis(z, y[:, None], axis=1)), moved

    (loss, moved), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
    rate = LEARNING_RATE[case.optimizer]
    if case.optimizer == "sgd":
        params = jax.tree.map(lambda p, g: p - rate * g, params, grads)
    else:
        params, slots = _adam(params, grads, slots, rate)
    return (params, moved, slots), loss


def _adam(params: Tree, grads: Tree, slots: Tree, rate: float) -> tuple[Tree, Tree]:
    t, m, v = slots
    t = t + 1
    m = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, m, grads)
    v = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, v, grads)
    alpha = rate * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    params = jax.tree.map(
        lambda p, m, v: p - alpha * m / (jnp.sqrt(v) + EPSILON), params, m, v
    )
    return params, (t, m, v)


def _run(
    network: Network,
    x: Any,
    params: Any,
    statistics: Any,
    moved: list[dict[str, Any]],
    training: bool = False,
) -> Any:
    """The outputs for x; what the statistics have become is appended to `moved`."""
    for part in network:
        if isinstance(part, Residual):
            y = _run(part.body, x, params, statistics, moved, training)
            x = _run(part.shortcut, x, params, statistics, moved, training)
            x = jax.nn.relu(y + x)
        elif isinstance(part, (Dense, Conv, DepthwiseConv, BatchNorm)):
            own, old = next(params), next(statistics)
            if isinstance(part, BatchNorm):
                x, old = _batch_norm(part, x, own, old, training)
            else:
                x = _linear(part, x, own)
            moved.append(old)
        else:
            x = _without_weights(part, x)
    return x


def _linear(part: Part, x: Any, own: dict[str, Any]) -> Any:
    kernel, groups = own["kernel"], 1
    if isinstance(part, Dense):
        y = x @ kernel
    else:
        assert isinstance(part, (Conv, DepthwiseConv))
        padding = part.padding if isinstance(part, Conv) else "same"
        if isinstance(part, DepthwiseConv):  # (h, w, c, 1) -> (h, w, 1, c)
            kernel, groups = jnp.swapaxes(kernel, 2, 3), x.shape[-1]
        y = lax.conv_general_dilated(
            x,
            kernel,
            (part.stride, part.stride),
            padding.upper(),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=groups,
        )
    if "bias" in own:
        y = y + own["bias"]
    return jax.nn.relu(y) if getattr(part, "activation", None) == "relu" else y


def _batch_norm(
    part: BatchNorm, x: Any, own: dict[str, Any], old: dict[str, Any], training: bool
) -> tuple[Any, dict[str, Any]]:
    mean, variance = old["mean"], old["variance"]
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        keep = part.momentum
        old = {
            "mean": keep * old["mean"] + (1 - keep) * mean,
            "variance": keep * old["variance"] + (1 - keep) * variance,
        }
    scale = own["gamma"] * lax.rsqrt(variance + part.epsilon)
    return (x - mean) * scale + own["beta"], old


def _without_weights(part: Part, x: Any) -> Any:
    match part:
        case ReLU():
            return jax.nn.relu(x)
        case MaxPool():
            window = (1, part.size, part.size, 1)
            return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        case GlobalAveragePool():
            return x.mean((1, 2))
        case Flatten():
            return x.reshape(len(x), -1)
    raise AssertionError(part)


def build(task: Task, variant: tuple[str, ...]) -> JaxLearner:
    return JaxLearner(task)
