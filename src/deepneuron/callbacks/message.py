"""How a callback speaks."""

from __future__ import annotations

import sys


def say(message: str, end: str = "\n") -> None:
    """Write a line at once, so that it appears in a pipe as well.

    >>> say("Epoch 3: early stopping")
    Epoch 3: early stopping
    """
    sys.stdout.write(printable(message) + end)
    sys.stdout.flush()


def printable(text: str, encoding: str | None = None) -> str:
    """The text, with a question mark for each letter that the output cannot show.

    No training should end because a terminal does not know a letter.

    >>> printable("größe: 0.5", "ascii")
    'gr??e: 0.5'
    """
    encoding = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
