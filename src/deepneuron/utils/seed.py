"""The same numbers in every run."""

from __future__ import annotations

import random

import numpy as np

from deepneuron import naming
from deepneuron.errors import ArgumentError


def set_random_seed(seed: int) -> None:
    """Seed all that draws: Python's `random`, NumPy's global generator, deepneuron.

    Args:
        seed: from 0 to 2**32 - 1.

    Raises:
        ArgumentError: it is no such number.

    >>> import deepneuron as dn
    >>> set_random_seed(1)
    >>> first = dn.initializers.GlorotUniform()((2, 2))
    >>> set_random_seed(1)
    >>> bool((dn.initializers.GlorotUniform()((2, 2)) == first).all())
    True
    """
    from deepneuron.ops.random import set_global_seed

    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**32:
        raise ArgumentError(
            "set_random_seed takes a whole number from 0 to 2**32 - 1; received "
            f"{seed!r}."
        )
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - users' code may draw from it
    set_global_seed(int(seed))


def clear_session(free_memory: bool = True) -> None:
    """Forget the names that have been given: the next Dense is "dense" again.

    Args:
        free_memory: accepted as in Keras. Here a model that nobody refers to is freed
            by itself.
    """
    naming.reset_names()
