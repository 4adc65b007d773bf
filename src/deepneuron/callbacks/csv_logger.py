"""CSVLogger: a table with one line for each epoch."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np

from deepneuron.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes `epoch` and all logs, in the order of their names, into a file.

    Every line is on the disk before the next epoch begins, so whatever kills the
    process costs one line at most.

    Args:
        filename: of the table; missing folders are made.
        separator: stands between the values.
        append: whether to go on with a file that is there.

    >>> CSVLogger("history.csv", separator=";").sep
    ';'
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        separator: str = ",",
        append: bool = False,
    ) -> None:
        super().__init__()
        self.sep = separator
        self.filename = os.fspath(filename)
        self.append = append
        self.keys: list[str] | None = None
        self.append_header = True
        self.csv_file: IO[str] | None = None
        self.writer: csv.DictWriter[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self.on_train_end()
        self.keys = None
        self._open()

    def _open(self) -> IO[str]:
        path = Path(self.filename)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if self.append and path.exists() else b""
        self.append_header = not before.strip()
        self.csv_file = path.open(
            "a" if self.append else "w", newline="", encoding="utf-8"
        )
        if before and not before.endswith(b"\n"):
            self.csv_file.write("\n")  # the last run was killed within a line
        return self.csv_file

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        file = self.csv_file or self._open()
        if self.keys is None or self.writer is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                # There may be a validation in later epochs only.
                self.keys += [f"val_{key}" for key in self.keys]
            self.writer = csv.DictWriter(
                file,
                ["epoch", *self.keys],
                delimiter=self.sep,
                lineterminator="\n",
            )
            if self.append_header:
                self.writer.writeheader()
        row = {key: _written(logs.get(key, "NA")) for key in self.keys}
        self.writer.writerow({"epoch": epoch, **row})
        file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = self.writer = None


def _written(value: Any) -> Any:
    if isinstance(value, str) or np.ndim(value) == 0 or not isinstance(value, Iterable):
        return value
    return f'"[{", ".join(map(str, value))}]"'
