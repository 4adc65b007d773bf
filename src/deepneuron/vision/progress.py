"""How work is shown: live on a terminal, a plain line for each epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from deepneuron.callbacks import Callback
from deepneuron.callbacks.callback import Logs
from deepneuron.callbacks.message import say
from deepneuron.showing import import_rich

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

_INTERVAL = 0.1  # seconds between two drawings
_WIDTHS = {"loss": 9, "accuracy": 10, "val_loss": 10, "val_accuracy": 14}

Report = Callable[[int, int], None]  # (how much is done, of how much)


class Best(Protocol):
    """Knows which epoch is the best so far, and by which value."""

    monitor: str

    @property
    def best_epoch(self) -> int: ...


def console() -> Console | None:
    """A terminal to draw on; None where plain lines are all one can show."""
    import_rich()
    from rich.console import Console

    found = Console(highlight=False)
    # Not console.is_terminal: FORCE_COLOR would send a live display into a log file.
    return None if not _is_terminal() or found.is_dumb_terminal else found


def tell(line: str, *, quiet: bool = False, style: str = "") -> None:
    """A line about what goes on; markup in it means nothing.

    A terminal breaks a long line anywhere; here it is broken between words.
    """
    if quiet:
        return
    terminal = console()
    if terminal is None:
        say(line)
    else:
        terminal.print(line, style=style, markup=False, emoji=False)


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Report | None]:
    """A bar with the time that is left, for work that reports how far it is.

    Args:
        title: what is done, such as "Reading pictures".
        quiet: whether to show nothing.

    Yields:
        What to call with (done, total); None when nothing is shown.
    """
    terminal = None if quiet else console()
    if terminal is None:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=terminal, transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def shown(title: str, best: Best, *, quiet: bool) -> Iterator[list[Callback]]:
    """The callbacks that show a training; the terminal is as it was when they are done.

    Args:
        title: a line above it all.
        best: knows which epoch is the best so far.
        quiet: whether to show nothing.
    """
    if quiet:
        yield []
        return
    terminal = console()
    if terminal is None:
        say(title)
        yield [EpochLines(best)]
        return
    from rich.live import Live

    terminal.print(title, style="bold", markup=False)
    with Live(console=terminal, auto_refresh=False, transient=True) as live:
        yield [LiveLine(best, live)]


def _is_terminal() -> bool:
    return bool(getattr(sys.stdout, "isatty", lambda: False)())


class EpochLines(Callback):
    """A line for each epoch, such as

    epoch 3/20  loss 0.7581  accuracy 0.8239  val_loss 0.5021  val_accuracy 0.8889  2 s
    """

    def __init__(self, best: Best) -> None:
        super().__init__()
        self.best = best
        self.epochs = 1
        self._began = 0.0

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        self.epochs = (params or {}).get("epochs", 1)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        seconds = time.monotonic() - self._began
        values = [f"{name} {value:.4f}" for name, value in _ordered(logs)]
        title = f"epoch {epoch + 1}/{self.epochs}"
        say("  ".join([title, *values, f"{seconds:.1f} s"]))


class LiveLine(EpochLines):
    """A table that grows by a row for each epoch; below it, what goes on right now."""

    def __init__(self, best: Best, live: Live) -> None:
        super().__init__(best)
        self.live = live
        self.steps = 1
        self._epoch = 0
        self._started = self._drawn = 0.0
        self._first: int | None = None
        self._validation: float | None = None

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        self.steps = (params or {}).get("steps") or 1

    def on_train_begin(self, logs: Logs = None) -> None:
        self._started = time.monotonic()
        names = "".join(f"{name:>{width}}" for name, width in _WIDTHS.items())
        self.live.console.print(f"{'epoch':>7}{names}{'time':>9}", style="dim")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch
        self._first = epoch if self._first is None else self._first
        self._draw(0, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if time.monotonic() - self._drawn >= _INTERVAL:
            self._draw(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        from rich.text import Text

        values = dict(_ordered(logs))
        self._validation = values.get("val_accuracy")
        row = Text(f"{f'{epoch + 1}/{self.epochs}':>7}")
        for name, value in values.items():
            improved = name == self.best.monitor and self.best.best_epoch == epoch
            style = "bold green" if improved else ""
            row.append(f"{value:{_WIDTHS[name]}.4f}", style)
        row.append(f"{time.monotonic() - self._began:7.1f} s")
        self.live.console.print(row)

    def _draw(self, batch: int, logs: Logs) -> None:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        self._drawn = time.monotonic()
        texts = [f"{name} {value:.3f}" for name, value in _ordered(logs)]
        if self._validation is not None:
            texts.append(f"val {self._validation:.3f}")
        first = self._first or 0  # a training that is resumed has done less
        done = (self._epoch - first) * self.steps + batch
        if done:
            seconds = self._drawn - self._started
            left = seconds / done * ((self.epochs - first) * self.steps - done)
            texts.append(f"{duration(left)} left")
        line = Table.grid(padding=(0, 2, 0, 0), expand=True)
        line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        for _ in range(1 + len(texts)):
            line.add_column(no_wrap=True)
        line.add_row(
            f"epoch {self._epoch + 1}/{self.epochs}",
            ProgressBar(total=self.steps, completed=batch, width=None),
            f"{batch:>{len(str(self.steps))}}/{self.steps}",
            *texts,
        )
        self.live.update(line, refresh=True)


def _ordered(logs: Logs) -> list[tuple[str, float]]:
    """What of the logs is shown, in an order that does not change."""
    return [(name, logs[name]) for name in _WIDTHS if logs and name in logs]


def duration(seconds: float) -> str:
    """A time as a clock shows it.

    >>> duration(5.2), duration(65), duration(3700)
    ('0:05', '1:05', '1:01:40')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
