"""Kernel sets beside the NumPy default, and the choice among them.

    DEEPNEURON_KERNELS   numpy or native; without it native, where it was built
    DEEPNEURON_ISA       one of native's instruction sets; without it the best one
    DEEPNEURON_THREADS   how many threads compute; without it one for each core

`deepneuron.config` says what is in use, and sets it while the program runs. What is
planned already is planned anew for another choice.
"""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from typing import Any

from deepneuron.engine.kernels import NUMPY, KernelSet
from deepneuron.engine.threads import thread_count
from deepneuron.errors import ArgumentError, KernelsError

NAMES = ("numpy", "native")
_chosen: dict[str, str | None] = {"kernels": None, "isa": None}


def current() -> KernelSet:
    """The kernel set that steps are planned for.

    Raises:
        KernelsError: native kernels were asked for, but they are not there.
        ArgumentError: the environment asks for something unknown.
    """
    asked = _chosen["kernels"] or _from_environment("DEEPNEURON_KERNELS", NAMES)
    if asked == "numpy":
        return NUMPY
    if module() is None:
        if asked == "native":
            raise KernelsError(
                "Native kernels were asked for (DEEPNEURON_KERNELS=native), but this "
                f"installation has none: {_missing()}. Install deepneuron again where "
                "a C++ compiler is found, or ask for numpy."
            )
        return NUMPY
    return _native(instruction_set(), thread_count())


def choose(kernels: str | None = None, isa: str | None = None) -> None:
    """Use these from now on; None leaves it to the environment."""
    if kernels is not None and kernels not in NAMES:
        raise ArgumentError(
            f"The kernels are {' or '.join(NAMES)}; received {kernels!r}."
        )
    before = dict(_chosen)
    _chosen.update(kernels=kernels, isa=isa)
    try:
        current()
    except Exception:
        _chosen.update(before)
        raise


def instruction_sets() -> list[str]:
    """What native kernels were compiled for and this processor has, the best first."""
    native = module()
    return [] if native is None else native.instruction_sets()


def instruction_set() -> str:
    """The one that native kernels use."""
    known = instruction_sets()
    asked = _chosen["isa"] or _from_environment("DEEPNEURON_ISA", tuple(known))
    if asked is not None and asked not in known:
        raise ArgumentError(
            f"The instruction set is one of {', '.join(known)}; received {asked!r}."
        )
    return asked or known[0]


def describe() -> str:
    """What computes, in a few words: "native kernels (avx2), 4 threads"."""
    kernels = current()
    threads = f"{thread_count()} thread{'s' if thread_count() > 1 else ''}"
    isa = f" ({instruction_set()})" if kernels.name == "native" else ""
    return f"{kernels.name} kernels{isa}, {threads}"


def module() -> Any:
    """The extension module, or None where it was not built."""
    try:
        return importlib.import_module("deepneuron.kernels.native._native")
    except ImportError:
        return None


def _missing() -> str:
    try:
        importlib.import_module("deepneuron.kernels.native._native")
    except ImportError as error:
        return str(error)
    return "nothing is missing"


@lru_cache(maxsize=8)
def _native(isa: str, threads: int) -> KernelSet:
    from deepneuron.kernels.native.set import NativeKernels

    return NativeKernels(isa, threads)


def _from_environment(variable: str, known: tuple[str, ...]) -> str | None:
    value = os.environ.get(variable, "").strip().lower()
    if value and value not in known:
        raise ArgumentError(
            f"The environment variable {variable} is one of {', '.join(known)}; it is "
            f"{value!r}."
        )
    return value or None


__all__ = ["choose", "current", "describe", "instruction_set", "instruction_sets"]
