"""The folder of a run: claimed before the work, filled in one go after it.

While a training goes on, all it writes lies in `unfinished/`: its settings, the decoded
pictures, a checkpoint after every epoch. When it is over the results are made there as
well, moved up one by one, `config.json` last, and `unfinished/` disappears. So whatever
happens, and whenever: the results of an earlier run are whole, or the new ones are, or
`unfinished/config.json` is still there and the training can go on.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepneuron.errors import (
    DataError,
    DataNotFoundError,
    DivergenceError,
    SavingError,
)
from deepneuron.saving.atomic import atomic_write, replace

MODEL = "model.keras"
LAST = "last.keras"
HISTORY = "history.csv"
METRICS = "metrics.json"
LABELS = "labels.json"
AUDIT = "audit.json"
DETAILS = "details.npz"
REPORT = "report.html"
CONFIG = "config.json"
FILES = (MODEL, LAST, HISTORY, METRICS, LABELS, AUDIT, DETAILS, REPORT, CONFIG)


@dataclass(frozen=True)
class RunFolder:
    """Where everything of a run lies.

    Attributes:
        path: the folder that the user named.
    """

    path: Path

    @property
    def unfinished(self) -> Path:
        """What is there while the training goes on, and after it was cut off."""
        return self.path / "unfinished"

    @property
    def pictures(self) -> Path:
        return self.unfinished / "pictures"

    @property
    def given(self) -> Path:
        """A copy of the trained network to go on from."""
        return self.unfinished / "given.keras"

    @property
    def checkpoint(self) -> Path:
        return self.unfinished / "checkpoint.npz"

    @property
    def best(self) -> Path:
        return self.unfinished / "best.keras"

    @property
    def staging(self) -> Path:
        return self.unfinished / "results"

    def is_unfinished(self) -> bool:
        """Whether a training was cut off here, and can go on."""
        return (self.unfinished / CONFIG).is_file()

    def is_finished(self) -> bool:
        """Whether the results of a run are here."""
        return (self.path / CONFIG).is_file() and (self.path / MODEL).is_file()

    def write_config(self, config: Mapping[str, Any]) -> None:
        """From now on the training can be taken up again."""
        write_json(self.unfinished / CONFIG, config)

    def read_config(self) -> dict[str, Any]:
        """The config of the training that was cut off."""
        return read_json(self.unfinished / CONFIG)


@contextmanager
def claimed(out: Path, *, overwrite: bool, go_on: bool = False) -> Iterator[RunFolder]:
    """The folder is there, takes files, and is nobody else's until this is over.

    If what happens inside fails before there is a checkpoint, everything is as it was:
    folders that were made are removed again. With a checkpoint the training can go on;
    but not if it diverged, as it would again.

    Args:
        out: the folder.
        overwrite: whether a training that was cut off here may be thrown away.
        go_on: whether it is to go on.

    Raises:
        SavingError: the folder cannot be made or written to, is in use, or holds a
            training that was cut off; the message says so, and what to do.
    """
    from filelock import FileLock, Timeout

    made: list[Path] = []
    folder = RunFolder(out)
    try:
        made = [path for path in (out, *out.parents) if not path.exists()]
        _make(out)
        lock = FileLock(out / ".lock", timeout=0)
        try:
            with lock:
                if not go_on:
                    _clear(folder, overwrite=overwrite)
                try:
                    yield folder
                except BaseException as error:
                    begun = go_on or folder.checkpoint.exists()
                    if not begun or isinstance(error, DivergenceError):
                        shutil.rmtree(folder.unfinished, ignore_errors=True)
                    if isinstance(error, SavingError) and folder.checkpoint.exists():
                        raise SavingError(
                            f"{error} Once that is mended, go on with --resume {out}."
                        ) from error
                    raise
        except Timeout:
            made.clear()  # whatever is there is the other's
            raise SavingError(
                f"{out} is in use by another training. Wait for it, or choose another "
                "folder with --out."
            ) from None
    except BaseException:
        if out in made:
            with suppress(OSError):
                (out / ".lock").unlink()
        for path in made:  # the innermost first
            with suppress(OSError):
                path.rmdir()
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
            f"The results cannot be written to {out}: {error.strerror or error}. "
            "Choose another folder with --out."
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


def _clear(folder: RunFolder, *, overwrite: bool) -> None:
    if folder.is_unfinished() and not overwrite:
        raise SavingError(
            f"{folder.path} holds a training that was cut off. Go on with it "
            f"(--resume {folder.path}), choose another folder (--out), or throw it "
            "away (--overwrite)."
        )
    if folder.unfinished.is_file():
        raise SavingError(
            f"{folder.unfinished} is needed as a folder for the work, and is a file. "
            "Move it, or choose another folder with --out."
        )
    if folder.unfinished.exists() and not folder.is_unfinished():
        strangers = _strangers(folder)
        if strangers:
            raise SavingError(
                f"{folder.unfinished} is needed for the work, and holds "
                f"{strangers[0].name!r}, which is not ours. Move it, or choose another "
                "folder with --out."
            )
    try:
        if folder.unfinished.exists():
            shutil.rmtree(folder.unfinished)
        folder.unfinished.mkdir()
    except OSError as error:
        raise SavingError(
            f"{folder.unfinished} cannot be made anew: {error.strerror or error}."
        ) from error


def _strangers(folder: RunFolder) -> list[Path]:
    """What lies in `unfinished/` and was not put there by a training."""
    ours = {CONFIG, LAST}
    ours |= {
        path.name
        for path in (
            folder.pictures,
            folder.given,
            folder.checkpoint,
            folder.best,
            folder.staging,
        )
    }
    return sorted(
        path
        for path in folder.unfinished.iterdir()
        if path.name not in ours and not path.name.startswith(".")
    )


@contextmanager
def staged(folder: RunFolder, *, over: bool) -> Iterator[Path]:
    """A folder for the results; they move to their places when all of them are there.

    Args:
        folder: of the run.
        over: whether the training is over; else it can still go on afterwards.

    Raises:
        SavingError: the disk is full, the folder is gone, and so on.
    """
    stage = folder.staging
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True)
        yield stage
        for name in FILES:  # config.json is the last: with it the run is finished
            replace(stage / name, folder.path / name)
        if over:
            (folder.unfinished / CONFIG).unlink()
    except OSError as error:
        raise SavingError(
            f"The results cannot be written to {folder.path}: "
            f"{error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    if over:
        shutil.rmtree(folder.unfinished, ignore_errors=True)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write strict JSON, atomically: no NaN, readable by people."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote.

    Raises:
        DataNotFoundError: there is no such file.
        DataError: it cannot be read, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataNotFoundError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise DataError(f"{path} should hold an object {{...}}.")
    return values


def write_history(path: Path, history: Mapping[str, Sequence[float]]) -> None:
    """`history.csv`, see `history_csv`."""
    with atomic_write(path) as file:
        file.write(history_csv(history).encode("utf-8"))


def read_history(path: Path) -> dict[str, list[float]]:
    """What `write_history` wrote, without the column of epochs."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        names = [name for name in (rows[0] if rows else {}) if name != "epoch"]
        return {name: [float(row[name]) for row in rows] for name in names}
    except FileNotFoundError:
        raise DataNotFoundError(f"There is no file {path}.") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


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
