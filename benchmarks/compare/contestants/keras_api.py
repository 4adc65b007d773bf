"""A task in the API that deepneuron and Keras have in common: one code for both."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

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


class KerasLearner:
    """`fit` and `predict` of a compiled functional model."""

    def __init__(self, keras: ModuleType, task: Task) -> None:
        self.batch = task.case.batch
        self.model = build(keras, task)

    def ready(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x, y

    def fit(self, x: np.ndarray, y: np.ndarray) -> float:
        history = self.model.fit(x, y, batch_size=self.batch, shuffle=False, verbose=0)
        return float(history.history["loss"][-1])

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict(x, batch_size=len(x), verbose=0)


def build(keras: ModuleType, task: Task) -> Any:
    """The compiled model, with the weights of the task."""
    case = task.case
    weighted: list[Any] = []
    x = inputs = keras.Input(case.shape)
    for part in case.network:
        x = _call(keras, part, x, weighted)
    model = keras.Model(inputs, x)
    for layer, own in zip(weighted, task.weights, strict=True):
        layer.set_weights(list(own.values()))
    model.compile(_optimizer(keras, case), loss=_loss(keras, case))
    return model


def _optimizer(keras: ModuleType, case: Case) -> Any:
    kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[case.optimizer]
    return kind(LEARNING_RATE[case.optimizer])


def _loss(keras: ModuleType, case: Case) -> Any:
    if case.loss == "mse":
        return keras.losses.MeanSquaredError()
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _call(keras: ModuleType, part: Part, x: Any, weighted: list[Any]) -> Any:
    """part(x); layers with weights are noted in the order of `network.walk`."""
    if isinstance(part, Residual):
        y = _chain(keras, part.body, x, weighted)
        x = _chain(keras, part.shortcut, x, weighted)
        return keras.layers.ReLU()(keras.layers.Add()([y, x]))
    layer = _layer(keras.layers, part)
    if isinstance(part, (Dense, Conv, DepthwiseConv, BatchNorm)):
        weighted.append(layer)
    return layer(x)


def _chain(keras: ModuleType, parts: Network, x: Any, weighted: list[Any]) -> Any:
    for part in parts:
        x = _call(keras, part, x, weighted)
    return x


def _layer(layers: Any, part: Part) -> Any:
    match part:
        case Dense():
            return layers.Dense(part.units, activation=part.activation)
        case Conv():
            return layers.Conv2D(
                part.filters,
                part.size,
                part.stride,
                padding=part.padding,
                activation=part.activation,
                use_bias=part.bias,
            )
        case DepthwiseConv():
            return layers.DepthwiseConv2D(
                part.size, part.stride, padding="same", use_bias=False
            )
        case BatchNorm():
            return layers.BatchNormalization(
                momentum=part.momentum, epsilon=part.epsilon
            )
        case ReLU():
            return layers.ReLU()
        case MaxPool():
            return layers.MaxPooling2D(part.size)
        case GlobalAveragePool():
            return layers.GlobalAveragePooling2D()
        case Flatten():
            return layers.Flatten()
    raise AssertionError(part)
