"""What is trained: networks, batches, optimizers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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
    Shape,
    make_weights,
)

LEARNING_RATE = {"adam": 0.001, "sgd": 0.01}
CHECKED = 20  # steps, after which all contestants must have the same loss


class Case(NamedTuple):
    """A network, its batches and its optimizer.

    Attributes:
        key: how it is called on the command line.
        title: how it is called in tables.
        steps: of one timed turn.
        loss: "crossentropy", of logits and classes, or "mse".
    """

    key: str
    title: str
    network: Network
    shape: Shape
    batch: int
    optimizer: str
    steps: int
    loss: str = "crossentropy"

    @property
    def outputs(self) -> int:
        last = self.network[-1]
        assert isinstance(last, Dense)
        return last.units

    @property
    def is_mlp(self) -> bool:
        return all(isinstance(part, Dense) for part in self.network)


class Task(NamedTuple):
    """A case with the numbers that every contestant gets: plain data for a process."""

    case: Case
    weights: list[dict[str, np.ndarray]]
    x: np.ndarray  # (samples, *shape)
    y: np.ndarray  # (samples,) classes, or (samples, outputs)

    def batches(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """The samples of batches `first` to `last`, without the latter."""
        span = slice(first * self.case.batch, last * self.case.batch)
        return self.x[span], self.y[span]


def make_task(case: Case, seed: int = 0) -> Task:
    """Noise, and in it something to learn, so that other networks have other losses."""
    rng = np.random.default_rng(seed)
    count = case.batch * max(case.steps, CHECKED + 1)
    x = rng.standard_normal((count, *case.shape), "float32")
    if case.loss == "mse":
        y = np.sin(x.reshape(count, -1)[:, : case.outputs])
    else:
        y = rng.integers(0, case.outputs, count)
        patterns = rng.standard_normal((case.outputs, *case.shape), "float32")
        for i, label in enumerate(y):
            x[i] += 0.5 * patterns[label]
    return Task(case, make_weights(case.network, case.shape, seed), x, y)


def save(task: Task, path: str) -> None:
    """The numbers of a task as an .npz."""
    named = {
        f"{i}.{name}": value
        for i, own in enumerate(task.weights)
        for name, value in own.items()
    }
    np.savez(path, **named, x=task.x, y=task.y)  # type: ignore[arg-type]


def load(case: Case, path: str) -> Task:
    with np.load(path) as arrays:
        weights: list[dict[str, np.ndarray]] = []
        for key in arrays.files:
            number, _, name = key.partition(".")
            if not name:
                continue
            if int(number) == len(weights):
                weights.append({})
            weights[int(number)][name] = arrays[key]
        return Task(case, weights, arrays["x"], arrays["y"])


# --- networks


def mlp(*units: int) -> Network:
    """Dense layers with ReLU; the last one without."""
    return (*(Dense(n, "relu") for n in units[:-1]), Dense(units[-1]))


MNIST_CONVNET: Network = (
    Conv(32, activation="relu", padding="valid"),
    MaxPool(),
    Conv(64, activation="relu", padding="valid"),
    MaxPool(),
    Flatten(),
    Dense(10),
)


def _conv_norm(filters: int, size: int = 3, stride: int = 1) -> Network:
    return Conv(filters, size, stride, bias=False), BatchNorm()


def resnet(blocks: int) -> Network:
    """ResNet of 6 * blocks + 2 layers for small pictures (arXiv:1512.03385, 4.2).

    Where size and channels change, the shortcut is a strided 1 x 1 convolution.
    """
    parts: list[Part] = [*_conv_norm(16), ReLU()]
    channels = 16
    for filters in (16, 32, 64):
        for _ in range(blocks):
            stride = 1 if filters == channels else 2
            body = (
                *_conv_norm(filters, stride=stride),
                ReLU(),
                *_conv_norm(filters),
            )
            shortcut = () if stride == 1 else _conv_norm(filters, 1, stride)
            parts.append(Residual(body, shortcut))
            channels = filters
    return (*parts, GlobalAveragePool(), Dense(10))


def mobilenet() -> Network:
    """Depthwise convolutions between 1 x 1 convolutions (arXiv:1704.04861), small."""
    parts: list[Part] = [*_conv_norm(32, stride=2), ReLU()]
    for filters, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        parts += [DepthwiseConv(stride=stride), BatchNorm(), ReLU()]
        parts += [*_conv_norm(filters, 1), ReLU()]
    return (*parts, GlobalAveragePool(), Dense(10))


def _mlp_case(key: str, sizes: tuple[int, ...], batch: int, how: str, n: int) -> Case:
    name = "-".join(map(str, sizes))
    loss = "mse" if sizes[-1] == 1 else "crossentropy"
    title = f"MLP {name}, batch {batch}, {'Adam' if how == 'adam' else 'SGD'}"
    return Case(key, title, mlp(*sizes[1:]), sizes[:1], batch, how, n, loss)


def _picture_case(key: str, title: str, net: Network, side: Shape, n: int) -> Case:
    batch = 128 if side[-1] == 1 else 64
    return Case(key, f"{title}, batch {batch}, Adam", net, side, batch, "adam", n)


TINY, MNIST, TABLE = (2, 8, 8, 2), (784, 512, 256, 10), (32, 64, 64, 1)
CASES = (
    _mlp_case("tiny-sgd", TINY, 32, "sgd", 1000),
    _mlp_case("tiny-adam", TINY, 32, "adam", 1000),
    _mlp_case("mlp-32-adam", MNIST, 32, "adam", 100),
    _mlp_case("mlp-32-sgd", MNIST, 32, "sgd", 100),
    _mlp_case("mlp-128-adam", MNIST, 128, "adam", 100),
    _mlp_case("mlp-128-sgd", MNIST, 128, "sgd", 100),
    _mlp_case("tabular-32", TABLE, 32, "adam", 500),
    _mlp_case("tabular-1024", TABLE, 1024, "adam", 100),
    _picture_case("convnet", "MNIST convnet", MNIST_CONVNET, (28, 28, 1), 20),
    _picture_case("resnet-8", "ResNet-8", resnet(1), (32, 32, 3), 8),
    _picture_case("resnet-20", "ResNet-20", resnet(3), (32, 32, 3), 4),
    _picture_case("mobilenet", "MobileNet, small", mobilenet(), (32, 32, 3), 8),
)
