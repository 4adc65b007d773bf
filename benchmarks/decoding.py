"""Memory and speed of decoding photographs, and of an epoch of training on them.

    python -m benchmarks.decoding --out decoding.png

For each count a fresh process decodes that many JPEGs of 500 x 375 pixels into a store,
64 x 64 in colour, and trains a small CNN for one epoch on it. Printed and drawn are its
peak memory after either, and pictures per second. Memory includes what the system has
mapped of the store's file, and takes back when it needs it.

The pictures are made here, always the same ones: 1,000 different, which stand in
further files with another comment, so that no two files are equal.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

COUNTS = (1_000, 2_000, 5_000, 10_000, 20_000)
DIFFERENT = 1_000
SHAPE = (64, 64, 3)
CLASSES = 10
BATCH = 32


class Measured(NamedTuple):
    """What one process needed: memory in MB, speed in pictures per second."""

    count: int
    start_memory: float
    decoding_memory: float
    decoding_speed: float
    training_memory: float
    training_speed: float


def make_pictures(folder: Path, count: int) -> None:
    """`count` files 00000.jpg, ...: clouds of colour with the fine grain of photos."""
    from PIL import Image

    made: list[bytes] = []
    for number in range(min(count, DIFFERENT)):
        rng = np.random.default_rng(number)
        image = np.zeros((375, 500, 3), np.float32)
        for cells, height in ((3, 90), (12, 45), (60, 20), (375, 7)):
            size = (cells, cells * 4 // 3, 3)
            noise = rng.normal(0, height, size).clip(-127, 127) + 127
            layer = Image.fromarray(noise.astype(np.uint8))
            image += np.asarray(layer.resize((500, 375), Image.Resampling.BICUBIC))
            image -= 127
        # A class is a hue, so that there is something to be learned.
        image[..., number % 3] += 12 * (number % CLASSES)
        file = BytesIO()
        picture = Image.fromarray((image + 110).clip(0, 255).astype(np.uint8))
        picture.save(file, "JPEG", quality=85)
        made.append(file.getvalue())
    for number in range(count):
        data = made[number % DIFFERENT]
        text = f"{number}".encode()
        comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
        (folder / f"{number:05}.jpg").write_bytes(data[:2] + comment + data[2:])


def peak_memory() -> float:
    """The most memory that this process has had so far, in MB."""
    if sys.platform == "win32":
        return _peak_memory_of_windows()
    status = Path("/proc/self/status")
    if status.exists():  # Linux counts what started a process into its `ru_maxrss`
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text(encoding="ascii"))
        assert found
        return int(found[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def _peak_memory_of_windows() -> float:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            *((f"size_{number}", ctypes.c_size_t) for number in range(8)),
        )

    counters = Counters(cb=ctypes.sizeof(Counters))
    windll = ctypes.windll  # type: ignore[attr-defined]
    windll.kernel32.GetCurrentProcess.restype = wintypes.HANDLE
    windll.psapi.GetProcessMemoryInfo.argtypes = (
        wintypes.HANDLE,
        ctypes.POINTER(Counters),
        wintypes.DWORD,
    )
    process = windll.kernel32.GetCurrentProcess()
    windll.psapi.GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
    return counters.size_0 / 1e6  # PeakWorkingSetSize


def measure(pictures: Path, count: int, folder: Path) -> Measured:
    """Decode and train, in this process."""
    import deepneuron as dn
    from deepneuron.data.batches import Batches
    from deepneuron.data.collection import Collection, Part
    from deepneuron.data.store import build_store

    paths = [pictures / f"{number:05}.jpg" for number in range(count)]
    labels = np.arange(count) % DIFFERENT % CLASSES
    part = Part(paths, labels, [path.name for path in paths])
    names = tuple(f"hue {label}" for label in range(CLASSES))
    collection = Collection("made here", "folder", names, {"train": part})

    start_memory = peak_memory()
    began = time.perf_counter()
    store = build_store(collection, SHAPE, folder)
    decoding = time.perf_counter() - began
    decoding_memory = peak_memory()
    assert len(store.x) == count

    layers = dn.layers
    model = dn.Sequential(
        [
            layers.Input(SHAPE),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, strides=2, activation="relu", padding="same"),
            layers.Conv2D(32, 3, strides=2, activation="relu", padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(CLASSES),
        ]
    )
    loss = dn.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss=loss)
    rows = store.rows("train")
    batches = Batches(store.x, store.y, rows, batch_size=BATCH, shuffle=True)
    began = time.perf_counter()
    model.fit(batches, verbose=0, shuffle=False)
    training = time.perf_counter() - began
    return Measured(
        count,
        start_memory,
        decoding_memory,
        count / decoding,
        peak_memory(),
        count / training,
    )


def measure_apart(pictures: Path, count: int) -> Measured:
    """In a fresh process, whose peak is its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.decoding"]
        command += ["--measure", str(count), str(pictures), folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    return Measured(*json.loads(done.stdout))


def draw(table: list[Measured], out: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    counts = [row.count for row in table]
    figure, (memory, speed) = plt.subplots(1, 2, figsize=(11, 4.2))
    in_memory = [4e-6 * np.prod(SHAPE) * count for count in counts]
    memory.plot(counts, in_memory, "--", color="gray", label="float32 in memory")
    memory.plot(counts, [row.training_memory for row in table], "o-", label="training")
    memory.plot(counts, [row.decoding_memory for row in table], "s-", label="decoding")
    memory.set(title="Peak memory", ylabel="MB", ylim=0)
    speed.plot(counts, [row.training_speed for row in table], "o-", label="training")
    speed.plot(counts, [row.decoding_speed for row in table], "s-", label="decoding")
    speed.set(title="Speed", ylabel="pictures per second", ylim=0)
    for axes in (memory, speed):
        axes.set(xlabel="JPEGs of 500 x 375, fitted into 64 x 64 x 3", xlim=0)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(out, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="a PNG to draw the table into")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument(
        "--measure",
        nargs=3,
        metavar=("COUNT", "PICTURES", "FOLDER"),
        help="what the fresh processes are started with",
    )
    chosen = parser.parse_args()
    if chosen.measure:
        count, pictures, folder = chosen.measure
        print(json.dumps(measure(Path(pictures), int(count), Path(folder))))
        return
    table = []
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder)
        make_pictures(pictures, max(chosen.counts))
        size = np.mean([path.stat().st_size for path in pictures.iterdir()])
        print(f"JPEGs of {size / 1000:.0f} kB on average\n")
        print(f"{'':>8}{'decoding':>24}{'training, an epoch':>24}")
        print(
            f"{'pictures':>8}{'peak MB':>12}{'per s':>12}{'peak MB':>12}{'per s':>12}"
        )
        for count in chosen.counts:
            row = measure_apart(pictures, count)
            table.append(row)
            print(
                f"{count:>8,}{row.decoding_memory:>12,.0f}{row.decoding_speed:>12,.0f}"
                f"{row.training_memory:>12,.0f}{row.training_speed:>12,.0f}",
                flush=True,
            )
    if chosen.out:
        draw(table, chosen.out)


if __name__ == "__main__":
    main()
