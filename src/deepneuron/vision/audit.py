"""What one should know of pictures before a network learns from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepneuron.data.collection import PARTS, Skipped
from deepneuron.data.store import Facts, Store
from deepneuron.vision.channels import Channel, find_channels
from deepneuron.vision.duplicates import Duplicates, exact_groups, find_duplicates
from deepneuron.vision.wording import counted, listed, percent, quoted

_FEW = 20  # pictures of a class
_UNEVEN, _VERY_UNEVEN = 3.0, 10.0  # the largest class to the smallest
_LITTLE = 0.01  # of a part: what changes the accuracy by a hundredth at most
_UNLIKE = 0.1  # of the labels would have to change: total variation distance
_UNLIKE_SIZES = 0.3  # distance between two cumulative distributions
_BEYOND_CHANCE = 5.0  # standard deviations of chi squared
_KOLMOGOROV = 1.95  # D * sqrt(n m / (n + m)) above it has one chance in a thousand
_MOST_SIZES, _MOST_GROUPS, _MOST_MEMBERS, _MOST_ROWS = 30, 50, 20, 200


@dataclass(frozen=True)
class Finding:
    """Something to know, or to mend.

    Attributes:
        code: one word for programs, such as "imbalance".
        severity: "error" (it cannot be trained on), "warning" (a result will mislead or
            be poor) or "note".
        sentence: what was found, with numbers, and what to do.
        rows: the pictures in question, 200 at most.
    """

    code: str
    severity: str
    sentence: str
    rows: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "sentence": self.sentence,
            "rows": list(self.rows),
        }


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        store: what was looked at.
        duplicates: exact and near ones.
        findings: the worst first; empty if nothing is wrong.
    """

    store: Store
    duplicates: Duplicates
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data, ready for JSON; long lists are cut and their lengths given."""
        store, facts = self.store, self.store.facts
        constant = np.flatnonzero(facts.constant)
        return {
            "pictures": len(store.y),
            "shape": list(store.x.shape[1:]),
            "parts": {
                name: int((store.part == i).sum())
                for i, name in enumerate(PARTS)
                if (store.part == i).any()
            },
            "classes": _classes(store),
            "sizes": _sizes(facts),
            "size_quantiles": _quantiles(facts),
            "modes": _counts(facts.mode, facts.modes),
            "formats": _counts(facts.format, facts.formats),
            "skipped": [
                {"name": s.name, "reason": s.reason, "harmless": s.harmless}
                for s in store.skipped[:_MOST_ROWS]
            ],
            "skipped_count": len(store.skipped),
            "duplicates": {
                kind: [
                    [_row(store, row) for row in group[:_MOST_MEMBERS]]
                    for group in groups[:_MOST_GROUPS]
                ]
                for kind, groups in self._groups()
            }
            | {f"{kind}_groups": len(groups) for kind, groups in self._groups()}
            | {f"{kind}_pictures": _members(groups) for kind, groups in self._groups()},
            "constant": [_row(store, row) for row in constant[:_MOST_ROWS]],
            "constant_count": len(constant),
            "findings": [finding.to_json() for finding in self.findings],
        }

    def summary(self) -> list[str]:
        """A few lines for the terminal; what was found stands in one line each."""
        store = self.store
        height, width, channels = store.x.shape[1:]
        parts = [
            f"{int((store.part == i).sum()):,} {name}"
            for i, name in enumerate(PARTS)
            if (store.part == i).any()
        ]
        kind = "grey" if channels == 1 else "colour"
        classes = counted(len(store.class_names), "class", "classes")
        pictures = f"{counted(len(store.y), 'picture')} of {classes}"
        if len(parts) > 1:  # the training part alone has yet to be split
            pictures += f" ({', '.join(parts)})"
        lines = [f"{pictures}, {width} x {height} {kind}"]
        marks = {"error": "Error: ", "warning": "Warning: ", "note": "Note: "}
        lines += [marks[f.severity] + f.sentence for f in self.findings]
        if not self.findings:
            lines.append("Nothing was found that needs attention.")
        return lines

    def _groups(self) -> Iterator[tuple[str, tuple[np.ndarray, ...]]]:
        yield "exact", self.duplicates.exact
        yield "near", self.duplicates.near


def audit(store: Store, progress: Callable[[int, int], None] | None = None) -> Audit:
    """Look at the pictures, their labels and the facts about their files.

    Args:
        store: as the source has it, before a split: a part that is missing is no fault.
        progress: is told (done, total) on the way.
    """
    duplicates = find_duplicates(store, progress)
    findings = [
        *_unreadable(store),
        *_missing(store),
        *_few(store),
        *_imbalance(store),
        *_exact(store, duplicates),
        *_near(store, duplicates),
        *_constant(store),
        *(_leak(store, channel) for channel in find_channels(store)),
        *_unlike(store),
    ]
    order = ("error", "warning", "note")
    findings.sort(key=lambda finding: order.index(finding.severity))
    return Audit(store, duplicates, tuple(findings))


# --- findings, each in a function that yields none where nothing is wrong


def _unreadable(store: Store) -> Iterator[Finding]:
    told = [_skipped(s) for s in store.skipped if not s.harmless]
    if told:
        count = len(told)
        yield Finding(
            "unreadable",
            "warning",
            f"{counted(count, 'file')} {'was' if count == 1 else 'were'} passed over: "
            f"{listed(told)}. Repair or remove {'it' if count == 1 else 'them'}.",
        )
    harmless = [_skipped(s) for s in store.skipped if s.harmless]
    if harmless:
        yield Finding(
            "harmless", "note", f"Good to know, and no fault: {listed(harmless)}."
        )


def _skipped(skipped: Skipped) -> str:
    return f"{quoted(skipped.name)} ({skipped.reason})"


def _missing(store: Store) -> Iterator[Finding]:
    table = _label_counts(store)
    for i, part in enumerate(PARTS):
        absent = np.flatnonzero(table[i] == 0)
        if not table[i].any() and i > 0:
            continue  # the part will be made
        if not len(absent):
            continue
        names = listed([quoted(store.class_names[k]) for k in absent])
        what = (
            "no network can learn what it is never shown. Add pictures, or remove "
            f"the {'class' if len(absent) == 1 else 'classes'}"
            if part == "train"
            else "the accuracy does not say how well such pictures are told. Add some"
        )
        yield Finding(
            "missing_class",
            "error" if part == "train" else "warning",
            f"The {part} part has no picture of {names}: {what}.",
        )


def _few(store: Store) -> Iterator[Finding]:
    counts = _label_counts(store).sum(axis=0)
    few = [k for k in np.argsort(counts, kind="stable") if 0 < counts[k] < _FEW]
    if not few:
        return
    named = listed([f"{quoted(store.class_names[k])} ({counts[k]})" for k in few], 5)
    yield Finding(
        "few",
        "warning",
        f"{counted(len(few), 'class has', 'classes have')} fewer than {_FEW} pictures: "
        f"{named}. That is too few to learn from, and to judge by; add more.",
        _rows(np.flatnonzero(np.isin(store.y, few))),
    )


def _imbalance(store: Store) -> Iterator[Finding]:
    counts = _label_counts(store)[0]
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return
    least = int(present[counts[present].argmin()])
    most = int(counts.argmax())
    ratio = counts[most] / counts[least]
    if ratio < _UNEVEN:
        return
    share = percent(counts[most] / counts.sum())
    names = [quoted(store.class_names[k]) for k in (most, least)]
    yield Finding(
        "imbalance",
        "warning" if ratio >= _VERY_UNEVEN else "note",
        f"The largest class, {names[0]}, has {ratio:.1f} times as many training "
        f"pictures as the smallest, {names[1]} ({counts[most]:,} to "
        f"{counts[least]:,}): who always says {names[0]} is right for {share}. Look at "
        "the recall of the small classes beside the accuracy; more pictures of them, "
        "or class weights, help.",
    )


def _exact(store: Store, duplicates: Duplicates) -> Iterator[Finding]:
    groups = duplicates.exact
    contradicting, others = _by_labels(store, groups)
    if contradicting:
        yield _contradiction(store, contradicting, "the same", "contradicting_copies")
    within = [g for g in others if _repeats(store, g)]
    if within:
        surplus = sum(_repeats(store, g) for g in within)
        yield Finding(
            "copies",
            "note",
            f"{counted(surplus, 'picture')} {'is' if surplus == 1 else 'are'} there "
            f"once more in the same part, such as {_pair(store, within[0])}. What is "
            "there twice counts twice; remove the copies.",
            _rows(np.concatenate(within)),
        )
    yield from _across(store, groups, "exact", "copies_across")


def _near(store: Store, duplicates: Duplicates) -> Iterator[Finding]:
    groups = duplicates.near
    contradicting, others = _by_labels(store, groups)
    same = exact_groups(store.facts.digest)
    # Copies under different labels have a finding of their own.
    contradicting = [
        g for g in contradicting if len(np.unique(store.y[np.unique(same[g])])) > 1
    ]
    if contradicting:
        yield _contradiction(
            store, contradicting, "nearly the same", "contradicting_near_copies"
        )
    first = [np.unique(same[g]) for g in others]  # exact copies have been counted
    within = [g for g in first if _repeats(store, g)]
    if within:
        count = sum(map(len, within))
        yield Finding(
            "near_copies",
            "note",
            f"{counted(count, 'picture')} look nearly the same as others in the same "
            f"part, such as {_pair(store, within[0])}. If they are one picture saved "
            "twice, remove one of them.",
            _rows(np.concatenate(within)),
        )
    firsts = [np.unique(same[g]) for g in groups]
    yield from _across(store, firsts, "near", "near_copies_across")


def _across(
    store: Store, groups: Sequence[np.ndarray], how: str, code: str
) -> Iterator[Finding]:
    """Pictures of a later part that are in an earlier one, too."""
    for later in (2, 1):
        found, example = [], None
        for group in groups:
            parts = store.part[group]
            before = parts < later
            if before.any() and (parts == later).any():
                again, learned = group[parts == later], group[before]
                found.append(again)
                example = example or (int(again[0]), int(learned[0]))
        if example is None:
            continue
        rows, part = np.concatenate(found), PARTS[later]
        share = len(rows) / int((store.part == later).sum())
        little = share < _LITTLE
        names = [quoted(store.names[row]) for row in example]
        copies = (
            f"is an {how} copy" if len(rows) == 1 else f"are {how} copies"
        ).replace("an near", "a near")
        yield Finding(
            code,
            "note" if little and how == "near" else "warning",
            f"{counted(len(rows), 'picture')} of the {part} part ({percent(share)}) "
            f"{copies} of pictures in another part, such as {names[0]} and {names[1]}: "
            f"the {part} accuracy is {'slightly ' if little else ''}flattered by what "
            "was learned by heart. Remove them from one of the parts.",
            _rows(rows),
        )


def _contradiction(
    store: Store, groups: Sequence[np.ndarray], how: str, code: str
) -> Finding:
    group = groups[0]
    other = group[store.y[group] != store.y[group[0]]][0]
    one, two = (
        f"{quoted(store.names[row])} as {quoted(store.class_names[store.y[row]])}"
        for row in (group[0], other)
    )
    count = counted(len(groups), "picture is", "pictures are")
    return Finding(
        code,
        "warning",
        f"{count} there under different labels, such as {one} and {two}, which are "
        f"{how}: one of the labels is wrong. Correct it, or remove the picture.",
        _rows(np.concatenate(groups)),
    )


def _constant(store: Store) -> Iterator[Finding]:
    rows = np.flatnonzero(store.facts.constant)
    if len(rows):
        named = listed([quoted(store.names[row]) for row in rows])
        them = "it" if len(rows) == 1 else "them"
        yield Finding(
            "constant",
            "warning",
            f"{counted(len(rows), 'picture is', 'pictures are')} of a single colour: "
            f"{named}. There is nothing to see; remove {them}.",
            _rows(rows),
        )


def _leak(store: Store, channel: Channel) -> Finding:
    told = [
        f"{quoted(store.class_names[label])} is {value} ({percent(share)} of it)"
        for label, value, share in zip(
            channel.told, channel.values, channel.shares, strict=True
        )
    ]
    what = {
        "file format": "Save all pictures in one format",
        "colour mode": "Save all pictures in one mode",
        "picture size": "Bring all pictures to one size",
        "aspect ratio": "Cut all pictures to one shape",
        "file size": "Look for what makes the files differ, such as quality or size",
    }[channel.name]
    return Finding(
        "leak_" + channel.name.replace(" ", "_"),
        "warning",
        f"The {channel.name} alone tells the class of {percent(channel.accuracy)} of "
        f"the pictures (the largest class is {percent(channel.baseline)}): "
        f"{listed(told)}. "
        "A network may learn that difference instead of what is in the pictures, and "
        f"fail on others. {what}, or make sure that every class has all kinds.",
    )


def _unlike(store: Store) -> Iterator[Finding]:
    table = _label_counts(store)
    train, test = table[0], table[2]
    if not train.any() or not test.any():
        return
    shares = [part / part.sum() for part in (train, test)]
    distance = float(np.abs(shares[0] - shares[1]).sum()) / 2
    if distance > _UNLIKE and _chi_squared(train, test) > _BEYOND_CHANCE:
        k = int(np.abs(shares[0] - shares[1]).argmax())
        yield Finding(
            "unlike_labels",
            "warning",
            "The classes are not as frequent in the test part as in the training part: "
            f"{quoted(store.class_names[k])} has {percent(shares[1][k])} of the test "
            f"pictures and {percent(shares[0][k])} of the training pictures. The "
            "accuracy then speaks of another mixture than was learned; look at the "
            "recall of each class, or draw the parts anew.",
        )
    facts = store.facts
    area = facts.width.astype(np.float64) * facts.height
    one, two = area[store.part == 0], area[store.part == 2]
    gap = _kolmogorov_smirnov(one, two)
    certain = gap * np.sqrt(len(one) * len(two) / (len(one) + len(two)))
    if gap > _UNLIKE_SIZES and certain > _KOLMOGOROV:
        yield Finding(
            "unlike_sizes",
            "warning",
            "The pictures of the test part have other sizes than those of the training "
            f"part: {np.median(two):,.0f} pixels in the middle, against "
            f"{np.median(one):,.0f}. Something else may differ as well; if both should "
            "be alike, draw the parts anew.",
        )


# --- counting


def _label_counts(store: Store) -> np.ndarray:
    """(parts, classes) how many pictures there are."""
    table = np.zeros((len(PARTS), len(store.class_names)), np.int64)
    np.add.at(table, (store.part, store.y), 1)
    return table


def _chi_squared(one: np.ndarray, two: np.ndarray) -> float:
    """By how many standard deviations two rows of counts differ more than by chance."""
    table = np.stack([one, two])[:, (one + two) > 0].astype(np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    freedom = max(table.shape[1] - 1, 1)
    chi_squared = float(((table - expected) ** 2 / expected).sum())
    return (chi_squared - freedom) / float(np.sqrt(2 * freedom))


def _kolmogorov_smirnov(one: np.ndarray, two: np.ndarray) -> float:
    """The largest distance between two cumulative distributions."""
    at = np.union1d(one, two)
    below = [np.searchsorted(np.sort(z), at, "right") / len(z) for z in (one, two)]
    return float(np.abs(below[0] - below[1]).max())


def _by_labels(
    store: Store, groups: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Groups with several labels, and groups with one."""
    several = [bool((store.y[g] != store.y[g[0]]).any()) for g in groups]
    return (
        [g for g, mixed in zip(groups, several, strict=True) if mixed],
        [g for g, mixed in zip(groups, several, strict=True) if not mixed],
    )


