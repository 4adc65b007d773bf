"""The driver: starts the contestants, lets them work in turn, collects the times.

Only one works at a time; the others wait in a blocking read.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.compare.cases import Case, make_task, save
from benchmarks.compare.ceiling import serve_ceiling
from benchmarks.compare.contestants import Contestant
from benchmarks.compare.outcome import Outcome
from benchmarks.compare.process import Asked, FailedError, environment
from benchmarks.compare.server import serve

PAUSE = 0.25  # seconds between turns; OpenBLAS's threads spin for most of it

Progress = Callable[[str], None]  # is told what begins


class Driver:
    """Runs cases.

    Args:
        threads: of every contestant.
        isa: "avx2", or None for whatever the machine has.
        rounds: turns of every contestant.
        limit: seconds that one answer of a contestant may take.
        progress: is called with a line at every turn.
    """

    def __init__(
        self,
        threads: int,
        isa: str | None,
        rounds: int,
        limit: float,
        progress: Progress = lambda line: None,
    ) -> None:
        self.threads, self.isa, self.rounds = threads, isa, rounds
        self.limit, self.progress = limit, progress

    def turns(self, case: Case, contestants: Iterable[Contestant]) -> int:
        """How often `progress` will be called by `run`."""
        return sum(1 for c in contestants if c.takes(case)) * (1 + self.rounds)

    def run(
        self, case: Case, contestants: Sequence[Contestant], predict: bool = True
    ) -> dict[str, Outcome]:
        """{contestant: Outcome}, of those that have a meaning for the case."""
        outcomes = {c.key: Outcome() for c in contestants if c.takes(case)}
        with tempfile.TemporaryDirectory() as folder:
            arrays = str(Path(folder, "task.npz"))
            save(make_task(case), arrays)
            asked: dict[str, Asked] = {}
            try:
                for contestant in contestants:
                    if contestant.takes(case):
                        self.progress(f"{case.title}: {contestant.title} starts")
                        self._start(
                            asked, outcomes, contestant, case, arrays, Path(folder)
                        )
                self._take_turns(asked, outcomes, case, predict)
            finally:
                for process in asked.values():
                    process.close()
        return outcomes

    def _start(
        self,
        asked: dict[str, Asked],
        outcomes: dict[str, Outcome],
        contestant: Contestant,
        case: Case,
        arrays: str,
        folder: Path,
    ) -> None:
        """A fresh process: its first step, and its loss after a few."""
        key = contestant.key
        log = folder / f"{key}.log"
        variables = environment(self.threads, self.isa, folder / key)
        process = Asked(
            serve,
            (str(log), self.threads, contestant, case, arrays),
            {**variables, **dict(contestant.environment)},
            self.limit,
        )
        outcome = outcomes[key]
        try:
            outcome.first_step = process.ask("first_step")
            outcome.first_loss, outcome.loss = process.ask("losses")
            outcome.memory = process.ask("memory")
        except FailedError as error:
            outcome.missing = str(error)
            process.close()
        else:
            asked[key] = process

    def _take_turns(
        self,
        asked: dict[str, Asked],
        outcomes: dict[str, Outcome],
        case: Case,
        predict: bool,
    ) -> None:
        worked = dict.fromkeys(asked, 0.0)
        everybody = list(asked)
        began = time.perf_counter()
        for turn in range(self.rounds):
            for key in everybody:
                self.progress(f"{case.title}: {key}, round {turn + 1}")
                if outcomes[key].missing:
                    continue
                time.sleep(PAUSE)
                start = time.perf_counter()
                try:
                    self._turn(asked[key], outcomes[key], predict)
                except FailedError as error:
                    outcomes[key].missing = str(error)
                worked[key] += time.perf_counter() - start
            everybody = everybody[1:] + everybody[:1]  # another one begins
        for key, process in asked.items():
            if not outcomes[key].missing:
                waited = time.perf_counter() - began - worked[key]
                outcomes[key].asleep = process.asleep / max(waited, 1e-9)

    @staticmethod
    def _turn(process: Asked, outcome: Outcome, predict: bool) -> None:
        outcome.train.append(process.ask("train"))
        if predict:
            outcome.predict_1.append(process.ask("predict", samples=1))
            outcome.predict_1024.append(process.ask("predict", samples=1024))

    def ceiling(self) -> float:
        """GFLOP/s of the fastest matrix product, by PyTorch or NumPy."""
        rates = []
        with tempfile.TemporaryDirectory() as folder:
            for library in ("torch", "numpy"):
                self.progress(f"the ceiling: matrix products of {library}")
                process = Asked(
                    serve_ceiling,
                    (str(Path(folder, "log")), self.threads, library),
                    environment(self.threads, self.isa, Path(folder)),
                    self.limit,
                )
                try:
                    rates.append(process.ask("rate"))
                except FailedError:  # PyTorch is optional
                    pass
                finally:
                    process.close()
        return max(rates)
