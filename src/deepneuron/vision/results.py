"""The folder of a run: claimed before the work, filled in one go after it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deepneuron.errors import SavingError
from deepneuron.models import Model
from deepneuron.saving.atomic import atomic_write

MODEL, HISTORY, METRICS = FILES = ("model.keras", "history.csv", "metrics.json")


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """The folder is there and takes files; told before an hour of training, not after.

    If what happens inside fails, folders that were made for it are removed again,
    unless there is something in them.

    Raises:
        SavingError: the folder cannot be made or written to; the message says why.
    """
    made: list[Path] = []
    try:
        made = [folder for folder in (out, *out.parents) if not folder.exists()]
        _make(out)
        yield
    except BaseException:
        for folder in made:  # the innermost first
            with suppress(OSError):
                folder.rmdir()
        raise


def _make(out: Path) -> None:
    """Make the folder, and try whether it takes each of the files."""
    for path in (out, *out.parents):
        if path.exists() and not path.is_dir():
            raise SavingError(
                f"The results cannot go to {out}: {path} is a file, not a folder."
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise SavingError(
            f"The results cannot be written to {out}: {error.strerror or error}."
        ) from error
    for path in (out / name for name in FILES):
        if path.is_dir():
            raise SavingError(f"{path} cannot be replaced: it is a folder.")
        try:
            if path.exists():
                path.open("r+b").close()  # fails if it is locked or protected
        except OSError as error:
            raise SavingError(
                f"{path} cannot be replaced: {error.strerror or error}. Is it open in "
                "another program, or write-protected?"
            ) from error


def write_results(
    out: Path,
    model: Model,
    history: Mapping[str, Sequence[float]],
    metrics: Mapping[str, Any],
) -> None:
    """`model.keras`, `history.csv` and `metrics.json`: all three new, or all as before.

    They are written in a folder beside their places and moved when the last one is
    complete.

    Raises:
        SavingError: the disk is full, the folder is gone, and so on.
    """
    with _staged(out) as stage:
        model.save(stage / MODEL)
        _write(stage / HISTORY, history_csv(history))
        _write(stage / METRICS, json.dumps(metrics, indent=2, allow_nan=False) + "\n")


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    stage = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
        yield stage
        for name in FILES:
            (stage / name).replace(out / name)
    except OSError as error:
        raise SavingError(
            f"The results cannot be written to {out}: {error.strerror or error}."
        ) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


def history_csv(history: Mapping[str, Sequence[float]]) -> str:
    """A line for each epoch, counted from 1, with every digit of its numbers.

    >>> print(history_csv({"loss": [0.5, 0.25], "accuracy": [0.75, 1.0]}))
    epoch,loss,accuracy
    1,0.5,0.75
    2,0.25,1.0
    <BLANKLINE>
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["epoch", *history])
    rows = zip(*history.values(), strict=True)
    table.writerows([epoch, *row] for epoch, row in enumerate(rows, start=1))
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode("utf-8"))
