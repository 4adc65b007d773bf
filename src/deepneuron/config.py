"""Settings of the whole process, under Keras's names: `keras.config`."""

from deepneuron.engine.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)


def backend() -> str:
    """The name of what computes: "deepneuron"."""
    return "deepneuron"


__all__ = [
    "backend",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
