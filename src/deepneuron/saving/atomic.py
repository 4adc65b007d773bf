"""A file appears whole, or not at all: what stood there before survives failures."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from deepneuron.errors import SavingError

# Seconds; on Windows whoever reads a file, such as a virus scanner, holds it fast.
_PAUSES = (0.01, 0.1, 0.5, 1.0) if os.name == "nt" else ()


@contextmanager
def atomic_write(filepath: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Write into a new file beside `filepath` that takes its place at the end.

    Args:
        filepath: where the file is to be; a link is followed.

    Yields:
        A binary file to write to.

    Raises:
        SavingError: the file cannot be written. The old one is as it was.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "greeting.txt"
    >>> with atomic_write(path) as file:
    ...     _ = file.write(b"hello")
    >>> path.read_text()
    'hello'
    """
    target = Path(os.path.realpath(filepath))
    if target.is_dir():
        raise SavingError(f"Cannot write {str(filepath)!r}: a folder has this name.")
    # Beside the target, because a file can only take another's place on the same disk.
    beside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        try:
            with beside.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            with suppress(OSError):  # there may be nothing there yet
                beside.chmod(target.stat().st_mode & 0o7777)
            replace(beside, target)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        place = (
            "" if target.parent.is_dir() else f" The folder {target.parent} is missing."
        )
        raise SavingError(
            f"Cannot write {str(filepath)!r}: {error.strerror or error}.{place} "
            "Nothing was changed."
        ) from error
    _sync_folder(target.parent)


def replace(source: Path, target: Path) -> None:
    """Let the one take the other's place, a little later if somebody has it open.

    Raises:
        OSError: it cannot, not even later.
    """
    for pause in _PAUSES:
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    source.replace(target)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
