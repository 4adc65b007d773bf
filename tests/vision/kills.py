"""Trainings that are killed at random moments, taken up again, and compared.

python -m tests.vision.kills COUNT [SEED]     kills COUNT times, prints what came out

Half of the kills come from outside after a random time; half are the training's own, at
a random call that writes, moves or removes a file, so that checkpoints and results are
cut off half-written far more often than by chance.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

ARGUMENTS = ["digits", "--epochs", "4", "--batch-size", "128", "--seed", "3"]

# Ends itself at the n-th call that changes a file: no handler, no `finally` runs.
SUICIDE = """
import os, sys
left = fatal = int(sys.argv.pop(1))
if left:
    import atexit, pathlib
    atexit.register(lambda: print("changes", fatal - left, file=sys.stderr))
    def deadly(function):
        def call(*args, **kwargs):
            global left
            left -= 1
            if left == 0:
                os._exit(9) if os.name == "nt" else os.kill(os.getpid(), 9)
            return function(*args, **kwargs)
        return call
    os.replace = deadly(os.replace)
    os.rename = deadly(os.rename)
    os.unlink = deadly(os.unlink)
    os.fsync = deadly(os.fsync)
    os.mkdir = deadly(os.mkdir)
    os.rmdir = deadly(os.rmdir)
    first = pathlib.Path.open
    def opened(self, mode="r", *args, **kwargs):
        file = first(self, mode, *args, **kwargs)
        if "x" in mode or "w" in mode:
            inner = file.write
            class Half:
                def __getattr__(self, name): return getattr(file, name)
                def __enter__(self): file.__enter__(); return self
                def __exit__(self, *a): return file.__exit__(*a)
                def write(self, data):
                    global left
                    left -= 1
                    if left == 0:
                        inner(data[: len(data) // 2]); file.flush()
                        os._exit(9) if os.name == "nt" else os.kill(os.getpid(), 9)
                    return inner(data)
            return Half()
        return file
    pathlib.Path.open = opened
from deepneuron.cli.main import main
main()
"""


def command(*arguments: str, fatal: int = 0) -> list[str]:
    """deepneuron's command line, which kills itself at the `fatal`-th change."""
    return [sys.executable, "-c", SUICIDE, str(fatal), *arguments]


def start(*arguments: str, fatal: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("train", *arguments, "--quiet", fatal=fatal),
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> str:
    """Wait for an end that is none of ours; what stands on stderr.

    Raises:
        AssertionError: it failed.
    """
    out, err = process.communicate()
    assert process.returncode == 0, (out + err).decode(errors="replace")
    return err.decode()


def contents(run: Path) -> dict[str, bytes]:
    """What must be equal, by name: all weights, and all that is told of them."""
    found = {
        name: (run / name).read_bytes()
        for name in ("history.csv", "metrics.json", "audit.json", "labels.json")
    }
    for name in ("model.keras", "last.keras"):
        with zipfile.ZipFile(run / name) as archive:
            for member in ("model.weights.h5", "config.json"):
                found[f"{name}/{member}"] = archive.read(member)
    with np.load(run / "details.npz", allow_pickle=False) as arrays:
        for name in arrays.files:
            found[f"details.npz/{name}"] = arrays[name].tobytes()
    return found


def kill_and_resume(
    run: Path, chance: random.Random, seconds: float, changes: int, kills: int
) -> list[str]:
    """Train into `run`, cut off so many times; how far it had come each time."""
    seen: list[str] = []
    while len(seen) < kills and not _is_over(run):
        if chance.random() < 0.5:
            process = start(*_arguments(run))
            time.sleep(chance.uniform(0.1, 1.0) * seconds)
            process.kill()
        else:
            process = start(*_arguments(run), fatal=chance.randint(1, changes))
        process.communicate()
        if process.returncode:  # else it was faster
            seen.append(_stage(run))
    while not _is_over(run):
        finish(start(*_arguments(run)))
    return seen


def _arguments(run: Path) -> list[str]:
    if (run / "unfinished" / "config.json").is_file():
        return ["--resume", str(run)]
    return [*ARGUMENTS, "--out", str(run)]


def _is_over(run: Path) -> bool:
    unfinished = (run / "unfinished" / "config.json").is_file()
    return (run / "config.json").is_file() and not unfinished


def _stage(run: Path) -> str:
    """How far a training had come when it was cut off."""
    unfinished = run / "unfinished"
    if not (unfinished / "config.json").is_file():
        return "finished" if (run / "config.json").is_file() else "not begun"
    if (unfinished / "results").is_dir():
        return "writing results"
    if any(unfinished.glob(".checkpoint*")):
        return "writing a checkpoint"
    if (unfinished / "checkpoint.npz").is_file():
        return "training"
    return "before the first epoch was over"


def main(count: int, seed: int, folder: Path) -> None:
    """Kill `count` trainings and say how they ended."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    began = time.monotonic()
    said = finish(start(*ARGUMENTS, "--out", str(folder / "whole"), fatal=10**9))
    changes = int(said.split()[-1])
    seconds = time.monotonic() - began
    expected = contents(folder / "whole")
    stages: Counter[str] = Counter()
    killed = equal = runs = 0
    while killed < count:
        run, runs = folder / f"run{runs}", runs + 1
        kills = min(chance.randint(1, 3), count - killed)
        seen = kill_and_resume(run, chance, seconds, changes, kills)
        stages.update(seen)
        killed += len(seen)
        same = contents(run) == expected
        equal += same
        if not same:
            print(f"{run} differs")
        print(
            f"\r{killed} kills, {equal} of {runs} runs ended equal", end="", flush=True
        )
    print()
    for stage, times in stages.most_common():
        print(f"{times:5} {stage}")
    if equal < runs:
        sys.exit(1)


if __name__ == "__main__":
    import tempfile

    main(
        int(sys.argv[1]),
        int(sys.argv[2]) if len(sys.argv) > 2 else 0,
        Path(tempfile.mkdtemp()),
    )
