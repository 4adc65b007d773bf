"""The pictures as the audit saw them: how many, what they are like, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepneuron.vision.report.data import LISTED, ROWS, ReportData, Section, mapping
from deepneuron.vision.report.words import (
    capitalised,
    count,
    in_code,
    is_number,
    many,
    plain,
)

_SEVERITIES = {"error": "Error", "warning": "Warning", "note": "Note"}
_MODES = {  # as Pillow calls them, and what a reader calls them
    "1": "black and white",
    "L": "grey",
    "LA": "grey with transparency",
    "La": "grey with transparency, premultiplied",
    "I": "grey of 32 bits",
    "I;16": "grey of 16 bits",
    "I;16B": "grey of 16 bits, big-endian",
    "I;16L": "grey of 16 bits, little-endian",
    "I;16N": "grey of 16 bits, native order",
    "F": "grey in floating point",
    "P": "colour from a palette",
    "PA": "colour from a palette, with transparency",
    "RGB": "colour",
    "RGBX": "colour, padded",
    "RGBA": "colour with transparency",
    "RGBa": "colour with transparency, premultiplied",
    "CMYK": "colour for print (CMYK)",
    "YCbCr": "colour as video has it (YCbCr)",
    "LAB": "colour by lightness (LAB)",
    "HSV": "colour by hue (HSV)",
}


def audit(data: ReportData) -> Section:
    """What was seen of the pictures before training."""
    seen = data.audit
    if not seen:
        return None
    findings = [
        {
            "kind": kind,
            "word": _SEVERITIES[kind],
            "sentence": in_code(finding.get("sentence", "")),
        }
        for finding in seen.get("findings") or []
        for kind in [str(finding.get("severity"))]
        if kind in _SEVERITIES
    ]
    order = list(_SEVERITIES)
    findings.sort(key=lambda finding: order.index(finding["kind"]))
    return {
        "words": _audit_words(data),
        "findings": findings,
        "classes": _class_counts(seen),
        "kinds": _kinds(seen),
        "duplicates": _duplicates(seen),
        "skipped": [
            {"name": plain(s.get("name", "")), "reason": plain(s.get("reason", ""))}
            for s in seen.get("skipped") or []
        ],
        "skipped_count": seen.get("skipped_count") or len(seen.get("skipped") or []),
        "listed": LISTED,
    }


def _audit_words(data: ReportData) -> str:
    seen, sentences = data.audit, []
    if is_number(seen.get("pictures")):
        parts = [
            f"{count(n)} {words}"
            for part, words in (
                ("train", "to learn from"),
                ("validation", "to choose the best epoch by"),
                ("test", "for the test"),
            )
            if is_number(n := (seen.get("parts") or {}).get(part)) and n
        ]
        split = f": {', '.join(parts)}" if parts else ""
        sentences.append(f"{many(seen['pictures'], 'picture')}{split}.")
    aside = [
        f"{count(n)} {words}"
        for part, words in (
            ("validation", "to choose the best epoch by"),
            ("test", "for the test"),
        )
        if is_number(n := mapping(data.metrics.get(part)).get("samples"))
        and not (seen.get("parts") or {}).get(part)
    ]
    if aside:
        sentences.append(f"Kept aside of those to learn from: {', '.join(aside)}.")
    shape = seen.get("shape") or []
    if len(shape) == 3:
        colour = "in grey" if shape[2] == 1 else "in colour"
        sentences.append(
            f"The network sees each with {shape[1]} × {shape[0]} pixels, {colour}."
        )
    return " ".join(sentences)


def _class_counts(seen: Mapping[str, Any]) -> Section:
    rows = seen.get("classes") or []
    if not rows:
        return None
    parts = [
        part
        for part in ("train", "validation", "test")
        if any(row.get(part) for row in rows)
    ]
    most = max((row.get("train") or 0 for row in rows), default=0) or 1
    table = [
        {
            "name": row.get("name", ""),
            "counts": [count(row.get(part)) for part in parts],
            "bar": (row.get("train") or 0) / most,
        }
        for row in rows
    ]
    return {"parts": parts, "rows": table[:ROWS], "more": table[ROWS:]}


def _kinds(seen: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the files are like: sizes, colours, formats, each as one line."""
    lines = []
    sizes = [s for s in seen.get("sizes") or [] if is_number(s.get("count"))]
    sizes = sorted(sizes, key=lambda s: -s["count"])
    if sizes:
        words = [
            f"{s['width']} × {s['height']} ({count(s['count'])})" for s in sizes[:5]
        ]
        rest = len(sizes) - 5
        words += [f"and {many(rest, 'other size')}"] if rest > 0 else []
        lines.append({"name": "Sizes", "value": ", ".join(words)})
    quantiles = seen.get("size_quantiles")
    if isinstance(quantiles, Mapping) and len(sizes) > 1:
        lines += [
            {"name": capitalised(plain(name)), "value": _spread(spread, name)}
            for name, spread in quantiles.items()
            if isinstance(spread, Mapping) and spread
        ]
    for key, name in (("modes", "Colours"), ("formats", "Formats")):
        kinds = seen.get(key)
        if isinstance(kinds, Mapping) and kinds:
            named = _MODES if key == "modes" else {}
            words = [
                f"{named.get(kind) or plain(kind)} ({count(n)})"
                for kind, n in kinds.items()
            ]
            lines.append({"name": name, "value": ", ".join(words)})
    return lines


def _spread(spread: Mapping[str, Any], name: str) -> str:
    """From the least to the most, and where the middle is."""
    values = [value for value in spread.values() if is_number(value)]
    unit = "bytes" if name == "bytes" else "pixels"
    middle = spread.get("half")
    words = (
        f"from {count(min(values))} to {count(max(values))} {unit}" if values else "–"
    )
    return words + (
        f", half of them up to {count(middle)}" if is_number(middle) else ""
    )


def _duplicates(seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Groups of equal pictures, and of pictures that look alike."""
    found = []
    for key, words in (
        ("exact", "The same picture more than once"),
        ("near", "Pictures that look alike"),
    ):
        groups = [g for g in (seen.get("duplicates") or {}).get(key) or [] if g]
        lists = [
            [
                {
                    "name": picture.get("name", ""),
                    "class": picture.get("class", ""),
                    "part": plain(picture.get("part", "")),
                }
                for picture in group
            ]
            for group in groups[:LISTED]
        ]
        if lists:
            n = (seen.get("duplicates") or {}).get(f"{key}_groups") or len(groups)
            found.append({"words": words, "count": n, "groups": lists})
    return found
