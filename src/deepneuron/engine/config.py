"""Settings of the whole process: the float type, a small epsilon, the order of axes.

>>> floatx()
'float32'
"""

from __future__ import annotations

from deepneuron.errors import ArgumentError

_FLOATS = ("float16", "float32", "float64")
_FORMATS = ("channels_last", "channels_first")
_settings: dict[str, object] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}


def floatx() -> str:
    """The type of new weights and converted Python floats; "float32" unless set."""
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


def image_data_format() -> str:
    """Where pictures keep their channels: "channels_last" (n, h, w, c) unless set."""
    return str(_settings["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    """Set the order of a picture's axes: "channels_last" or "channels_first"."""
    if data_format not in _FORMATS:
        raise ArgumentError(
            f"set_image_data_format takes {' or '.join(_FORMATS)}; it received "
            f"{data_format!r}."
        )
    _settings["image_data_format"] = data_format
