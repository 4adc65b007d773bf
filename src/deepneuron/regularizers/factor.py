"""The strength of a penalty, checked."""

from __future__ import annotations

import math
from typing import Any

from deepneuron.errors import ArgumentError


def factor_of(value: Any, name: str) -> float:
    """The value as a float, if a penalty can have that strength.

    >>> factor_of(1, "l1")
    1.0
    """
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ArgumentError(
            f"{name} must be a number that is not negative; received {value!r}."
        )
    return float(value)
