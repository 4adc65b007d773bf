"""Four classes of drawings from Debian's openclipart-png, cleaned, as a folder.

    apt-get install openclipart-png
    python -m benchmarks.openclipart FOLDER
    deepneuron train FOLDER

The classes are folders of the collection, which people sorted by what a drawing shows:

    animals   animals/
    flags     signs_and_symbols/flags/ of today's countries and states
    food      food/
    people    people/, without clothing and parts of the body, which show no person

So nothing but the subject tells them apart: all are drawings by the same artists, with
the same border and background. What is left out, and why:

    "_bw" in the name   black and white copies of drawings that are there in colour
    enormous            more than 4 million pixels (some have 168), for the time's sake
    near-empty          less than 2 % of the pixels differ from the background
    duplicates          at 32x32 pixels nearly the same as one that was kept before
    more than 250       of a class; 250 are drawn by the digests of their contents, so
                        that guessing the commonest class gains little

The same package always gives the same folder.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

SOURCE = Path("/usr/share/openclipart/png")
CLASSES = {
    "animals": ("animals",),
    "flags": tuple(
        f"signs_and_symbols/flags/{part}"
        for part in ("africa", "america", "asia", "europe", "oceania")
    ),
    "food": ("food",),
    "people": ("people",),
}
LEFT_OUT = ("people/clothing", "people/bodypart")
MOST = 250
MOST_PIXELS = 4_000_000
LEAST_INK = 0.02
ALIKE = 4.0  # mean difference, in levels of 255, of what counts as the same drawing


def thumbnail(path: Path) -> np.ndarray | None:
    """The drawing over white, squeezed to (32, 32, 3); None if it is enormous."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        file = Image.open(path)
    with file:
        if file.width * file.height > MOST_PIXELS:
            return None
        picture = file.convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    flat = Image.alpha_composite(paper, picture).convert("RGB")
    return np.asarray(flat.resize((32, 32), Image.Resampling.BOX), np.float32)


def ink(x: np.ndarray) -> float:
    """The share of pixels that differ from the background, the border's median.

    >>> ink(np.full((32, 32, 3), 255.0))
    0.0
    """
    border = np.concatenate([x[0], x[-1], x[:, 0], x[:, -1]])  # (4 * 32, 3)
    differs = np.abs(x - np.median(border, 0)).max(-1) > 16
    return float(differs.mean())


def candidates(source: Path, folders: tuple[str, ...]) -> list[Path]:
    """The files of a class in an order that only their contents decide."""
    files = [
        path
        for folder in folders
        for path in (source / folder).rglob("*.png")
        if not any(path.is_relative_to(source / other) for other in LEFT_OUT)
    ]
    return sorted(files, key=lambda p: hashlib.sha256(p.read_bytes()).hexdigest())


def clean(source: Path) -> tuple[dict[str, list[Path]], Counter[str]]:
    """The files to keep of each class, and how many were dropped for which reason."""
    kept: dict[str, list[Path]] = {name: [] for name in CLASSES}
    dropped: Counter[str] = Counter()
    seen: list[np.ndarray] = []  # over all classes: one drawing has one class
    for name, folders in CLASSES.items():
        for path in candidates(source, folders):
            if "_bw" in path.stem:
                dropped["black and white copy"] += 1
                continue
            try:
                x = thumbnail(path)
            except OSError:
                dropped["unreadable"] += 1
                continue
            if x is None:
                dropped["enormous"] += 1
                continue
            # Flags fill the picture: what is near-empty shows no drawing at all.
            if ink(x) < LEAST_INK and name != "flags":
                dropped["near-empty"] += 1
            elif seen and np.abs(np.stack(seen) - x).mean((1, 2, 3)).min() < ALIKE:
                dropped["duplicate"] += 1
            elif len(kept[name]) == MOST:
                dropped[f"beyond {MOST}"] += 1
            else:
                kept[name].append(path)
                seen.append(x)
    return kept, dropped


def make_folder(folder: Path, source: Path = SOURCE) -> dict[str, int]:
    """Copy the kept files to FOLDER/<class>/ and return how many there are of each."""
    kept, dropped = clean(source)
    for name, paths in kept.items():
        (folder / name).mkdir(parents=True)
        for path in paths:
            flat = "-".join(path.relative_to(source).parts[1:])
            shutil.copyfile(path, folder / name / flat)
    for reason, count in sorted(dropped.items()):
        print(f"left out: {count:4} {reason}")
    return {name: len(paths) for name, paths in kept.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="must not exist yet")
    parser.add_argument("--source", type=Path, default=SOURCE)
    arguments = parser.parse_args()
    if not arguments.source.is_dir():
        sys.exit(f"{arguments.source} is missing: apt-get install openclipart-png")
    if arguments.folder.exists():
        sys.exit(f"{arguments.folder} exists already.")
    for name, count in make_folder(arguments.folder, arguments.source).items():
        print(f"{name:8} {count:4}")


if __name__ == "__main__":
    main()
