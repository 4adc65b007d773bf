"""How a callback speaks."""

from __future__ import annotations

import sys


def say(message: str, end: str = "\n") -> None:
    """Write a line at once, so that it appears in a pipe as well.

    >>> say("Epoch 3: early stopping")
    Epoch 3: early stopping
    """
    sys.stdout.write(message + end)
    sys.stdout.flush()
