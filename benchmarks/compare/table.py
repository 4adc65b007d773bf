"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.compare.cases import CASES, Case
from benchmarks.compare.contestants import CONTESTANTS, Contestant
from benchmarks.compare.flops import fewest_flops, step_flops
from benchmarks.compare.outcome import Outcome, Results

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
# Relative. Adam turns rounding into steps: in ResNet-20 the compiled PyTorch is 0.5 %
# off the eager one after 20 of them. A network that differs is off by far more.
TOLERANCES = {"first_loss": 1e-4, "loss": 1e-2}
TOLERANCES_BF16 = {"first_loss": 1e-2, "loss": 5e-2}
RESTLESS = 0.02  # the share of a core beyond which a sleeper is reported
NOTHING = "–"

Row = dict[str, Outcome]


# --- what stands in a column


def best_tuned(row: Row) -> Contestant | None:
    """The fastest of PyTorch's variants on this case."""
    tuned = {
        c: outcome.median()
        for c in CONTESTANTS
        if c.tuned and (outcome := row.get(c.key)) and not outcome.missing
    }
    times = {c: time for c, time in tuned.items() if time is not None}
    return min(times, key=times.__getitem__) if times else None


def columns(results: Results) -> list[tuple[str, Callable[[Row], Outcome | None]]]:
    """(title, the outcome in a row) of each column; PyTorch's variants share one."""
    present = {key for row in results.outcomes.values() for key in row}
    found: list[tuple[str, Callable[[Row], Outcome | None]]] = []
    for contestant in CONTESTANTS:
        if contestant.tuned and ("PyTorch tuned", _tuned) not in found:
            if any(c.tuned and c.key in present for c in CONTESTANTS):
                found.append(("PyTorch tuned", _tuned))
        elif not contestant.tuned and contestant.key in present:
            found.append((contestant.title, _getter(contestant.key)))
    return found


def _tuned(row: Row) -> Outcome | None:
    best = best_tuned(row)
    return row[best.key] if best else None


def _getter(key: str) -> Callable[[Row], Outcome | None]:
    return lambda row: row.get(key)


def ours(row: Row) -> Outcome | None:
    """What the others are compared with: native kernels if they took part."""
    for key in ("ours-native", "ours-numpy"):
        if key in row and row[key].train:
            return row[key]
    return None


# --- numbers


def digits(value: float) -> str:
    """Three digits, and no exponent.

    >>> digits(0.00423), digits(3.14159), digits(1234.5)
    ('0.00423', '3.14', '1,234')
    """
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    places = 2
    while abs(value) < 10.0 ** (2 - places) and places < 6:
        places += 1
    if abs(value) >= 10:
        places = 1
    return f"{value:.{places}f}"


def ratio(mine: float, theirs: float) -> str:
    """Our time by theirs; what we lose is bold.

    >>> ratio(1.0, 4.0), ratio(3.0, 2.0)
    ('0.250', '**1.50**')
    """
    text = digits(mine / theirs)
    return f"**{text}**" if mine > theirs else text


def agrees(key: str, what: str, outcome: Outcome, reference: Outcome | None) -> bool:
    """Whether `first_loss` or `loss` is that of the reference, up to rounding."""
    loss, wanted = getattr(outcome, what), getattr(reference, what, None)
    if loss is None or wanted is None:
        return True
    tolerance = (TOLERANCES_BF16 if "bf16" in key else TOLERANCES)[what]
    return abs(loss - wanted) <= tolerance * abs(wanted)


