"""Store: the pictures of a collection, decoded once, as one array on disk.

Three files in a folder of its own:

    pictures.npy   (rows, height, width, channels) uint8, mapped into memory
    rows.npz       label, part and facts of every row
    store.json     names and what was skipped; written last, so it says: complete

The rows stand in the order train, validation, test.
"""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron.data.collection import PARTS, Collection, Part, Pictures, Skipped
from deepneuron.data.decode import (
    Shape,
    fit,
    header_of,
    identify,
    open_file,
    picture_errors,
    upright,
)
from deepneuron.data.fingerprint import (
    dhash,
    dhash_picture,
    digest_file,
    digest_rows,
    is_constant,
    to_grey,
)
from deepneuron.data.shape import choose_shape
from deepneuron.errors import (
    ArgumentError,
    DataError,
    DataNotFoundError,
    PictureError,
    SavingError,
)
from deepneuron.saving.atomic import atomic_write

__all__ = ["Facts", "Store", "build_store", "choose_shape", "open_store"]

_FILES = ("pictures.npy", "rows.npz", "store.json")
# Facts of a row: type, and shape if it is more than one number.
_COLUMNS: dict[str, tuple[Any, ...]] = {
    "width": (np.int32,),
    "height": (np.int32,),
    "size": (np.int64,),
    "mode": ("U12",),
    "format": ("U12",),
    "digest": (np.uint8, 16),
    "dhash": (np.uint64,),
    "constant": (np.bool_,),
}
_EMPTY = {
    name: np.empty((0, *tail), dtype)
    for name, (dtype, *tail) in {
        "y": (np.int64,),
        "part": (np.uint8,),
        **_COLUMNS,
    }.items()
}


@dataclass(frozen=True)
class Facts:
    """What was seen of the files while they were decoded; one value for each row.

    Attributes:
        width, height: pixels of the file, upright, (rows,) int32.
        size: bytes of the file (of the array's row), (rows,) int64.
        mode: index into `modes`, (rows,) uint8.
        format: index into `formats`, (rows,) uint8.
        digest: SHA-256 of the file (of the array's row), its first 16 bytes, (rows, 16)
            uint8: equal where the files are equal.
        dhash: 64 bits that are nearly equal where pictures look alike, (rows,) uint64.
        constant: whether all pixels are equal, (rows,) bool.
        modes, formats: such as ("L", "RGB") and ("PNG", "JPEG", "array").
    """

    width: np.ndarray
    height: np.ndarray
    size: np.ndarray
    mode: np.ndarray
    format: np.ndarray
    digest: np.ndarray
    dhash: np.ndarray
    constant: np.ndarray
    modes: tuple[str, ...]
    formats: tuple[str, ...]


@dataclass(frozen=True)
class Store:
    """Decoded pictures with their labels, in the order train, validation, test.

    Attributes:
        x: (rows, height, width, channels) uint8, memory-mapped; 255 is a full pixel.
        y: labels, (rows,) int64.
        part: index into `collection.PARTS` of every row, (rows,) uint8.
        names: what each row is called, one for each row.
        class_names: the name of label 0, of label 1, and so on.
        facts: what the files were like.
        skipped: what could not be decoded, or is no picture, and why.
    """

    x: np.ndarray
    y: np.ndarray
    part: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    facts: Facts
    skipped: tuple[Skipped, ...]

    def rows(self, part: str) -> np.ndarray:
        """Positions of the rows of "train", "validation" or "test", in rising order."""
        return np.flatnonzero(self.part == PARTS.index(part))

    def counts(self, part: str) -> np.ndarray:
        """How many pictures of every class there are in a part, (classes,) int64."""
        return np.bincount(self.y[self.rows(part)], minlength=len(self.class_names))


