"""What one pays before training: import time, and space on the disk."""

from __future__ import annotations

import re
import statistics
from importlib import metadata
from pathlib import Path

from benchmarks.compare.contestants import Contestant
from benchmarks.import_time import seconds

NUMPY = "import numpy"
BASE = "numpy"  # everybody needs it, so it is in nobody's size


def import_times(contestants: list[Contestant], rounds: int) -> dict[str, float]:
    """Seconds over `import numpy`: medians of fresh interpreters, which alternate."""
    statements = {c.key: f"{NUMPY}; {c.imports}" for c in contestants}
    times: dict[str, list[float]] = {key: [] for key in ("", *statements)}
    for turn in range(rounds + 1):  # the first fills the disk's cache
        for key, statement in {"": NUMPY, **statements}.items():
            contestant = next((c for c in contestants if c.key == key), None)
            variables = dict(contestant.environment) if contestant else {}
            spent = seconds(statement, variables)
            if turn:
                times[key].append(spent)
    base = statistics.median(times.pop(""))
    return {key: statistics.median(each) - base for key, each in times.items()}


def installed_size(packages: tuple[str, ...]) -> float:
    """MB of distributions and of all that they require, NumPy apart."""
    needed: set[str] = set()
    for package in packages:
        _require(package, needed)
    return sum(_size(package) for package in needed) / 1e6


def _require(package: str, needed: set[str]) -> None:
    """Add a distribution, and what its metadata require without any extra."""
    package = re.sub(r"[-_.]+", "-", package).lower()
    if package in needed or package == BASE:
        return
    try:
        requirements = metadata.requires(package) or ()
    except metadata.PackageNotFoundError:  # of another system, say
        return
    needed.add(package)
    for requirement in requirements:
        if "extra ==" not in requirement:
            name = re.match(r"[\w.-]+", requirement)
            assert name
            _require(name[0], needed)


def _size(package: str) -> int:
    """Bytes of the files that a distribution installed, compiled Python apart."""
    distribution = metadata.distribution(package)
    files = [Path(str(f.locate())) for f in distribution.files or ()]
    if any(file.name.startswith("__editable__") for file in files):
        import deepneuron  # of a checkout: its folder is what would be installed

        files = list(Path(deepneuron.__file__).parent.rglob("*"))
    return sum(
        file.stat().st_size
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    )
