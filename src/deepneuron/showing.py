"""What is shown must not change what is learned."""

from __future__ import annotations

import importlib
import random


def import_rich() -> None:
    """Import what draws on terminals, and leave Python's `random` as it was.

    rich draws a random number when it is imported. Seeds of layers and of shuffling
    come from the same `random`: without this a progress bar would change the weights.

    >>> random.seed(1)
    >>> import_rich()
    >>> after = random.random()
    >>> random.seed(1)
    >>> random.random() == after
    True
    """
    state = random.getstate()
    importlib.import_module("rich.console")
    random.setstate(state)
