"""What is shown as pictures: mistakes, doubts, filters, variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepneuron.vision.report import pictures
from deepneuron.vision.report.data import ReportData, Section, Shown
from deepneuron.vision.report.tables import class_names
from deepneuron.vision.report.words import as_sentence, in_code, many, percent, plain


def gallery(data: ReportData, shown: Sequence[Shown]) -> Section:
    """Pictures with what they are and what the network says; maps where there are."""
    cards = [_card(data, one) for one in shown]
    if not cards:
        return None
    return {
        "explained": [card for card in cards if card["maps"]],
        "plain": [card for card in cards if not card["maps"]],
        "cam": any(one.cam is not None for one in shown),
        "occlusion": any(one.occlusion is not None for one in shown),
    }


def _card(data: ReportData, one: Shown) -> dict[str, Any]:
    probabilities = np.nan_to_num(np.asarray(one.probabilities, dtype="float64"))
    names = class_names(data, len(probabilities))
    predicted = int(probabilities.argmax())
    true = names[one.label] if 0 <= one.label < len(names) else "unknown"
    alt = f"{plain(one.name)}: {true}, called {names[predicted]}"
    maps = []
    if one.cam is not None:
        overlay = pictures.cam_overlay(one.picture, one.cam)
        alt_cam = f"Grad-CAM of {plain(one.name)}"
        maps.append({"name": "Grad-CAM", "img": pictures.img(overlay, alt_cam)})
    if one.occlusion is not None:
        overlay = pictures.occlusion_overlay(one.picture, one.occlusion)
        alt_occlusion = f"Occlusion map of {plain(one.name)}"
        maps.append({"name": "occlusion", "img": pictures.img(overlay, alt_occlusion)})
    order = list(np.argsort(-probabilities, kind="stable")[:3])
    if one.label not in order:  # how far was it from the truth?
        order[-1] = one.label
    return {
        "name": plain(one.name),
        "img": pictures.img(one.picture, alt),
        "maps": maps,
        "true": true,
        "predicted": names[predicted],
        "right": predicted == one.label,
        "confidence": percent(probabilities[predicted]),
        "answers": [
            {
                "name": names[i],
                "share": float(np.clip(probabilities[i], 0, 1)),
                "words": percent(probabilities[i], 0),
                "true": int(i) == one.label,
            }
            for i in order
        ],
    }


def filters(data: ReportData) -> Section:
    """The kernels of the first layer, as one picture."""
    kernels = data.filters
    if kernels is None or len(kernels) == 0:
        return None
    n, height, width, _ = kernels.shape
    columns = min(n, 8 if n <= 64 else 16)
    whole = pictures.sheet(np.asarray(kernels, dtype="uint8"), columns)
    return {
        "address": pictures.address(whole),
        "alt": f"The {n} filters of the first layer, {height} by {width} pixels each.",
        "width": whole.shape[1],
        "height": whole.shape[0],
        "columns": columns,
        "small": max(height, width) <= 16,
        "words": many(n, "filter"),
    }


def augmentation(data: ReportData) -> Section:
    """Pictures beside what training sees of them."""
    rows = [
        {
            "before": pictures.img(before, "a picture as it is"),
            "after": [
                pictures.img(one, f"the same picture, varied ({i})")
                for i, one in enumerate(after, start=1)
            ],
        }
        for before, after in data.preview
    ]
    if not rows and not data.augmentation:
        return None
    return {"rows": rows, "words": in_code(as_sentence(data.augmentation))}