def _repeats(store: Store, group: np.ndarray) -> int:
    """How many rows of the group follow another of it in the same part."""
    return len(group) - len(np.unique(store.part[group]))


def _pair(store: Store, group: np.ndarray) -> str:
    """Two names of the group, from the same part."""
    parts, counts = np.unique(store.part[group], return_counts=True)
    rows = group[store.part[group] == parts[counts.argmax()]]
    return f"{quoted(store.names[rows[0]])} and {quoted(store.names[rows[1]])}"


def _rows(rows: np.ndarray) -> tuple[int, ...]:
    return tuple(int(row) for row in np.unique(rows)[:_MOST_ROWS])


def _row(store: Store, row: int) -> dict[str, Any]:
    return {
        "row": int(row),
        "name": store.names[row],
        "class": store.class_names[store.y[row]],
        "part": PARTS[store.part[row]],
    }


def _members(groups: Sequence[np.ndarray]) -> int:
    return sum(map(len, groups))


def _classes(store: Store) -> list[dict[str, Any]]:
    columns = _label_counts(store).T.tolist()
    return [
        {"name": name, **dict(zip(PARTS, column, strict=True))}
        for name, column in zip(store.class_names, columns, strict=True)
    ]


def _sizes(facts: Facts) -> list[dict[str, int]]:
    both = np.stack([facts.width, facts.height], axis=1)
    seen, counts = np.unique(both, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_SIZES]
    return [
        {"width": int(seen[i, 0]), "height": int(seen[i, 1]), "count": int(counts[i])}
        for i in order
    ]


def _quantiles(facts: Facts) -> dict[str, dict[str, float]]:
    if not len(facts.width):
        return {}
    names, at = ("least", "quarter", "half", "three_quarters", "most"), np.arange(5) / 4
    columns = {"width": facts.width, "height": facts.height, "bytes": facts.size}
    return {
        name: dict(zip(names, np.quantile(column, at).tolist(), strict=True))
        for name, column in columns.items()
    }


def _counts(column: np.ndarray, texts: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(column, minlength=len(texts))
    return {text: int(n) for text, n in zip(texts, counts, strict=True) if n}
