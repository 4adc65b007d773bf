"""How training is shown: a live line on a terminal, a plain one for each epoch else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deepneuron.callbacks import Callback, EarlyStopping
from deepneuron.callbacks.callback import Logs
from deepneuron.callbacks.message import say
from deepneuron.showing import import_rich

if TYPE_CHECKING:
    from rich.live import Live

_INTERVAL = 0.1  # seconds between two drawings
_WIDTHS = {"loss": 9, "accuracy": 10, "val_loss": 10, "val_accuracy": 14}


@contextmanager
def shown(title: str, best: EarlyStopping, *, quiet: bool) -> Iterator[list[Callback]]:
    """The callbacks that show a training; the terminal is as it was when they are done.

    Args:
        title: a line above it all.
        best: knows which epoch is the best so far.
        quiet: whether to show nothing.
    """
    if quiet:
        yield []
        return
    import_rich()
    from rich.console import Console

    console = Console(highlight=False)
    # Not console.is_terminal: FORCE_COLOR would send a live display into a log file.
    if not _is_terminal() or console.is_dumb_terminal:
        say(title)
        yield [EpochLines(best)]
        return
    from rich.live import Live

    console.print(title, style="bold", markup=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield [LiveLine(best, live)]


def _is_terminal() -> bool:
    return bool(getattr(sys.stdout, "isatty", lambda: False)())


class EpochLines(Callback):
    """A line for each epoch, such as

    epoch 3/20  loss 0.7581  accuracy 0.8239  val_loss 0.5021  val_accuracy 0.8889  2 s
    """

    def __init__(self, best: EarlyStopping) -> None:
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

    def __init__(self, best: EarlyStopping, live: Live) -> None:
        super().__init__(best)
        self.live = live
        self.steps = 1
        self._epoch = 0
        self._started = self._drawn = 0.0
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
        done = self._epoch * self.steps + batch
        if done:
            seconds = self._drawn - self._started
            left = seconds / done * (self.epochs * self.steps - done)
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
