"""Settings of the whole process, under Keras's names: `keras.config`.

And what computes, which Keras has no names for:

    config.show()                     native kernels (avx512), 2 threads
    config.set_kernels("numpy")
"""

from deepneuron import kernels as _kernels
from deepneuron.engine.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from deepneuron.engine.threads import set_thread_count, thread_count


def backend() -> str:
    """The name of what computes: "deepneuron"."""
    return "deepneuron"


def kernels() -> str:
    """The kernel set in use: "native" or "numpy".

    Raises:
        KernelsError: the environment asks for native kernels, but there are none.
    """
    return _kernels.current().name


def set_kernels(name: str | None, instruction_set: str | None = None) -> None:
    """Choose the kernel set for all steps from now on.

    Args:
        name: "native" or "numpy"; None for what DEEPNEURON_KERNELS says, or else the
            native ones where they were built.
        instruction_set: one of `instruction_sets()`, for native kernels; the best one
            by default.

    Raises:
        KernelsError: native kernels are asked for, but this installation has none.
        ArgumentError: an unknown name.

    >>> set_kernels("numpy")
    >>> kernels()
    'numpy'
    >>> set_kernels(None)
    """
    _kernels.choose(name, instruction_set)


def instruction_sets() -> list[str]:
    """Those that native kernels can use on this processor, the best first."""
    return _kernels.instruction_sets()


def threads() -> int:
    """How many threads compute a step; DEEPNEURON_THREADS, or one for each core."""
    return thread_count()


def set_threads(count: int | None) -> None:
    """Set how many threads compute a step; None asks the environment again."""
    set_thread_count(count)


def show() -> None:
    """Print what computes, and the settings that numbers depend on."""
    print(_kernels.describe())  # noqa: T201 - what it is for
    settings = {
        "floatx": floatx(),
        "epsilon": epsilon(),
        "image_data_format": image_data_format(),
    }
    print(", ".join(f"{k} = {v}" for k, v in settings.items()))  # noqa: T201


__all__ = [
    "backend",
    "epsilon",
    "floatx",
    "image_data_format",
    "instruction_sets",
    "kernels",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_kernels",
    "set_threads",
    "show",
    "threads",
]
