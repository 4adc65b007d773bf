"""The process of one contestant: it answers requests, and sleeps in between."""

from __future__ import annotations

import gc
import os
import sys
import time
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.compare.cases import CHECKED, Case, Task, load
from benchmarks.compare.contestants import AbsentError, Contestant, Learner
from benchmarks.pictures import peak_memory

WARM_UP = 2  # untimed steps before a timed turn: caches, sleeping threads


class Server:
    """Answers requests, which are names of its methods, with plain data."""

    def __init__(self, contestant: Contestant, task: Task) -> None:
        self.contestant, self.task = contestant, task
        exec(contestant.imports)  # noqa: S102 - a statement of our table
        self.module = import_module(
            f"benchmarks.compare.contestants.{contestant.module}"
        )
        gc.collect()
        self.memory_before = peak_memory()
        self.learner: Any = None

    def first_step(self) -> float:
        """Build, compile, take one step; the seconds."""
        began = time.perf_counter()
        learner: Learner = self.module.build(self.task, self.contestant.variant)
        self.learner = learner
        self.first_loss = learner.fit(*learner.ready(*self.task.batches(0, 1)))
        return time.perf_counter() - began

    def losses(self) -> tuple[float, float]:
        """Of the first step, and of the one after the first 20."""
        self.learner.fit(*self.learner.ready(*self.task.batches(1, CHECKED)))
        batch = self.task.batches(CHECKED, CHECKED + 1)
        return self.first_loss, self.learner.fit(*self.learner.ready(*batch))

    def train(self, bare: bool = False) -> float:
        """Seconds per step; `bare`: of the engine's steps, without `fit`."""
        steps = self.task.case.steps
        self.learner.fit(*self.learner.ready(*self.task.batches(0, WARM_UP)))
        x, y = self.learner.ready(*self.task.batches(0, steps))
        if bare:
            return self.learner.bare_steps(x, y) / steps
        began = time.perf_counter()
        self.learner.fit(x, y)
        return (time.perf_counter() - began) / steps

    def predict(self, samples: int, least: float = 0.1) -> float:
        """Seconds per call: the median of calls that take `least` seconds together."""
        repeats = -(-samples // len(self.task.x))
        x = self.task.x.repeat(repeats, axis=0)[:samples]
        x, _ = self.learner.ready(x, self.task.y[:samples])
        self.learner.predict(x)
        times: list[float] = []
        while sum(times) < least:
            began = time.perf_counter()
            self.learner.predict(x)
            times.append(time.perf_counter() - began)
        return sorted(times)[len(times) // 2]

    def memory(self) -> float:
        """The most memory so far, in MB, over that after the import."""
        return peak_memory() - self.memory_before


def serve(
    pipe: Connection,
    log: str,
    threads: int,
    contestant: Contestant,
    case: Case,
    arrays: str,
) -> None:
    """Answer until the pipe is closed: (kind, value, CPU seconds while asleep)."""
    _write_into(log)
    _keep_to(threads)
    server: Server | None = None
    asleep = 0.0
    fell_asleep = time.process_time()
    while True:
        try:
            request, arguments = pipe.recv()
        except EOFError:
            return
        asleep += time.process_time() - fell_asleep
        try:
            if server is None:
                server = Server(contestant, load(case, arrays))
                asleep = 0.0
            reply = "done", getattr(server, request)(**arguments), asleep
        except AbsentError as error:
            reply = "absent", str(error), asleep
        except Exception as error:  # noqa: BLE001 - reported, the others go on
            reply = "failed", f"{type(error).__name__}: {error}", asleep
        pipe.send(reply)
        fell_asleep = time.process_time()


def _write_into(log: str) -> None:
    """What libraries print must not tear the progress bar."""
    file = Path(log).open("a", encoding="utf-8")  # noqa: SIM115 - as long as we live
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)


def _keep_to(threads: int) -> None:
    """Onto so many cores, where the system allows: some ask for no other setting."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:threads])
