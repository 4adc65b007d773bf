"""What `import deepneuron` costs beyond `import numpy`: the bar is 0.10 s.

    python -m benchmarks.import_time

Fresh interpreters, alternating; medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15


def seconds(statement: str) -> float:
    """The time of a fresh interpreter that runs one statement."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)  # noqa: S603 - ours
    return time.perf_counter() - began


def main() -> None:
    statements = {
        "import numpy": "import numpy",
        "import deepneuron": "import numpy, deepneuron",
        "... with a Sequential": "import numpy, deepneuron; deepneuron.Sequential",
        "... layers and models": "import numpy; from deepneuron import layers, models",
    }
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(RUNS + 1):  # the first fills the disk's cache
        for name, statement in statements.items():
            times[name].append(seconds(statement))
    medians = {name: statistics.median(t[1:]) for name, t in times.items()}
    base = medians["import numpy"]
    for name, median in medians.items():
        print(f"{name:<22} {median:6.3f} s   {median - base:+.3f} s over numpy")


if __name__ == "__main__":
    main()
