"""What the two embed scripts share: a stratified choice, and the file it goes into."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

FOLDER = (
    Path(__file__).resolve().parent.parent / "src" / "deepneuron" / "data" / "embedded"
)


def stratified(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Choose `size` rows so that every class has its share of them.

    A class with n of N rows gets size*n/N of the chosen; the rows that rounding down
    leaves over go to the classes that lost most by it.

    Args:
        labels: class of each row. Shape: (rows,).
        size: how many rows to choose.
        rng: where the chance comes from.

    Returns:
        Row numbers in ascending order. Shape: (size,).
    """
    classes, counts = np.unique(labels, return_counts=True)
    shares = size * counts / len(labels)
    quota = shares.astype(int)
    short = np.argsort(quota - shares, kind="stable")[: size - quota.sum()]
    quota[short] += 1
    chosen = [
        rng.choice(np.flatnonzero(labels == label), n, replace=False)
        for label, n in zip(classes, quota, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def write(name: str, **arrays: np.ndarray) -> Path:
    """Write the arrays as compressed uint8 into the package, and say how large."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    target = FOLDER / f"{name}.npz"
    number, temporary = tempfile.mkstemp(dir=FOLDER, suffix=".npz")
    with os.fdopen(number, "wb") as file:
        np.savez_compressed(
            file, **{key: np.asarray(a, np.uint8) for key, a in arrays.items()}
        )
    Path(temporary).replace(target)
    target.chmod(0o644)
    print(f"{target.name}: {target.stat().st_size:,} bytes")
    for key, array in arrays.items():
        print(f"  {key:<8}{array.shape}")
    return target
