"""Numbers that hold for the whole process: the float type, and a small epsilon.

>>> floatx()
'float32'
"""

from __future__ import annotations

from deepneuron.errors import ArgumentError

_FLOATS = ("float16", "float32", "float64")
_settings: dict[str, object] = {"floatx": "float32", "epsilon": 1e-7}


def floatx() -> str:
    """The type that new weights and converted Python floats get; "float32" unless set."""
    return str(_settings["floatx"])


def set_floatx(value: str) -> None:
    """Set the default float type: "float16", "float32" or "float64".

    Args:
        value: the name of the type. "float64" is meant for checks.
    """
    if value not in _FLOATS:
        raise ArgumentError(
            f"set_floatx takes one of {', '.join(_FLOATS)}; it received {value!r}."
        )
    _settings["floatx"] = value


def epsilon() -> float:
    """The small number that losses and metrics add against division by zero; 1e-7."""
    return float(_settings["epsilon"])  # type: ignore[arg-type]  # a float is stored


def set_epsilon(value: float) -> None:
    """Set the small number that losses and metrics use."""
    _settings["epsilon"] = float(value)
