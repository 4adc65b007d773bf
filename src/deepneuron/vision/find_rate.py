"""The learning-rate finder: a few steps tell which learning rates a network can take.

    for i in range(steps):
        rate = LOWEST * (HIGHEST / LOWEST) ** (i / (steps - 1))
        take one step with this rate, and note the loss of its batch
    until the loss explodes

While the rate is too small the loss stays where it is, then it falls, and where the
rate is too large it jumps up. What is suggested is a quarter of the rate at which the
loss, smoothed, is lowest: there it still falls, and there is room for chance.

(Smith, 2017, "Cyclical Learning Rates for Training Neural Networks")
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron.errors import ArgumentError, DataError, NotBuiltError, NotCompiledError
from deepneuron.metrics import Mean
from deepneuron.ops import seed_generator
from deepneuron.saving.atomic import atomic_write
from deepneuron.training.data import unpack_x_y_sample_weight
from deepneuron.utils import PyDataset

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100

# Of the rate with the lowest loss. Tried on 24 curves (an MLP, a CNN, one with
# BatchNormalization; Adam and SGD; digits and fashion) against the accuracy after 4
# epochs: 1/4 lost the least to the best rate, 1/2 sometimes diverged, 1/10 was too low,
# and the place of the steepest fall was either.
_SHARE = 0.25
_START = 10  # so many steps tell what the loss is at the beginning
_EXPLODED = 2.0  # times the loss at the beginning
_FALL = 0.05  # of the loss at the beginning: a curve that falls by less says nothing
_NOISE = 2.0  # standard deviations of the losses at the beginning: likewise
_WIDTH = 3.0  # of the bell curve that smooths the losses, in steps
_BARS = "▁▂▃▄▅▆▇█"
_FORMATS = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class RateSearch:
    """What the search saw, and what follows from it.

    Attributes:
        rates: the learning rate of each step, rising.
        losses: the loss of each step's batch.
        smoothed: the losses, averaged over neighbouring steps.
        suggestion: a learning rate to train with.
        reason: why it is this one, in a sentence.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The same as plain lists and numbers, which are finite."""
        return {
            k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()
        }

    def line(self, width: int = 40) -> str:
        """The smoothed curve in one line of text, from the lowest rate to the highest.

        >>> curve = [2.0, 2.0, 1.0, 0.0, 3.0]
        >>> search = RateSearch((1e-4, 1e-3, 1e-2, 0.1, 1.0), curve, curve, 0.02, "")
        >>> search.line()
        'learning rate 0.0001 ▆▆▃▁█ 1; suggested: 0.02'
        """
        if not self.rates:
            return f"learning rate suggested: {self.suggestion:g}"
        count = min(width, len(self.smoothed))
        # An explosion is as high as the beginning, or it would flatten all the rest.
        smoothed = np.minimum(self.smoothed, max(self.smoothed[:_START]))
        parts = np.array_split(smoothed, count)
        heights = np.array([part.mean() for part in parts])
        height = heights.max() - heights.min() or 1.0
        levels = np.rint((heights - heights.min()) / height * (len(_BARS) - 1))
        bars = "".join(_BARS[int(level)] for level in levels)
        first, last = self.rates[0], self.rates[-1]
        return (
            f"learning rate {first:.2g} {bars} {last:.2g}; "
            f"suggested: {self.suggestion:g}"
        )

    def __str__(self) -> str:
        """The curve, and why the suggestion is what it is."""
        return f"{self.line()}\n{self.reason}"

    def picture(self, path: str | os.PathLike[str]) -> None:
        """Draw the curve into a file.

        Args:
            path: a name that ends with .png, .svg or .pdf.

        Raises:
            ArgumentError: it ends with something else.
            SavingError: it cannot be written.
        """
        kind = Path(path).suffix.lower()
        if kind not in _FORMATS:
            raise ArgumentError(
                f"A picture is written as {', '.join(_FORMATS)}; received {path}."
            )
        figure = self._figure()
        with atomic_write(path) as file:
            figure.savefig(file, format=kind[1:], dpi=150)

    def _figure(self) -> Any:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(self.rates, self.losses, color="#b8c4d6", lw=1, label="loss")
        axes.plot(self.rates, self.smoothed, color="#27374d", lw=2, label="smoothed")
        axes.axvline(self.suggestion, color="#c8553d", ls="--")
        axes.annotate(
            f" {self.suggestion:g}",
            (self.suggestion, 1),
            xycoords=("data", "axes fraction"),
            va="top",
            color="#c8553d",
        )
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss of a batch")
        if self.smoothed:  # one last loss may be a million
            low, start = min(self.losses), _beginning(self.smoothed)
            axes.set_ylim(low - 0.1 * abs(low), start + 0.5 * abs(start) + 1e-3)
            axes.legend(loc="lower left", frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        return figure


def find_rate(
    model: Any,
    batches: PyDataset,
    *,
    steps: int = STEPS,
    progress: Callable[[int, int], None] | None = None,
) -> RateSearch:
    """Try rising learning rates, and suggest one; the model is as it was afterwards.

    Weights, the optimizer and its state, metrics and all random numbers come out
    unchanged, also after an error or Ctrl-C. The steps are taken with a second
    optimizer of the same kind, which begins anew. The same model and batches give the
    same result.

    Args:
        model: built and compiled.
        batches: yields (x, y) or (x, y, sample_weight); begun again if there are fewer
            than `steps`.
        steps: at most, from the rate 1e-6 to the rate 1.
        progress: told (steps done, steps).

    Raises:
        NotCompiledError, NotBuiltError: the model is not ready.
        ArgumentError: too few steps for a curve.
        DataError: there is no batch.
    """
    if not model.compiled:
        raise NotCompiledError(
            f"Model {model.name!r} must be compiled before find_rate."
        )
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no weights yet: begin it with an Input, or call "
            "build before find_rate."
        )
    if steps < 2 * _START:
        raise ArgumentError(f"find_rate needs {2 * _START} steps; received {steps}.")
    if not len(batches):
        raise DataError("find_rate has nothing to try on: there is no batch.")
    usual = float(np.asarray(model.optimizer.learning_rate))
    rates = LOWEST * (HIGHEST / LOWEST) ** (np.arange(steps) / (steps - 1))
    losses: list[float] = []
    with _borrowed(model), np.errstate(all="ignore"):  # it will overflow
        for i, rate in enumerate(rates):
            loss = _step(model, batches[i % len(batches)], float(rate))
            if not math.isfinite(loss):
                break
            losses.append(loss)
            if progress is not None:
                progress(i + 1, steps)
            if _has_exploded(losses):
                break
    if progress is not None:
        progress(steps, steps)
    return _judge(rates[: len(losses)], np.array(losses), usual)


def _step(model: Any, batch: Any, rate: float) -> float:
    """The loss of one batch, before the step that is taken with it."""
    model.optimizer.learning_rate = rate
    x, y, sample_weight = unpack_x_y_sample_weight(batch)
    return float(model.train_on_batch(x, y, sample_weight, return_dict=True)["loss"])


def _has_exploded(losses: list[float]) -> bool:
    if len(losses) < 2 * _START:
        return False
    start, now = _beginning(losses), float(np.mean(losses[-3:]))
    return now > start + (_EXPLODED - 1) * abs(start)


def _beginning(losses: Any) -> float:
    return float(np.mean(losses[:_START]))


def _judge(rates: np.ndarray, losses: np.ndarray, usual: float) -> RateSearch:
    """The suggestion that the curve allows."""
    smoothed = _smooth(losses)
    suggestion, reason = usual, ""
    if len(losses) < 2 * _START:
        reason = (
            f"The loss left the finite numbers after {len(losses)} steps with tiny "
            f"learning rates, so {usual:g} is only the optimizer's own rate."
        )
    else:
        start, at = _beginning(losses), int(smoothed.argmin())
        noise = float(losses[: 2 * _START].std())  # of batches: nothing was learned yet
        fall = start - smoothed[at]
        if at < _START or fall <= max(_FALL * abs(start), _NOISE * noise):
            reason = (
                f"At no learning rate up to {rates[-1]:.2g} did the loss fall clearly, "
                f"so {usual:g} is only the optimizer's own rate."
            )
        else:
            suggestion = float(f"{_SHARE * rates[at]:.2g}")
            reason = (
                f"The loss fell from {start:.3g} to {smoothed[at]:.3g} while the "
                f"learning rate rose to {rates[at]:.2g}; {suggestion:g} is a quarter "
                "of that."
            )
    return RateSearch(
        tuple(rates.tolist()),
        tuple(losses.tolist()),
        tuple(smoothed.tolist()),
        suggestion,
        reason,
    )


def _smooth(losses: np.ndarray) -> np.ndarray:
    """Each loss averaged with its neighbours, weighted with a bell curve."""
    i = np.arange(len(losses))
    weights = np.exp(-0.5 * ((i[:, None] - i) / _WIDTH) ** 2)  # (steps, steps)
    return weights @ losses / weights.sum(1)


@contextmanager
def _borrowed(model: Any) -> Iterator[None]:
    """Let the model train with a fresh optimizer, and put everything back."""
    optimizer = model.optimizer
    names = (
        "optimizer",
        "_functions",
        "_structure",
        "_compile_metrics",
        "_loss_tracker",
    )
    attributes = {name: getattr(model, name) for name in names}
    metrics = [v for metric in model.metrics for v in metric.variables]
    values = [(v, np.array(v.numpy())) for v in (*model.variables, *metrics)]
    with _random_numbers_kept():
        try:
            config = {**optimizer.get_config(), "learning_rate": LOWEST}
            model.optimizer = type(optimizer).from_config(config)
            model.optimizer._excluded = optimizer._excluded
            model._functions, model._structure = {}, {}
            model._compile_metrics = None
            model._loss_tracker = Mean(name="loss")
            yield
        finally:
            for name, attribute in attributes.items():
                setattr(model, name, attribute)
            for variable, value in values:
                variable.assign(value)


@contextmanager
def _random_numbers_kept() -> Iterator[None]:
    """What is drawn within is not missing afterwards."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - users'
    generator = seed_generator._global
    state = None if generator is None else np.array(generator.state.numpy())
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 - users' code may draw from it
        seed_generator._global = generator
        if generator is not None:
            generator.state.assign(state)
