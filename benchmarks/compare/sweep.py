"""How the ratio to PyTorch changes as batch, width and depth grow, on an MLP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.compare.cases import Case, mlp
from benchmarks.compare.contestants import Contestant, named
from benchmarks.compare.driver import Driver
from benchmarks.compare.flops import step_flops
from benchmarks.compare.network import Network

PEER = "torch-eager"
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
WIDTHS = (16, 64, 256, 1024, 4096)
DEPTHS = (2, 5, 10, 20, 50, 100)

Ratios = dict[str, dict[int, dict[str, float]]]  # {axis: {size: {contestant: ratio}}}


def contestants() -> list[Contestant]:
    return [*named("ours-native"), *named("ours-numpy"), *named(PEER)]


def _case(key: str, network: Network, inputs: int, batch: int) -> Case:
    # As many steps as fit into about a second of a slow machine.
    flops = batch * step_flops(network, (inputs,))
    overhead = len(network) * 1e-4
    steps = int(min(300, max(3, 0.5 / (flops / 5e10 + overhead))))
    return Case(key, key, network, (inputs,), batch, "adam", steps)


def cases() -> dict[str, dict[int, Case]]:
    """{axis: {size: case}}: one size grows, the others stay as they are."""
    return {
        "batch": {n: _case(f"batch {n}", mlp(256, 256, 10), 128, n) for n in BATCHES},
        "width": {n: _case(f"width {n}", mlp(n, n, 10), 64, 128) for n in WIDTHS},
        "depth": {
            n: _case(f"depth {n}", mlp(*[64] * (n - 1), 10), 64, 128) for n in DEPTHS
        },
    }


def run(driver: Driver) -> Ratios:
    ratios: Ratios = {}
    for axis, sizes in cases().items():
        ratios[axis] = {}
        for size, case in sizes.items():
            outcomes = driver.run(case, contestants(), predict=False)
            times = {key: outcome.median() for key, outcome in outcomes.items()}
            peer = times.pop(PEER)
            ratios[axis][size] = {
                key: time / peer for key, time in times.items() if time and peer
            }
    return ratios


def draw(ratios: Ratios, path: Path) -> None:
    """Three panels; below 1 we are faster."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    styles = {"ours-native": ("o-", "#0b6e4f"), "ours-numpy": ("o--", "#7fc8a9")}
    labels: Sequence[str] = (
        "batch of 128-256-256-10",
        "width w of 64-w-w-10, batch 128",
        "depth: layers of 64, batch 128",
    )
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True)
    for axes, label, (_, sizes) in zip(panels, labels, ratios.items(), strict=True):
        for key, (style, color) in styles.items():
            points = {size: row[key] for size, row in sizes.items() if key in row}
            if points:
                (who,) = named(key)
                x, y = [*points], [*points.values()]
                axes.plot(x, y, style, color=color, label=who.title)
        axes.axhline(1, color="#d1495b", lw=1)
        axes.set(xscale="log", yscale="log", xlabel=label)
        axes.set_xticks([*sizes], [str(size) for size in sizes], fontsize=8)
        axes.set_xticks([], minor=True)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter("")
        axes.grid(alpha=0.25, which="both")
    panels[0].set_ylabel("our time by PyTorch's (eager)")
    panels[0].legend(fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def show(ratios: Ratios) -> str:
    """One line for each size."""
    return "\n".join(
        f"{axis} {size}: {json.dumps({k: round(v, 3) for k, v in row.items()})}"
        for axis, sizes in ratios.items()
        for size, row in sizes.items()
    )
