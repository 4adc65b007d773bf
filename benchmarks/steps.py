"""Milliseconds per training step, ours and PyTorch's, through the public `fit`.

    python -m benchmarks.steps

Both train the same networks with the same optimizer on the same data, in turn within
one process; printed are medians and the ratio ours / PyTorch. An absolute time means
little on a shared machine, the ratio much.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

import deepneuron as dn

ROUNDS = 7


class Case(NamedTuple):
    """A multi-layer perceptron and the batches that it is trained on."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    steps: int


CASES = (
    Case("tiny 2-8-8-2, batch 32", (2, 8, 8, 2), 32, 300),
    Case("MLP 784-512-256-10, batch 128", (784, 512, 256, 10), 128, 60),
    Case("MLP 784-512-256-10, batch 32", (784, 512, 256, 10), 32, 60),
)


def data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    count = case.batch * case.steps
    x = rng.normal(size=(count, case.sizes[0])).astype("float32")
    return x, rng.integers(0, case.sizes[-1], count)


def ours(case: Case) -> Callable[[], None]:
    """An epoch of `fit`, after the plan was made."""
    layers = [dn.layers.Input((case.sizes[0],))]
    layers += [dn.layers.Dense(n, activation="relu") for n in case.sizes[1:-1]]
    model = dn.Sequential([*layers, dn.layers.Dense(case.sizes[-1])])
    loss = dn.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss=loss)
    x, y = data(case)

    def epoch() -> None:
        model.fit(x, y, batch_size=case.batch, verbose=0, shuffle=False)

    return epoch


def pytorch(case: Case) -> Callable[[], None]:
    """The loop that PyTorch's tutorials write."""
    layers: list[torch.nn.Module] = []
    for n, m in zip(case.sizes, case.sizes[1:], strict=False):
        layers += [torch.nn.Linear(n, m), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
    x, y = map(torch.from_numpy, data(case))

    def epoch() -> None:
        for i in range(0, len(x), case.batch):
            optimizer.zero_grad()
            z = model(x[i : i + case.batch])
            loss = torch.nn.functional.cross_entropy(z, y[i : i + case.batch])
            loss.backward()
            optimizer.step()

    return epoch


def milliseconds(epoch: Callable[[], None], steps: int) -> float:
    began = time.perf_counter()
    epoch()
    return 1000 * (time.perf_counter() - began) / steps


def main() -> None:
    print(f"{'':<32}{'ours':>10}{'PyTorch':>10}{'ratio':>8}")
    for case in CASES:
        peers = {"ours": ours(case), "PyTorch": pytorch(case)}
        times: dict[str, list[float]] = {name: [] for name in peers}
        for turn in range(ROUNDS + 1):  # the first makes plans and warms caches
            for name, epoch in peers.items():
                spent = milliseconds(epoch, case.steps)
                if turn:
                    times[name].append(spent)
        a, b = (statistics.median(times[name]) for name in peers)
        print(f"{case.name:<32}{a:>8.3f}ms{b:>8.3f}ms{a / b:>8.2f}")


if __name__ == "__main__":
    main()
