"""Logs: {name: value} of a step, as plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron.errors import DTypeError


def numbers(logs: dict[str, Any]) -> dict[str, Any]:
    """Python floats, except for what holds more than one value.

    Raises:
        DTypeError: the logs are no dictionary.
    """
    if not isinstance(logs, dict):
        raise DTypeError(
            "A train_step or test_step returns its logs as a dictionary {name: value}; "
            f"yours returned {type(logs).__name__}: {logs!r}."
        )
    return {
        name: float(value) if np.ndim(value) == 0 else np.array(value)
        for name, value in spread_out(logs).items()
    }


def spread_out(logs: dict[str, Any]) -> dict[str, Any]:
    """Without dictionaries within; their names are good enough."""
    result: dict[str, Any] = {}
    for name, value in logs.items():
        result.update(spread_out(value) if isinstance(value, dict) else {name: value})
    return result
