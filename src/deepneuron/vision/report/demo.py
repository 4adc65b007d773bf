"""A report of invented data, to look at: `python -m deepneuron.vision.report`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron.vision.report.advice import advise
from deepneuron.vision.report.data import ReportData, Shown
from deepneuron.vision.report.judgement import chance
from deepneuron.vision.report.render import render_report

CLASSES = (
    "circle",
    "ellipse",
    "square",
    "diamond",
    "triangle",
    "ring",
    "cross",
    "moon",
)
SIZE = 32
# How often a class (row) is taken for another: these look alike.
ALIKE = {
    (0, 1): 0.11,
    (1, 0): 0.16,
    (2, 3): 0.04,
    (3, 2): 0.07,
    (0, 5): 0.03,
    (7, 0): 0.06,
}


def main() -> None:
    """Write the report to the file that is named, or to `report.html`."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "report.html")
    path.write_text(render_report(invented()), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{path.resolve()}\n")


def invented(
    class_names: tuple[str, ...] = CLASSES, *, test: int = 100, seed: int = 0
) -> ReportData:
    """A run that never was, with numbers such as a real one would have.

    Args:
        class_names: as many as you like.
        test: pictures of each class in the test.
        seed: other numbers, other pictures.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    k = len(class_names)
    history = _history(rng)
    metrics = _metrics(class_names, test, history, rng)
    audit = _audit(class_names)
    pictures = [_shown(class_names, rng, i, sure=True) for i in range(9)]
    config = {
        "data": "my shapes",
        "settings": {"model": "auto", "epochs": 24, "augment": "auto", "seed": 0},
        "versions": {"deepneuron": "0.1", "python": "3.12.4", "numpy": "2.1.0"},
        "seconds": 214.6,
    }
    data = ReportData(
        title="my shapes",
        class_names=class_names,
        metrics=metrics,
        history=history,
        config=config,
        audit=audit,
        mistakes=pictures,
        unsure=[_shown(class_names, rng, i, sure=False) for i in range(12)],
        filters=np.stack([_filter(rng) for _ in range(24)]),
        preview=[_varied(i % k, rng) for i in range(3)],
        augmentation="Turned by up to 10 degrees, moved by up to 2 pixels, mirrored "
        "left to right, and brighter or darker by up to 15 %.",
        rate_search=_search(rng),
    )
    return replace(data, advice=advise(data))


def _filter(rng: np.random.Generator) -> np.ndarray:
    """A wave with a direction and a colour, as first layers learn them."""
    y, x = np.mgrid[-2:3, -2:3]
    angle = rng.uniform(0, np.pi)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.5, 1.6))
    colour = rng.normal(0.6, 0.4, 3)
    noise = rng.normal(0, 0.12, (5, 5, 3))
    return (128 + 110 * (wave[..., None] * colour + noise)).clip(0, 255).astype("uint8")


def _history(rng: np.random.Generator) -> dict[str, list[float]]:
    epoch = np.arange(24)
    loss = 1.9 * np.exp(-epoch / 5) + 0.16
    val = 1.85 * np.exp(-epoch / 4.6) + 0.33 + 0.003 * epoch
    noise = rng.normal(0, 0.012, (4, len(epoch)))
    rates = 1e-3 * 0.5 * (1 + np.cos(np.pi * epoch / len(epoch)))
    return {
        "loss": (loss + noise[0]).tolist(),
        "accuracy": (0.962 - 0.8 * np.exp(-epoch / 4) + noise[1] / 2).tolist(),
        "val_loss": (val + noise[2]).tolist(),
        "val_accuracy": (0.885 - 0.72 * np.exp(-epoch / 3.8) + noise[3] / 2).tolist(),
        "learning_rate": rates.tolist(),
    }


def _metrics(
    names: tuple[str, ...], test: int, history: dict[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    k = len(names)
    confusion = np.zeros((k, k), dtype=int)
    for i in range(k):
        shares = np.full(k, 0.05 / k)
        for (a, b), share in ALIKE.items():
            if a == i and b < k:
                shares[b] += share
        shares[i] += 1 - shares.sum()
        confusion[i] = rng.multinomial(test, shares)
    right, total = np.diag(confusion), int(confusion.sum())
    recall = right / test
    precision = right / np.maximum(confusion.sum(axis=0), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    accuracy = float(right.sum() / total)
    best = int(np.argmin(history["val_loss"]))
    edges = np.linspace(0, 1, 11)
    samples = (total * np.array([0, 0, 0, 1, 2, 3, 5, 8, 14, 67]) / 100).astype(int)
    centres = (edges[:-1] + edges[1:]) / 2
    return {
        "data": "my shapes",
        "class_names": list(names),
        "test": {
            "accuracy": accuracy,
            "accuracy_interval": chance(accuracy, total),
            "correct": int(right.sum()),
            "samples": total,
            "loss": 0.431,
            "balanced_accuracy": float(recall.mean()),
            "balanced_accuracy_interval": chance(float(recall.mean()), total),
            "macro_f1": float(f1.mean()),
            "macro_f1_interval": chance(float(f1.mean()), total),
            "top_k": {"2": min(1.0, accuracy + 0.08), "3": min(1.0, accuracy + 0.1)},
            "calibration_error": 0.043,
            "brier": 0.187,
            "majority_accuracy": 1 / k,
            "classes": [
                {
                    "name": name,
                    "precision": float(precision[i]),
                    "recall": float(recall[i]),
                    "recall_interval": chance(float(recall[i]), test),
                    "f1": float(f1[i]),
                    "samples": test,
                    "predicted": int(confusion[:, i].sum()),
                }
                for i, name in enumerate(names)
            ],
            "confusion": confusion.tolist(),
            "calibration": [
                {
                    "from": float(edges[i]),
                    "to": float(edges[i + 1]),
                    "samples": int(samples[i]),
                    "confidence": float(centres[i]) if samples[i] else None,
                    "accuracy": float(centres[i] ** 1.15 * 0.97)
                    if samples[i]
                    else None,
                }
                for i in range(10)
            ],
        },
        "validation": {
            "accuracy": history["val_accuracy"][best],
            "loss": history["val_loss"][best],
            "samples": 640,
        },
        "train": {"accuracy": history["accuracy"][best], "loss": history["loss"][best]},
        "epochs": 24,
        "best_epoch": best + 1,
        "interrupted": False,
        "parameters": 93_320,
        "model": {
            "name": "cnn",
            "why": "A convolutional network: the pictures are small and there are "
            "thousands to learn from.",
        },
        "settings": {
            "epochs": 24,
            "batch_size": 32,
            "learning_rate": 0.001,
            "optimizer": "adam",
            "augment": "auto",
            "seed": 0,
        },
    }


def _audit(names: tuple[str, ...]) -> dict[str, Any]:
    counts = [
        {"train": 720 - 61 * (i % 8), "validation": 80, "test": 100}
        for i in range(len(names))
    ]
    parts = {p: sum(c[p] for c in counts) for p in ("train", "validation", "test")}
    twins = [
        {"row": 17, "name": "train/circle/018.png", "class": "circle", "part": "train"},
        {"row": 6112, "name": "test/circle/7.png", "class": "circle", "part": "test"},
    ]
    return {
        "pictures": sum(parts.values()),
        "shape": [SIZE, SIZE, 3],
        "parts": parts,
        "classes": [{"name": n, **c} for n, c in zip(names, counts, strict=True)],
        "sizes": [
            {"width": 64, "height": 64, "count": 5210},
            {"width": 80, "height": 60, "count": 1422},
        ],
        "modes": {"RGB": 6601, "P": 31},
        "formats": {"PNG": 6580, "JPEG": 52},
        "skipped": [
            {"name": "train/moon/half.png", "reason": "it is empty (0 bytes)"},
            {"name": "train/notes.txt", "reason": "it is no picture"},
        ],
        "duplicates": {"exact": [twins], "near": []},
        "constant": [],
        "findings": [
            {
                "code": "skipped",
                "severity": "note",
                "sentence": "2 files were passed over.",
                "rows": [],
            },
            {
                "code": "leak",
                "severity": "warning",
                "sentence": "1 picture of the test is also among those for training.",
                "rows": [17, 6112],
            },
        ],
    }


def _shape(kind: int, rng: np.random.Generator) -> np.ndarray:
    """A shape of one of the classes on a ground, (32, 32, 3) uint8."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    x, y = x - rng.uniform(-3, 3), y - rng.uniform(-3, 3)
    r = rng.uniform(8, 12)
    distance = np.hypot(x, y)
    moon = np.maximum(distance, 1.1 * r - np.hypot(x - 0.6 * r, y))
    edge = (
        distance,
        np.hypot(x, 1.5 * y),
        np.maximum(abs(x), abs(y)) * 1.15,
        abs(x) + abs(y),
        np.maximum(-y * 0.9 + abs(x) * 1.6, y * 1.4),
        abs(distance - 0.75 * r) * 3.5,
        np.minimum(abs(x), abs(y)) * 3 + np.maximum(abs(x), abs(y)) * 0.25,
        moon,
    )[kind % len(CLASSES)]
    inside = np.clip(r - edge, 0, 1)[..., None]
    ground = rng.uniform(170, 235, 3)
    colour = rng.uniform(20, 150, 3)
    noise = rng.normal(0, 7, (SIZE, SIZE, 3))
    return (ground + (colour - ground) * inside + noise).clip(0, 255).astype("uint8")


def _shown(
    names: tuple[str, ...], rng: np.random.Generator, i: int, *, sure: bool
) -> Shown:
    k = len(names)
    pairs = [pair for pair in ALIKE if max(pair) < k] or [(0, k - 1)]
    label, taken = pairs[i % len(pairs)]
    first = rng.uniform(0.9, 0.99) if sure else rng.uniform(0.42, 0.5)
    probabilities = np.full(k, 0.01 / k)
    probabilities[taken] += first
    probabilities[label] += 1 - probabilities.sum()
    if not sure and i % 2:
        probabilities[[label, taken]] = probabilities[[taken, label]]
    picture = _shape(label, rng)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    centre = rng.uniform(0.3, 0.7, 2)
    light = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 0.05)
    shade = np.exp(-((x - centre[1]) ** 2 + (y - 1 + centre[0]) ** 2) / 0.02)
    explained = i < 6
    name = f"test/{names[label]}/{rng.integers(1000):03d}.png"
    return Shown(
        picture,
        name,
        label,
        probabilities,
        cam=light if explained else None,
        occlusion=(light - 0.8 * shade) if explained else None,
    )


def _varied(kind: int, rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    before = _shape(kind, rng)
    after = []
    for _ in range(7):
        moved = np.roll(before, rng.integers(-2, 3, 2), axis=(0, 1))
        moved = moved[:, ::-1] if rng.random() < 0.5 else moved
        after.append((moved * rng.uniform(0.85, 1.1)).clip(0, 255).astype("uint8"))
    return before, after


def _search(rng: np.random.Generator) -> dict[str, Any]:
    rates = np.logspace(-5, 0, 100)
    smooth = 2.08 - 1.1 / (1 + (2.5e-3 / rates) ** 1.4) + (rates / 0.09) ** 2.2
    losses = smooth + rng.normal(0, 0.06, len(rates))
    return {
        "rates": rates.tolist(),
        "losses": losses.tolist(),
        "smoothed": smooth.tolist(),
        "suggestion": 0.003,
    }


if __name__ == "__main__":
    main()
