"""What `import deepneuron` costs beyond `import numpy`: the bar is 0.10 s.

    python -m benchmarks.import_time

Fresh interpreters, alternating; medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping

RUNS = 15

STATEMENTS = {
    "import numpy": "import numpy",
    "import deepneuron": "import numpy, deepneuron",
    "... with a Sequential": "import numpy, deepneuron; deepneuron.Sequential",
    "... layers and models": "import numpy; from deepneuron import layers, models",
}


def seconds(statement: str, variables: Mapping[str, str] | None = None) -> float:
    """The time of a fresh interpreter that runs one statement."""
    # As users have it: compiled once, and not in every process anew.
    environment = {**os.environ, **(variables or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - statements of our own
        [sys.executable, "-c", statement], check=True, env=environment
    )
    return time.perf_counter() - began


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(RUNS + 1):  # the first fills the disk's cache
        for name, statement in STATEMENTS.items():
            times[name].append(seconds(statement))
    medians = {name: statistics.median(t[1:]) for name, t in times.items()}
    base = medians["import numpy"]
    for name, median in medians.items():
        print(f"{name:<22} {median:6.3f} s   {median - base:+.3f} s over numpy")


if __name__ == "__main__":
    main()
