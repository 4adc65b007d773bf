"""What `fit` adds to its bare steps: an epoch of as many pictures as MNIST has."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.compare.cases import CASES, make_task, save
from benchmarks.compare.contestants import Contestant
from benchmarks.compare.driver import Driver
from benchmarks.compare.process import Asked, FailedError, environment
from benchmarks.compare.server import serve

BATCHES = 469  # of 128: 60,032 pictures


class Epoch(NamedTuple):
    """Seconds: of `fit`, and of the engine's steps on the same batches, cut before."""

    fit: float
    bare: float

    def __str__(self) -> str:
        extra = self.fit / self.bare - 1
        return f"fit {self.fit:.3f} s, bare steps {self.bare:.3f} s: {extra:+.1%}"


def run(
    driver: Driver, contestants: Sequence[Contestant], batches: int = BATCHES
) -> dict[str, Epoch | str]:
    """{contestant: Epoch, or why there is none}; both take turns in one process."""
    case = next(case for case in CASES if case.key == "convnet")
    case = case._replace(steps=batches)
    found: dict[str, Epoch | str] = {}
    with tempfile.TemporaryDirectory() as folder:
        arrays = str(Path(folder, "task.npz"))
        save(make_task(case), arrays)
        for contestant in contestants:
            variables = environment(driver.threads, driver.isa, Path(folder))
            log = str(Path(folder, f"{contestant.key}.log"))
            process = Asked(
                serve,
                (log, driver.threads, contestant, case, arrays),
                {**variables, **dict(contestant.environment)},
                driver.limit,
            )
            try:
                process.ask("first_step")
                fits, bares = [], []
                for turn in range(driver.rounds):
                    driver.progress(f"an epoch: {contestant.title}, round {turn + 1}")
                    fits.append(process.ask("train") * batches)
                    bares.append(process.ask("train", bare=True) * batches)
                found[contestant.key] = Epoch(
                    statistics.median(fits), statistics.median(bares)
                )
            except FailedError as error:
                found[contestant.key] = str(error)
            finally:
                process.close()
    return found