def build_store(
    collection: Collection,
    shape: Shape,
    folder: str | os.PathLike[str],
    *,
    strict: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Decode every picture once, in parallel, into a folder; open it as a Store.

    The same pictures give the same bytes, whatever the number of threads. Memory does
    not grow with the number of pictures.

    Args:
        collection: what to decode.
        shape: (height, width, channels) that every picture is fitted into.
        folder: where to; it is made if need be. A store that lies there is replaced.
        strict: whether a picture that cannot be decoded is an error. Otherwise it is
            left out, and named among `skipped`. A class may be without a picture
            then: see `Store.counts`.
        threads: how many decode at the same time; by default as many as there are
            processors, up to 8.
        progress: called with (pictures done, of how many), in the caller's thread.

    Raises:
        ArgumentError: a shape that no picture has.
        DataError: strict, and a picture that cannot be decoded: the first one. An array
            is not of uint8.
        SavingError: the folder cannot be written, or the disk is full.

    Whatever stops it, an error or Ctrl-C, what it had written is removed again.
    """
    folder = Path(folder)
    if len(shape) != 3 or min(shape) < 1 or shape[2] not in (1, 3):
        raise ArgumentError(
            f"shape is (height, width, 1 or 3); received {tuple(shape)}."
        )
    _check_arrays(collection)
    made = not folder.exists()
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # First of all: what lies there now is no longer a complete store.
            _remove(folder)
            _check_disk(collection, shape, folder)
            _write(collection, shape, folder, strict, threads, progress)
        except BaseException:
            with suppress(OSError):
                _remove(folder)
                if made:
                    folder.rmdir()
            raise
    except (OSError, SavingError) as error:
        cause = error.__cause__ if isinstance(error, SavingError) else error
        reason = getattr(cause, "strerror", None) or error
        raise SavingError(
            f"The decoded pictures cannot be written into {folder}: {reason}. Nothing "
            "half-written is left there."
        ) from error
    return open_store(folder)


def open_store(folder: str | os.PathLike[str]) -> Store:
    """The store in a folder; its pictures stay on disk until they are looked at.

    Raises:
        DataNotFoundError: there is no store in the folder, or an unfinished one.
        DataError: its files are damaged, or do not belong together.
    """
    folder = Path(folder)
    try:
        described = json.loads((folder / "store.json").read_text(encoding="utf-8"))
        with (
            (folder / "rows.npz").open("rb") as file,  # NumPy would not close it
            np.load(file, allow_pickle=False) as arrays,
        ):
            columns = {name: arrays[name] for name in ("y", "part", *_COLUMNS)}
        x = _map(folder / "pictures.npy")
        facts = Facts(
            **{name: columns[name] for name in _COLUMNS},
            modes=tuple(described["modes"]),
            formats=tuple(described["formats"]),
        )
        store = Store(
            x=x,
            y=columns["y"],
            part=columns["part"],
            names=tuple(described["names"]),
            class_names=tuple(described["class_names"]),
            facts=facts,
            skipped=tuple(Skipped(*item) for item in described["skipped"]),
        )
        lengths = {len(store.names), len(x), *map(len, columns.values())}
        if len(lengths) > 1 or x.ndim != 4 or x.dtype != np.uint8:
            raise ValueError("its files do not belong together")
    except FileNotFoundError as error:
        raise DataNotFoundError(
            f"{folder} holds no complete set of decoded pictures: "
            f"{Path(error.filename or '').name} is missing."
        ) from error
    except Exception as error:  # whatever NumPy meets in damaged bytes
        raise DataError(
            f"The decoded pictures in {folder} cannot be read ({error}). Delete the "
            "folder; they are decoded anew when they are missing."
        ) from error
    return store


def _remove(folder: Path) -> None:
    """Remove what was built here, complete or not; what is not ours stays."""
    for name in reversed(_FILES):  # the one first that says: complete
        (folder / name).unlink(missing_ok=True)
        for unfinished in folder.glob(f".{name}.*.tmp"):  # of a process that was killed
            unfinished.unlink(missing_ok=True)


def _map(path: Path) -> np.ndarray:
    """The array in an .npy file, mapped into memory; read-only."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, _ = np.lib.format.read_array_header_1_0(file)
    if not shape[0]:  # there is nothing to map
        return np.zeros(shape, np.uint8)
    # As a plain array, since np.memmap pays for being one at every slice.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


# ---------------------------------------------------------------- decoding


@dataclass(frozen=True)
class _Piece:
    """Some rows of a part, decoded; those that failed are not among them."""

    kept: list[int]  # rows of the part
    x: np.ndarray  # (kept, height, width, channels)
    columns: dict[str, np.ndarray]  # facts, with names for mode and format
    failures: list[tuple[int, str]]  # row of the part, reason
    done: int  # rows that were tried


def _write(
    collection: Collection,
    shape: Shape,
    folder: Path,
    strict: bool,
    threads: int | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    total = sum(map(len, collection.parts.values()))
    skipped = list(collection.skipped)
    names: list[str] = []
    pieces: list[dict[str, np.ndarray]] = []
    done = 0
    # Written, not mapped: writing to a full disk is an error, where a map on one kills
    # the process. And rows that fail leave no gap: how many there are is known last.
    with (folder / "pictures.npy").open("wb") as file:
        file.write(_npy_header(total, shape))
        with closing(_decoded(collection, shape, threads)) as decoded:
            for name, piece in decoded:
                part = collection.parts[name]
                for row, reason in piece.failures:
                    if strict:
                        raise DataError(
                            f"{part.names[row]!r} cannot be used: {reason}. Mend or "
                            "remove it; without strict it is passed over."
                        )
                    skipped.append(Skipped(part.names[row], reason))
                file.write(piece.x.data if piece.x.size else b"")
                names += [part.names[row] for row in piece.kept]
                rows = len(piece.kept)
                pieces.append(
                    {
                        "y": part.labels[piece.kept].astype(np.int64),
                        "part": np.full(rows, PARTS.index(name), np.uint8),
                        **piece.columns,
                    }
                )
                done += piece.done
                if progress:
                    progress(done, total)
        file.seek(0)
        file.write(_npy_header(len(names), shape))
        file.flush()
        os.fsync(file.fileno())
    columns = {
        name: np.concatenate([_EMPTY[name], *(piece[name] for piece in pieces)])
        for name in _EMPTY
    }
    known = {}
    for name in ("mode", "format"):
        known[name], index = np.unique(columns[name], return_inverse=True)
        columns[name] = index.astype(np.uint8)
    with atomic_write(folder / "rows.npz") as out:
        np.savez(out, **columns)  # type: ignore[arg-type]  # NumPy's stub has a flag
    described = {
        "names": names,
        "class_names": list(collection.class_names),
        "skipped": [(s.name, s.reason, s.harmless) for s in skipped],
        "modes": known["mode"].tolist(),
        "formats": known["format"].tolist(),
    }
    with atomic_write(folder / "store.json") as out:
        # In ASCII, which also holds names that are no valid text.
        out.write(json.dumps(described, indent=1).encode("ascii"))


def _decoded(
    collection: Collection, shape: Shape, threads: int | None
) -> Generator[tuple[str, _Piece], None, None]:
    """(part, piece), one after the other in their order, decoded ahead by threads."""
    threads = max(1, threads or min(8, os.cpu_count() or 1))
    stop = threading.Event()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    ahead: deque[tuple[str, Future[_Piece]]] = deque()
    # Once, by whoever called, and not in the threads: filters are the process's.
    # What Pillow warns of is metadata, which nobody asks for here.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            for name in PARTS:
                part = collection.parts.get(name)
                if part is None:
                    continue
                for start, end in _cut(part):
                    work = (part.pictures, start, end, shape, stop)
                    ahead.append((name, pool.submit(_decode_piece, *work)))
                    if len(ahead) > 2 * threads:
                        first, future = ahead.popleft()
                        yield first, future.result()
            while ahead:
                first, future = ahead.popleft()
                yield first, future.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _cut(part: Part) -> Iterator[tuple[int, int]]:
    """Pieces of a few files, or of a few million pixels of an array."""
    step = 8
    if isinstance(part.pictures, np.ndarray):
        step = max(1, (1 << 21) // max(1, math.prod(part.pictures.shape[1:])))
    for start in range(0, len(part), step):
        yield start, min(start + step, len(part))


def _decode_piece(
    pictures: Pictures, start: int, end: int, shape: Shape, stop: threading.Event
) -> _Piece:
    if isinstance(pictures, np.ndarray):
        x = np.ascontiguousarray(pictures[start:end])
        return _Piece(
            kept=list(range(start, end)),
            x=np.ascontiguousarray(_fit_rows(x, shape)),
            columns=_facts_of_rows(x),
            failures=[],
            done=end - start,
        )
    kept, rows, facts, failures = [], [], [], []
    for row in range(start, end):
        if stop.is_set():
            break
        try:
            x, found = _decode_file(pictures[row], shape)
        except PictureError as error:
            failures.append((row, str(error)))
        else:
            kept.append(row)
            rows.append(x)
            facts.append(found)
    columns = {
        name: np.array([found[name] for found in facts], dtype).reshape(-1, *tail)
        for name, (dtype, *tail) in _COLUMNS.items()
    }
    stacked = np.array(rows, np.uint8).reshape(-1, *shape)
    return _Piece(kept, stacked, columns, failures, end - start)


def _decode_file(path: Path, shape: Shape) -> tuple[np.ndarray, dict[str, Any]]:
    """(height, width, channels) of a file's picture, and one value for every fact."""
    with picture_errors(), open_file(path) as file:
        digest = digest_file(file)
        picture = identify(file)
        header = header_of(picture)
        image = upright(picture, shape)
        lows_and_highs = np.array(image.getextrema()).reshape(-1, 2)
        return fit(image, shape), {
            "width": header.width,
            "height": header.height,
            "size": file.seek(0, os.SEEK_END),
            "mode": header.mode,
            "format": header.format,
            "digest": np.frombuffer(digest, np.uint8),
            "dhash": dhash_picture(image),
            "constant": bool((lows_and_highs[:, 0] == lows_and_highs[:, 1]).all()),
        }


def _fit_rows(x: np.ndarray, shape: Shape) -> np.ndarray:
    """Rows of an array in the shape; at once where only the channels differ."""
    channels = 1 if x.ndim == 3 else x.shape[3]
    if x.shape[1:3] != shape[:2] or channels not in (1, 3):
        return np.array([fit(row, shape) for row in x], np.uint8).reshape(-1, *shape)
    y = x.reshape(*x.shape[:3], channels)
    if channels == shape[2]:
        return y
    if channels == 3:
        return to_grey(y)[..., None]
    return y.repeat(3, axis=3)


def _facts_of_rows(x: np.ndarray) -> dict[str, np.ndarray]:
    count, height, width = x.shape[:3]
    channels = 1 if x.ndim == 3 else x.shape[3]
    colour = x.reshape(count, height, width, channels)
    grey = to_grey(colour) if channels >= 3 else colour[..., 0]
    same = {
        "width": width,
        "height": height,
        "size": height * width * channels,
        "mode": {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels],
        "format": "array",
    }
    return {
        **{name: np.full(count, v, _COLUMNS[name][0]) for name, v in same.items()},
        "digest": digest_rows(x),
        "dhash": dhash(grey),
        "constant": is_constant(colour),
    }


# ---------------------------------------------------------------- checks


def _check_arrays(collection: Collection) -> None:
    for name, part in collection.parts.items():
        x = part.pictures
        if not isinstance(x, np.ndarray):
            continue
        fits = x.ndim == 3 or (x.ndim == 4 and x.shape[3] in (1, 2, 3, 4))
        if x.dtype != np.uint8 or not fits or (len(x) and 0 in x.shape):
            raise DataError(
                f"The pictures of the part {name!r} of {collection.source} are "
                f"{x.dtype} of shape {x.shape}; pictures are uint8, (rows, height, "
                "width) or with 1 to 4 channels behind."
            )


def _check_disk(collection: Collection, shape: Shape, folder: Path) -> None:
    """Half an hour of decoding should not end at a disk that was full before."""
    needed = sum(map(len, collection.parts.values())) * math.prod(shape)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            errno.ENOSPC,
            f"they need {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free",
        )


def _npy_header(rows: int, shape: Shape) -> bytes:
    """The beginning of an .npy file; NumPy keeps its length the same for any `rows`."""
    described = {"descr": "|u1", "fortran_order": False, "shape": (rows, *shape)}
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, described)
    return header.getvalue()
