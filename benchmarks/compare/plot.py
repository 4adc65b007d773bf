"""Results as a picture: how many times our time everybody needs, on a log scale."""

from __future__ import annotations

from pathlib import Path

from benchmarks.compare.outcome import Results
from benchmarks.compare.table import cases_of, columns, digits, ours

# Distinct without colours, too.
STYLES = {
    "deepneuron": ("o", "#0b6e4f"),
    "deepneuron, NumPy kernels": ("o", "#7fc8a9"),
    "PyTorch eager": ("s", "#d1495b"),
    "PyTorch tuned": ("D", "#8d1d2c"),
    "JAX": ("^", "#3066be"),
    "Keras on JAX": ("v", "#86a8e7"),
    "Keras on PyTorch": ("P", "#edae49"),
    "scikit-learn": ("X", "#6c757d"),
}


def draw(results: Results, path: Path) -> None:
    """A row for each case, a mark for each contestant, 1 where we stand."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    cases = [c for c in cases_of(results) if ours(results.outcomes[c.key])]
    shown = columns(results)
    figure, axes = plt.subplots(figsize=(9.5, 1.7 + 0.42 * len(cases)))
    for y, case in enumerate(cases):
        axes.axhline(y, color="0.9", zorder=0)
        mine = ours(results.outcomes[case.key])
        own = mine.median() if mine else None
        assert own is not None
        axes.text(
            1.01, y, f"{digits(1000 * own)} ms", transform=axes.get_yaxis_transform(),
            va="center", fontsize=8,
        )  # fmt: skip
    for title, get in shown:
        points = []
        for y, case in enumerate(cases):
            row = results.outcomes[case.key]
            outcome, mine = get(row), ours(row)
            own = mine.median() if mine else None
            time = outcome.median() if outcome and not outcome.missing else None
            if time is not None and own is not None:
                points.append((time / own, y))
        if points:
            marker, color = STYLES[title]
            axes.plot(
                *zip(*points, strict=True), marker, color=color, label=title, ms=7,
                markeredgecolor="white", markeredgewidth=0.6, ls="",
            )  # fmt: skip
    axes.axvline(1, color="#0b6e4f", lw=1, zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_yticks(range(len(cases)), [case.title for case in cases], fontsize=8)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xlabel("time of a training step, ours being 1 (to the right: slower)")
    axes.text(
        1.01, -0.5, "ours", transform=axes.get_yaxis_transform(), va="bottom",
        fontsize=8, weight="bold",
    )  # fmt: skip
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    axes.grid(axis="x", alpha=0.25)
    figure.legend(loc="upper center", ncols=4, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.55 / figure.get_figheight()))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
