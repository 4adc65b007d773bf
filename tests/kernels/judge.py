"""Native kernels before their judge: the NumPy set, on the same arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest

from deepneuron.engine.capture import capture
from deepneuron.engine.executor import Executor
from deepneuron.engine.plan import make_plan
from deepneuron.engine.variable import Variable

_native = pytest.importorskip("deepneuron.kernels.native._native")

from deepneuron.kernels.native import memory  # noqa: E402 - needs the extension
from deepneuron.kernels.native.set import NativeKernels  # noqa: E402

ISAS = _native.instruction_sets()


class Run(NamedTuple):
    """What came out, and which kernels made it (NumPy's begin with `numpy.`)."""

    results: list[np.ndarray]
    kernels: list[str]


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = _native.threads()
    _native.set_threads(count)
    try:
        yield
    finally:
        _native.set_threads(before)


def run_native(
    function: Callable[..., Any],
    *arrays: np.ndarray,
    isa: str = ISAS[0],
    threads: int = 1,
    cache: int = memory.CACHE,
    steps: int = 1,
) -> Run:
    """`function` over tensors, captured and run by native code.

    Args:
        *arrays: their first axis is the batch.
        threads: also lets small programs use them.
        cache: bytes that a chunk of rows may take up; 1 makes chunks of one row.
    """
    graph, _ = capture(function, *arrays)
    with pytest.MonkeyPatch.context() as patch, _threads(threads):
        patch.setattr(memory, "CACHE", cache)
        patch.setattr("deepneuron.kernels.native.plan.SMALL", 0)
        kernels = NativeKernels(isa, threads)
        plan = kernels.plan(graph)
        executor = kernels.executor(plan)
        for _ in range(steps):
            results = executor.run([np.asarray(x) for x in arrays])
    return Run(results, plan.kernels())


def run_numpy(function: Callable[..., Any], *arrays: np.ndarray) -> list[np.ndarray]:
    """The same by the NumPy plan."""
    graph, _ = capture(function, *arrays)
    return Executor(make_plan(graph)).run([np.asarray(x) for x in arrays])


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Equal relative to the largest magnitude; NaN and Inf at the same places."""
    assert len(actual) == len(expected)
    for x, y in zip(actual, expected, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        if x.dtype.kind != "f":
            np.testing.assert_array_equal(x, y)
            continue
        finite = np.isfinite(y)
        largest = np.max(np.abs(y[finite]), initial=0.0)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * largest)


def assert_native_equals_numpy(
    function: Callable[..., Any],
    *arrays: np.ndarray,
    kernel: str,
    tolerance: float = 1e-5,
    isa: str = ISAS[0],
) -> None:
    """Every chunk and thread count gives NumPy's values, the same bits each time."""
    expected = run_numpy(function, *arrays)
    runs = [
        run_native(function, *arrays, isa=isa, threads=threads, cache=cache)
        for threads in (1, 2)
        for cache in (1, memory.CACHE)
    ]
    for run in runs:
        assert kernel in run.kernels
        assert_close(run.results, expected, tolerance)
    for one, two in ((0, 2), (1, 3)):
        for x, y in zip(runs[one].results, runs[two].results, strict=True):
            np.testing.assert_array_equal(x, y)


__all__ = [
    "ISAS",
    "Run",
    "Variable",
    "assert_close",
    "assert_native_equals_numpy",
    "run_native",
    "run_numpy",
]
