"""ProgbarLogger: how far we are, and how well it goes."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from deepneuron.callbacks.callback import Callback, Logs
from deepneuron.callbacks.message import printable, say
from deepneuron.errors import ArgumentError
from deepneuron.showing import import_rich

_WIDTH = 20  # characters of the bar
_INTERVAL = 0.1  # seconds between two drawings


class ProgbarLogger(Callback):
    """A progress bar on a terminal; elsewhere one line for each epoch.

    `fit`, `evaluate` and `predict` add it by themselves. Their `verbose` is 0 for
    silence, 1 for the bar, 2 for lines; "auto" is 1. Where no terminal is, 1 is 2.
    """

    every_batch = False  # a bar may jump

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._in_fit = False
        self._title = ""
        self._logs: Logs = None
        self._console: Any = None
        self._began = self._drawn = 0.0

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        params = params or {}
        verbose = params.get("verbose", 1)
        if verbose not in ("auto", 0, 1, 2):
            raise ArgumentError(
                f"verbose must be 0, 1, 2 or 'auto'; received {verbose!r}."
            )
        self.verbose = 1 if verbose == "auto" else int(verbose)
        if self.verbose == 1 and not _is_terminal():
            self.verbose = 2
        self.epochs = params.get("epochs") or 1
        self.target = params.get("steps")

    def wants_batches(self, mode: str) -> bool:
        """Only where a bar is drawn; lines need no more than a count."""
        drawn = self.verbose == 1 and not (mode == "test" and self._in_fit)
        return drawn or (self.verbose == 2 and self.target is None)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True  # then the validation is silent

    def on_train_end(self, logs: Logs = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._begin(f"Epoch {epoch + 1}/{self.epochs}" if self.epochs > 1 else "")

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self._begin()

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._begin()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._step(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._in_fit:
            self._step(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._step(batch, None)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._end(logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self._end(logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._end(None)

    def _begin(self, title: str = "") -> None:
        self.seen = 0
        self._title = title
        self._began = time.monotonic()
        self._drawn = 0.0
        if self.verbose == 1 and title:
            say(title)

    def _step(self, batch: int, logs: Logs) -> None:
        self.seen = batch + 1
        if self.verbose == 1:
            now = time.monotonic()
            if now - self._drawn >= _INTERVAL:
                self._drawn = now
                self._draw(logs, now - self._began)

    def _end(self, logs: Logs) -> None:
        if self.verbose == 0:
            return
        counted = self.wants_batches("train")
        if self.target is None:
            self.target = self.seen  # the next epoch can tell how much is left
        elif not counted:
            self.seen = self.target
        seconds = time.monotonic() - self._began
        if self.verbose == 1:
            self._draw(logs, seconds, done=True)
            return
        parts = [self._title, f"{self.seen}/{self.target}", f"{seconds:.0f}s"]
        parts += [_each(seconds, self.seen), *_values(logs)]
        say(" - ".join(part for part in parts if part))

    def _draw(self, logs: Logs, seconds: float, done: bool = False) -> None:
        console = self._console = self._console or _make_console()
        from rich.text import Text

        total = self.target
        line = Text(f"{self.seen}/{total or 'Unknown'} ", style="bold")
        if total:
            full = min(_WIDTH, _WIDTH * self.seen // total)
            done_part, rest = "━━" if printable("━") == "━" else "=."
            line.append(done_part * full, style="green")
            line.append(rest * (_WIDTH - full), style="bright_black")
        if done or not total:
            line.append(f" {seconds:.0f}s")
        else:
            left = seconds / max(self.seen, 1) * (total - self.seen)
            line.append(f" {_duration(left)} left")
        line.append(f" {_each(seconds, self.seen)}", style="not bold")
        values = "".join(f" - {value}" for value in _values(logs))
        line.append(printable(values), style="not bold")
        # Whole lines, so that nothing of a longer one before stays visible.
        line.truncate(max(console.width - 1, 10), overflow="crop", pad=True)
        console.print(line, end="\n" if done else "\r", soft_wrap=True, highlight=False)


def _make_console() -> Any:
    import_rich()
    from rich.console import Console

    return Console()


def _is_terminal() -> bool:
    return bool(getattr(sys.stdout, "isatty", lambda: False)()) or (
        "ipykernel" in sys.modules
    )


def _each(seconds: float, steps: int) -> str:
    """How long one step took.

    >>> _each(3.0, 2), _each(3.0, 100), _each(0.0, 0)
    ('2s/step', '30ms/step', '')
    """
    if steps == 0:
        return ""
    each = seconds / steps
    if each >= 1:
        return f"{each:.0f}s/step"
    return f"{each * 1e3:.0f}ms/step" if each >= 1e-3 else f"{each * 1e6:.0f}us/step"


def _duration(seconds: float) -> str:
    """A time to wait.

    >>> _duration(5.2), _duration(65), _duration(3700)
    ('5s', '1:05', '1:01:40')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def _values(logs: Logs) -> list[str]:
    """Names and numbers, in the order of the logs.

    >>> _values({"loss": 0.5, "tiny": 1e-5})
    ['loss: 0.5000', 'tiny: 1.0000e-05']
    """
    result = []
    for name, value in (logs or {}).items():
        mean = float(np.mean(value))
        number = f"{mean:.4f}" if abs(mean) > 1e-3 else f"{mean:.4e}"
        result.append(f"{name}: {number}")
    return result