# --- tables


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, its first column to the left and the others to the right.

    >>> print(markdown(["case", "ms"], [["tiny", "1"]]))
    | case | ms |
    |---|---:|
    | tiny | 1 |
    """
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(
        f"|{'|'.join(line)}|" if i == 1 else f"| {' | '.join(line)} |"
        for i, line in enumerate(lines)
    )


def cases_of(results: Results) -> list[Case]:
    return [case for case in CASES if case.key in results.outcomes]


def _grid(
    results: Results, cell: Callable[[Case, Row, Outcome], str], skip: int = 0
) -> str:
    shown = columns(results)[skip:]
    rows = []
    for case in cases_of(results):
        row = results.outcomes[case.key]
        outcomes = [get(row) for _, get in shown]
        rows.append(
            [
                case.title,
                *(
                    cell(case, row, outcome) if outcome else NOTHING
                    for outcome in outcomes
                ),
            ]
        )
    return markdown(["", *(title for title, _ in shown)], rows)


def ratios(results: Results) -> str:
    """Our time by theirs, for a training step."""

    def cell(case: Case, row: Row, outcome: Outcome) -> str:
        mine, theirs = ours(row), outcome.median()
        if mine is None or theirs is None or outcome.missing:
            return NOTHING
        own = mine.median()
        assert own is not None
        return "1" if outcome is mine else ratio(own, theirs)

    return _grid(results, cell)


def milliseconds(results: Results) -> str:
    """Median, and in brackets the 25th percentile, of a training step."""

    def cell(case: Case, row: Row, outcome: Outcome) -> str:
        median, quarter = outcome.median(), outcome.quarter()
        if median is None or quarter is None or outcome.missing:
            return NOTHING
        return f"{digits(1000 * median)} ({digits(1000 * quarter)})"

    return _grid(results, cell)


def gflops(results: Results) -> str:
    """GFLOP/s of a training step, and the share of the ceiling."""

    def cell(case: Case, row: Row, outcome: Outcome) -> str:
        median = outcome.median()
        if median is None or outcome.missing:
            return NOTHING
        rate = case.batch * step_flops(case.network, case.shape) / median / 1e9
        return f"{digits(rate)} ({rate / results.ceiling:.0%})"

    return _grid(results, cell)


def limits(results: Results) -> str:
    """What the matrix products alone would take at the ceiling, beside what we take."""
    rows = []
    for case in cases_of(results):
        floors = [
            case.batch * count(case.network, case.shape) / results.ceiling / 1e6
            for count in (step_flops, fewest_flops)
        ]
        mine = ours(results.outcomes[case.key])
        own = mine.median() if mine else None
        cells = [*floors, *([] if own is None else [1000 * own])]
        rows.append([case.title, *map(digits, cells), *[NOTHING] * (3 - len(cells))])
    return markdown(["", "as defined", "3x3 by Winograd", "deepneuron"], rows)


def one_number(results: Results, what: str, scale: float) -> str:
    """An attribute of each outcome, or the median of its times."""

    def cell(case: Case, row: Row, outcome: Outcome) -> str:
        value = getattr(outcome, what)
        value = outcome.median(what) if isinstance(value, list) else value
        if value is None or outcome.missing:
            return NOTHING
        return digits(scale * value)

    return _grid(results, cell)


def variants(results: Results) -> str:
    """Every variant of PyTorch, in milliseconds; the best of a case is bold."""
    present = {key for row in results.outcomes.values() for key in row}
    shown = [c for c in CONTESTANTS if c.module == "torch" and c.key in present]
    rows = []
    for case in cases_of(results):
        row = results.outcomes[case.key]
        best = best_tuned(row)
        cells = []
        for contestant in shown:
            outcome = row.get(contestant.key, Outcome())
            median = outcome.median()
            text = NOTHING if median is None else digits(1000 * median)
            cells.append(f"**{text}**" if contestant == best else text)
        rows.append([case.title, *cells])
    return markdown(["", *(c.title.removeprefix("PyTorch ") for c in shown)], rows)


def costs(results: Results) -> str:
    """Import time and installed size of each."""
    titles = {c.key: c.title for c in CONTESTANTS}
    rows = [
        [
            titles[key],
            digits(results.imports[key]),
            digits(results.sizes[key]) if key in results.sizes else NOTHING,
        ]
        for key in results.imports
    ]
    return markdown(["", "import, s over NumPy's", "installed, MB"], rows)


def remarks(results: Results) -> list[str]:
    """Who is absent or failed, whose loss differs, who did not sleep."""
    found: dict[str, list[str]] = {}  # the same remark for many cases is one line
    for case in cases_of(results):
        row = results.outcomes[case.key]
        reference = row.get("torch-eager", next(iter(row.values())))
        for contestant in CONTESTANTS:
            outcome = row.get(contestant.key)
            if outcome is None:
                continue
            title = f"**{contestant.title}**"
            if outcome.missing:
                found.setdefault(f"{title}: {outcome.missing}", []).append(case.key)
            for what, when in (("first_loss", "at first"), ("loss", "after 20 steps")):
                if not agrees(contestant.key, what, outcome, reference):
                    text = (
                        f"{title}: its loss {when} is {getattr(outcome, what):.5g}, "
                        f"not {getattr(reference, what):.5g}"
                    )
                    found.setdefault(text, []).append(case.key)
            if outcome.asleep > RESTLESS:
                text = f"{title}: used over {RESTLESS:.0%} of a core in others' turns"
                found.setdefault(text, []).append(case.key)
    return [f"* {text} ({', '.join(keys)})" for text, keys in found.items()]


def report(results: Results, image: str) -> str:
    """All tables, the losses' agreement, and what is missing."""
    circumstances = (
        f"Measured on {results.machine}; {results.threads} threads, instructions: "
        f"{results.isa}; {results.rounds} rounds. {results.versions}. "
        f"The largest matrix product reached {results.ceiling:,.0f} GFLOP/s."
    )
    parts = [
        circumstances,
        "**Our time by theirs, in training** (below 1 we are faster; losses are bold):",
        ratios(results),
        f"![Time of a training step by contestant]({image})",
        "**Milliseconds of one step of training**, median (25th percentile):",
        milliseconds(results),
        "**GFLOP/s in training** (share of the largest matrix product's):",
        gflops(results),
        "**The limit by count**, milliseconds: a step's products at that rate:",
        limits(results),
        "**Milliseconds of PyTorch's variants** (bold: `PyTorch tuned` elsewhere):",
        variants(results),
        "**Milliseconds of `predict` for one sample:**",
        one_number(results, "predict_1", 1000),
        "**Milliseconds of `predict` for 1,024 samples:**",
        one_number(results, "predict_1024", 1000),
        "**Seconds to the first step**, in a fresh process, after the import:",
        one_number(results, "first_step", 1),
        "**Peak memory**, MB over that after the import:",
        one_number(results, "memory", 1),
    ]
    if results.imports:
        parts += ["**Before training:**", costs(results)]
    notes = remarks(results)
    parts += ["**Missing or odd:**", "\n".join(notes) if notes else "Nothing."]
    return "\n\n".join(parts)


def write_between(path: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put the text between the markers of a page, which is made if there is none."""
    page = path.read_text(encoding="utf-8") if path.exists() else f"{begin}\n{end}\n"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{path} has no lines {begin} and {end} to write between.")
    new = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(new, encoding="utf-8")
