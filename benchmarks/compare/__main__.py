"""Training speed: deepneuron against PyTorch, JAX, Keras and scikit-learn.

    python -m benchmarks.compare                        # all of it: about an hour
    python -m benchmarks.compare --cases convnet --contestants ours torch-eager
    python -m benchmarks.compare --sweep                # ratios by batch, width, depth
    python -m benchmarks.compare --epoch                # what fit adds to its steps

Every contestant starts from the same weights, sees the same batches and uses as many
threads; its loss after 20 steps must be that of the others. It works in a process of
its own, only one at a time, in turns. Written are OUT/performance.md (between two
markers; the rest of the page stays) and OUT/images/performance.png.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from benchmarks.compare import costs, epoch, plot, sweep, table
from benchmarks.compare.cases import CASES, Case
from benchmarks.compare.contestants import CONTESTANTS, Contestant, named
from benchmarks.compare.driver import Driver, Progress
from benchmarks.compare.outcome import Results

BUSY = 0.7  # a load average above which times are not to be trusted
DOCS = Path(__file__).resolve().parents[2] / "docs"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cases", nargs="+", metavar="CASE", help=_list(CASES))
    parser.add_argument(
        "--contestants",
        nargs="+",
        metavar="WHO",
        help=_list(CONTESTANTS) + "; or the beginning of several, such as torch",
    )
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=_cores())
    parser.add_argument("--isa", choices=["avx2"], help="forbid newer instructions")
    parser.add_argument("--limit", type=float, default=300, help="seconds an answer")
    parser.add_argument("--out", type=Path, default=DOCS, help="a folder; docs/")
    parser.add_argument("--save", type=Path, help="a JSON file of all times")
    parser.add_argument("--load", type=Path, help="such a file: only write its tables")
    parser.add_argument("--sweep", action="store_true", help="only: sizes of an MLP")
    parser.add_argument("--epoch", action="store_true", help="only: a whole epoch")
    return parser.parse_args()


def _list(items: tuple[Case, ...] | tuple[Contestant, ...]) -> str:
    return ", ".join(item.key for item in items)


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chosen_cases(keys: list[str] | None) -> list[Case]:
    chosen = [c for c in CASES if keys is None or c.key in keys]
    unknown = set(keys or ()) - {case.key for case in chosen}
    if unknown:
        sys.exit(f"There is no case {sorted(unknown)}; there are {_list(CASES)}.")
    return chosen


def chosen_contestants(keys: list[str] | None) -> list[Contestant]:
    if keys is None:
        return list(CONTESTANTS)
    for key in keys:
        if not named(key):
            sys.exit(f"There is no contestant {key!r}; there are {_list(CONTESTANTS)}.")
    wanted = {contestant for key in keys for contestant in named(key)}
    return [contestant for contestant in CONTESTANTS if contestant in wanted]


@contextmanager
def progress_bar(total: int | None) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=total)

        def advance(line: str) -> None:
            bar.update(task, description=line, advance=1)

        yield advance


def machine() -> str:
    """The processor's name and the system's."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {platform.system()}, Python {platform.python_version()}"


def warn_of_load() -> None:
    """On a busy machine threads wait for each other, PyTorch's above all."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > BUSY:
        print(
            f"The load of this machine is {load:.1f}: other programs are running, and "
            "ratios will say little.",
            file=sys.stderr,
        )


def versions() -> str:
    found = []
    for package in ("deepneuron-ai", "numpy", "torch", "jax", "keras", "scikit-learn"):
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"{package} is not installed")
    return ", ".join(found)


def compare(chosen: argparse.Namespace) -> Results:
    """All turns of all cases; saved after each case, for it takes long."""
    cases = chosen_cases(chosen.cases)
    contestants = chosen_contestants(chosen.contestants)
    results = Results(chosen.threads, chosen.isa or "all that there are", chosen.rounds)
    results.machine, results.versions = machine(), versions()
    driver = Driver(chosen.threads, chosen.isa, chosen.rounds, chosen.limit)
    total = 2 + sum(driver.turns(case, contestants) for case in cases)
    with progress_bar(total) as driver.progress:
        results.ceiling = driver.ceiling()
        for case in cases:
            results.outcomes[case.key] = driver.run(case, contestants)
            if chosen.save:
                results.save(chosen.save)
        driver.progress("import times")
        plain = [c for c in contestants if not c.tuned]  # a variant imports the same
        results.imports = costs.import_times(plain, chosen.rounds)
        results.sizes = {c.key: costs.installed_size(c.packages) for c in plain}
    if chosen.save:
        results.save(chosen.save)
    return results


def main() -> None:
    chosen = arguments()
    if not chosen.load:
        warn_of_load()
    if chosen.sweep:
        counter = Driver(chosen.threads, chosen.isa, chosen.rounds, chosen.limit)
        everybody = sweep.contestants()
        total = sum(
            counter.turns(case, everybody)
            for sizes in sweep.cases().values()
            for case in sizes.values()
        )
        with progress_bar(total) as counter.progress:
            ratios = sweep.run(counter)
        print(sweep.show(ratios))
        image = chosen.out / "images" / "performance_by_size.png"
        sweep.draw(ratios, image)
        print(image)
    elif chosen.epoch:
        contestants = chosen_contestants(["ours"])
        driver = Driver(chosen.threads, chosen.isa, chosen.rounds, chosen.limit)
        with progress_bar(len(contestants) * chosen.rounds) as driver.progress:
            found = epoch.run(driver, contestants)
        for key, result in found.items():
            print(f"{key}: {result}")
    else:
        results = Results.load(chosen.load) if chosen.load else compare(chosen)
        page = chosen.out / "performance.md"
        plot.draw(results, chosen.out / "images" / "performance.png")
        report = table.report(results, "images/performance.png")
        table.write_between(page, report)
        print("\n".join(table.remarks(results)))
        print(page)


if __name__ == "__main__":
    main()
