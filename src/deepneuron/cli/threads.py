"""How many threads multiply matrices; to be said before NumPy is imported."""

from __future__ import annotations

import os

_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
)


def set_threads(threads: int) -> None:
    """Have NumPy multiply matrices in so many threads; it reads this on import."""
    os.environ.update(dict.fromkeys(_VARIABLES, str(threads)))


def one_thread() -> None:
    """Have NumPy multiply matrices in one thread, unless the user has chosen.

    The matrices of these networks are small: on cores that are shared, threads wait for
    one another longer than they compute. And the weights of a seed then do not depend
    on how many cores there are.
    """
    if not any(name in os.environ for name in _VARIABLES):
        set_threads(1)
