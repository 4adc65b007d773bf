"""Memory and speed of `deepneuron train` on photographs, by their number.

    python -m benchmarks.pictures --out pictures.png

For each count a fresh process runs the whole job on that many JPEGs of 500 x 375: they
are decoded into a store, 64 x 64 in colour, audited and divided; the network that
`auto` chooses learns from them for one epoch, and is tested and reported on. Printed
and drawn are the peak memory until they are decoded and until the end, and how many
pictures a second are decoded, and learned from (validation included). Memory includes
what the system has mapped of the store's file, and takes back when it needs it.

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
from typing import Any, NamedTuple

import numpy as np

COUNTS = (1_000, 2_000, 5_000, 10_000, 20_000)
DIFFERENT = 1_000
SHAPE = (64, 64, 3)
CLASSES = 10


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
    windll = ctypes.windll  # type: ignore[attr-defined]  # on Windows only
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
    """The whole of `deepneuron train`, one epoch of it, in this process."""
    from deepneuron import vision
    from deepneuron.vision import prepare, training

    table = folder / "pictures.csv"
    with table.open("w", encoding="utf-8") as file:
        file.write("path,label\n")
        for number in range(count):
            hue = number % DIFFERENT % CLASSES
            file.write(f"{pictures / f'{number:05}.jpg'},hue {hue}\n")

    seen: dict[str, tuple[float, float]] = {}  # (seconds, peak memory after it)

    def timed(module: Any, name: str) -> None:
        function = getattr(module, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            result = function(*args, **kwargs)
            seen[name] = time.perf_counter() - began, peak_memory()
            return result

        setattr(module, name, call)

    timed(prepare, "build_store")
    timed(training, "_fit")
    start_memory = peak_memory()
    run = vision.train(table, folder / "run", epochs=1, quiet=True)
    trained = run.metrics["train"]["samples"]
    decoding, decoding_memory = seen["build_store"]
    fitting, _ = seen["_fit"]
    return Measured(
        count,
        start_memory,
        decoding_memory,
        count / decoding,
        peak_memory(),
        trained / fitting,
    )


def measure_apart(pictures: Path, count: int) -> Measured:
    """In a fresh process, whose peak is its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.pictures"]
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
    memory.plot(
        counts, [row.training_memory for row in table], "o-", label="to the end"
    )
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
