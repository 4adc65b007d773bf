"""Odd folders of pictures, drawn from a seed: what people's disks really look like."""

from __future__ import annotations

import os
import random
from pathlib import Path

NAMES = (
    *(
        "cat",
        "Cat",
        "dog",
        "dogs and wolves",
        "2",
        "10",
        "x.png",
        "-",
        "~",
        "%s",
        "a'b",
    ),
    *("naïve", "nai\u0308ve", "猫", "\U0001f431", "a\nb", 'quo"te', "<b>", "tab\there"),
    *("train", "test", "val", "validation", "Training", "images", "con", "a" * 200),
    *(".hidden", "__MACOSX", "Thumbs.db", "..."),
)
FILES = (
    *("1.png", "2.PNG", "10.jpg", "a b.JPEG", "é.bmp", "e\u0301.bmp", "x\ny.gif"),
    *(
        "q'\".webp",
        "._1.png",
        ".png",
        "Thumbs.db",
        ".DS_Store",
        "notes.txt",
        "labels.csv",
    ),
    *("no suffix", "1.tif", "{}.pgm", "%d.png", "desktop.ini", "movie.mp4", "3.heic"),
    *("train", "test", "val", "cats", "meta", "empty.npz"),
)
RAW = b"\xff\xfe"  # no text in UTF-8


def grow_tree(root: Path, seed: int) -> None:
    """An odd tree below root, always the same for a seed (and a file system)."""
    draw = random.Random(seed)  # noqa: S311 - a test's own numbers
    root.mkdir()
    if draw.random() < 0.4:
        classes = _draw_classes(draw)
        for part in ("train", "test", "val"):
            if draw.random() < 0.8:
                some = classes if draw.random() < 0.7 else _draw_classes(draw)
                _grow_classes(root / part, some, draw)
    else:
        _grow_classes(root, _draw_classes(draw), draw)
    for _ in range(draw.choice((0, 0, 1, 3))):
        _add_oddity(root, draw)
    if draw.random() < 0.1:
        _dig(root, draw.choice((50, 400)))


def _draw_classes(draw: random.Random) -> list[str]:
    return draw.sample(("cats", "dogs", "2", "10", "猫", "a b"), draw.randint(0, 4))


def _grow_classes(folder: Path, classes: list[str], draw: random.Random) -> None:
    _try(folder.mkdir, parents=True, exist_ok=True)
    for name in classes:
        _try((folder / name).mkdir, exist_ok=True)
        for _ in range(draw.randint(0, 4)):
            _try((folder / name / draw.choice(FILES)).touch)
    for _ in range(draw.choice((0, 1, 2))):
        _grow_anything(folder, draw, depth=draw.randint(0, 4))


def _grow_anything(folder: Path, draw: random.Random, depth: int) -> None:
    for _ in range(draw.randint(0, 3)):
        _try((folder / draw.choice(FILES)).touch)
    if depth and folder.is_dir():
        inside = folder / draw.choice(NAMES)
        _try(inside.mkdir)
        _grow_anything(inside, draw, depth - 1)


def _add_oddity(root: Path, draw: random.Random) -> None:
    folders = [root, *sorted(path for path in root.rglob("*") if path.is_dir())]
    folder, other = draw.choice(folders), draw.choice(folders)
    what = draw.randrange(9)
    if what == 0:  # perhaps a circle, perhaps a second way
        _try((folder / "link").symlink_to, other, target_is_directory=True)
    elif what == 1:
        _try((folder / "away.png").symlink_to, root / "nothing.png")
    elif what == 2:
        _try((folder / "self.png").symlink_to, folder / "self.png")
    elif what == 3:
        _try((folder / "folder.png").mkdir)
        _try((folder / "folder.png" / "in.png").touch)
    elif what == 4:
        _try(os.mkdir, os.path.join(os.fsencode(folder), RAW))  # noqa: PTH118
        _try((folder / os.fsdecode(RAW) / "raw.png").touch)
    elif what == 5:
        _try((folder / (os.fsdecode(RAW) + ".png")).touch)
    elif what == 6 and hasattr(os, "mkfifo"):
        _try(os.mkfifo, folder / "pipe.png")
    elif what == 7:
        _try((folder / "CATS").mkdir)
        _try((folder / "CATS" / "1.png").touch)
    else:
        _try((folder / "up").symlink_to, root.parent, target_is_directory=True)


def _dig(root: Path, depth: int) -> None:
    deep = root / "deep"
    for _ in range(depth):
        _try(deep.mkdir)
        deep = deep / "d"
    _try((deep.parent / "end.png").touch)


def _try(make, *args, **options) -> None:
    """Not every file system can hold every name, and a name may be taken."""
    try:
        make(*args, **options)
    except (OSError, ValueError):
        return
