"""A process that is asked, with a time limit, and with its own environment."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any


class FailedError(Exception):
    """A contestant that gave no answer; the message says why."""


class Asked:
    """A process that runs `target(pipe, *args)` in a fresh interpreter.

    Args:
        target: a function of a module; to each request it answers (kind, value,
            CPU seconds while asleep).
        args: what it gets beside the pipe; plain data.
        environment: variables that are set before its interpreter starts.
        limit: seconds that an answer may take.
    """

    def __init__(
        self,
        target: Callable[..., None],
        args: tuple[Any, ...],
        environment: Mapping[str, str],
        limit: float,
    ) -> None:
        self.limit = limit
        self.asleep = 0.0  # CPU seconds that it used while it should have slept
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=target, args=(theirs, *args), daemon=True)
        with _environment(environment):
            self.process.start()
        theirs.close()

    def ask(self, request: str, **arguments: Any) -> Any:
        """The answer; FailedError if there is none."""
        try:
            self.pipe.send((request, arguments))
            if not self.pipe.poll(self.limit):
                self.process.kill()
                raise FailedError(f"over the time limit of {self.limit:.0f} s")
            kind, value, self.asleep = self.pipe.recv()
        except (EOFError, OSError) as error:
            self.process.join(5)
            code = self.process.exitcode
            raise FailedError(f"the process ended with code {code}") from error
        if kind != "done":
            raise FailedError(f"{kind}: {value}")
        return value

    def close(self) -> None:
        self.pipe.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """A new process inherits the environment of the moment."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def environment(threads: int, isa: str | None, cache: Path) -> dict[str, str]:
    """The same number of threads, and the same instructions, for everybody.

    How threads wait for work is left as the libraries have it, because users leave it
    too; the driver pauses between turns until nobody spins any more, and reports what
    sleeping contestants used nevertheless.
    """
    variables = dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "MKL_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "NPROC",  # XLA
            "DEEPNEURON_THREADS",
        ),
        str(threads),
    )
    variables["JAX_PLATFORMS"] = "cpu"
    variables["TORCHINDUCTOR_CACHE_DIR"] = str(cache)  # nothing compiled beforehand
    if isa == "avx2":
        variables |= {
            "DEEPNEURON_ISA": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "ATEN_CPU_CAPABILITY": "avx2",  # which torch.compile obeys, too
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
            "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_max_isa=AVX2",
        }
    return variables
