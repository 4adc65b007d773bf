"""Whether a file may be replaced: asked on a terminal, refused without one."""

from __future__ import annotations

import sys
from pathlib import Path

from deepneuron.errors import SavingError


def may_write(path: Path, overwrite: bool) -> bool:
    """True if nothing stands there, or it may be replaced.

    Raises:
        SavingError: it may not be, and there is nobody to ask.
    """
    if overwrite or not path.exists():
        return True
    if not (sys.stdin and sys.stdin.isatty()):
        raise SavingError(
            f"{str(path)!r} exists, and overwrite is False. Choose another name, or "
            "pass overwrite=True."
        )
    answer = input(f"[WARNING] {path} already exists - overwrite? [y/n] ")
    while answer.strip().lower() not in ("y", "n"):
        answer = input("Enter 'y' (overwrite) or 'n' (cancel). ")
    return answer.strip().lower() == "y"
