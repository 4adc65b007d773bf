"""Stores made from arrays, for tests: what decoding would have seen is worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepneuron.data.collection import PARTS, Skipped
from deepneuron.data.fingerprint import dhash, digest_rows
from deepneuron.data.store import Facts, Store


def make_store(
    x: np.ndarray,
    y: Sequence[int] | np.ndarray,
    part: Sequence[int] | np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    skipped: Sequence[Skipped] = (),
    **facts: Any,
) -> Store:
    """A store of uint8 pictures, (rows, height, width) or with channels behind.

    Without `part` everything is for training. `facts` replace what an array's rows
    would have (`width=...`, `format=...`, `formats=...`).
    """
    x = np.asarray(x, np.uint8)
    x = x[..., None] if x.ndim == 3 else x
    y = np.asarray(y, np.int64)
    rows, height, width, channels = x.shape
    part = np.zeros(rows) if part is None else np.asarray(part)
    count = int(y.max(initial=0)) + 1
    seen = Facts(
        width=np.full(rows, width, np.int32),
        height=np.full(rows, height, np.int32),
        size=np.full(rows, height * width * channels, np.int64),
        mode=np.zeros(rows, np.uint8),
        format=np.zeros(rows, np.uint8),
        digest=digest_rows(x),
        dhash=dhash(x.mean(axis=-1).astype(np.uint8)),
        constant=np.ptp(x.reshape(rows, -1), axis=1) == 0
        if rows
        else np.zeros(0, bool),
        modes=("L",) if channels == 1 else ("RGB",),
        formats=("array",),
    )
    return Store(
        x=x,
        y=y,
        part=part.astype(np.uint8),
        names=tuple(names or (f"{PARTS[int(p)]} {i}" for i, p in enumerate(part))),
        class_names=tuple(class_names or (f"class {i}" for i in range(count))),
        facts=replace(seen, **facts),
        skipped=tuple(skipped),
    )


def random_pictures(
    rows: int, height: int = 16, width: int = 16, channels: int = 1, seed: int = 0
) -> np.ndarray:
    """Soft coloured clouds, no two alike, (rows, height, width, channels) uint8."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    coarse = generator.integers(0, 256, (rows, 6, 6, channels))
    i = np.linspace(0, 5, height).round().astype(int)
    j = np.linspace(0, 5, width).round().astype(int)
    clouds = coarse[:, i][:, :, j]
    noise = generator.integers(-20, 21, clouds.shape)
    return np.clip(clouds + noise, 0, 255).astype(np.uint8)
