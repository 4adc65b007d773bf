"""Every picture is in the store as its file is, or named among what was skipped."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepneuron.data import store as module
from deepneuron.data.collection import PARTS, Collection, Part, Skipped
from deepneuron.data.decode import fit
from deepneuron.data.fingerprint import dhash, dhash_picture, is_constant, to_grey
from deepneuron.data.store import build_store, choose_shape, open_store
from deepneuron.errors import (
    ArgumentError,
    DataError,
    DataNotFoundError,
    PictureError,
    SavingError,
)

SHAPE = (16, 16, 3)


def picture(seed, size=(24, 18), mode="RGB"):
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    return image.convert(mode)


def gathered(files, source="pictures", skipped=()):
    """A collection of {part: paths}, of two classes in turn."""
    parts = {
        name: Part(
            list(paths),
            np.arange(len(paths)) % 2,
            [f"{name}/{Path(path).name}" for path in paths],
        )
        for name, paths in files.items()
    }
    return Collection(source, "folder", ("cat", "dog"), parts, tuple(skipped))


@pytest.fixture
def files(tmp_path):
    """24 pictures of several formats; 20 to train on and 4 to test with."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    paths = []
    for number in range(24):
        end = ("png", "jpg", "bmp", "gif", "webp", "tif")[number % 6]
        path = folder / f"{number:02d}.{end}"
        picture(number, (20 + number, 18)).save(path)
        paths.append(path)
    return {"test": paths[20:], "train": paths[:20]}


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# ---------------------------------------------------------------- what is in it


def test_every_row_is_its_file(files, tmp_path):
    store = build_store(gathered(files), SHAPE, tmp_path / "store")
    paths = files["train"] + files["test"]
    assert store.x.shape == (24, *SHAPE)
    assert store.skipped == ()
    assert store.class_names == ("cat", "dog")
    assert store.names[0] == "train/00.png"
    assert store.names[20] == "test/20.bmp"
    np.testing.assert_array_equal(store.rows("train"), range(20))
    np.testing.assert_array_equal(store.rows("test"), range(20, 24))
    np.testing.assert_array_equal(store.rows("validation"), [])
    np.testing.assert_array_equal(store.counts("train"), [10, 10])
    np.testing.assert_array_equal(store.counts("validation"), [0, 0])
    np.testing.assert_array_equal(store.y, [*[0, 1] * 10, *[0, 1] * 2])
    assert [PARTS[part] for part in store.part] == ["train"] * 20 + ["test"] * 4
    facts = store.facts
    for row, path in enumerate(paths):
        np.testing.assert_array_equal(store.x[row], fit(path, SHAPE))
        data = path.read_bytes()
        with Image.open(path) as image:
            assert (facts.width[row], facts.height[row]) == image.size
            assert facts.modes[facts.mode[row]] == image.mode
            assert facts.formats[facts.format[row]] == image.format
        assert facts.size[row] == len(data)
        assert facts.digest[row].tobytes() == hashlib.sha256(data).digest()[:16]
        assert not facts.constant[row]


def test_types_are_those_that_were_promised(files, tmp_path):
    store = build_store(gathered(files), SHAPE, tmp_path / "store")
    assert (store.x.dtype, store.y.dtype, store.part.dtype) == ("u1", "i8", "u1")
    assert not store.x.flags.writeable
    kinds = {name: getattr(store.facts, name).dtype.str[1:] for name in module._COLUMNS}
    assert kinds == {
        "width": "i4",
        "height": "i4",
        "size": "i8",
        "mode": "u1",
        "format": "u1",
        "digest": "u1",
        "dhash": "u8",
        "constant": "b1",
    }
    # Anyone can read it: it is an ordinary .npy file.
    same = np.load(tmp_path / "store" / "pictures.npy")
    np.testing.assert_array_equal(same, store.x)


@pytest.mark.parametrize("threads", [2, 5])
def test_bytes_are_the_same_whatever_the_number_of_threads(files, tmp_path, threads):
    files["train"][3].write_bytes(b"damaged")
    files["train"][17].write_bytes(b"")
    build_store(gathered(files), SHAPE, tmp_path / "one", threads=1)
    build_store(gathered(files), SHAPE, tmp_path / "many", threads=threads)
    one, many = contents(tmp_path / "one"), contents(tmp_path / "many")
    assert list(one) == ["pictures.npy", "rows.npz", "store.json"]
    assert one["pictures.npy"] == many["pictures.npy"]
    assert one["store.json"] == many["store.json"]
    with (
        np.load(io.BytesIO(one["rows.npz"])) as a,
        np.load(io.BytesIO(many["rows.npz"])) as b,
    ):
        assert a.files == b.files
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])


def test_what_cannot_be_decoded_is_left_out_and_named(files, tmp_path):
    train, test = files["train"], files["test"]
    train[0].write_bytes(b"")
    train[9].write_bytes(train[9].read_bytes()[:-100])
    train[19].unlink()
    test[3].write_text("no picture", encoding="utf-8")
    before = [Skipped("notes.txt", "it is no picture")]
    store = build_store(gathered(files, skipped=before), SHAPE, tmp_path / "store")
    assert store.skipped == (
        Skipped("notes.txt", "it is no picture"),
        Skipped("train/00.png", "it is empty (0 bytes)"),
        Skipped("train/09.gif", "it is cut off"),
        Skipped("train/19.jpg", "there is no such file"),
        Skipped("test/23.tif", "it is no picture that Pillow can read"),
    )
    assert len(store.names) == len(store.x) == len(store.y) == 20
    good = [row for row in range(19) if row not in (0, 9)]
    assert list(store.names[:17]) == [f"train/{train[row].name}" for row in good]
    for row, source in enumerate([*(train[row] for row in good), *test[:3]]):
        np.testing.assert_array_equal(store.x[row], fit(source, SHAPE))
    np.testing.assert_array_equal(store.y[:17], [row % 2 for row in good])


def test_a_class_may_remain_without_a_picture_and_counts_say_so(files, tmp_path):
    for path in files["train"][1::2]:
        path.write_bytes(b"")
    store = build_store(gathered(files), SHAPE, tmp_path / "store")
    np.testing.assert_array_equal(store.counts("train"), [10, 0])


def test_a_store_of_nothing_can_be_opened(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    store = build_store(gathered({"train": paths}), SHAPE, tmp_path / "store")
    assert store.x.shape == (0, *SHAPE)
    assert len(store.skipped) == 2
    np.testing.assert_array_equal(store.counts("train"), [0, 0])


@pytest.mark.parametrize("threads", [1, 4])
def test_strict_names_the_first_picture_that_fails(files, tmp_path, threads):
    files["train"][4].write_bytes(b"")
    files["train"][2].write_bytes(b"oops")
    files["test"][0].write_bytes(b"")
    with pytest.raises(DataError, match=r"'train/02\.bmp' cannot be used: it is no"):
        build_store(
            gathered(files), SHAPE, tmp_path / "s", strict=True, threads=threads
        )
    assert not (tmp_path / "s").exists()


def test_names_of_all_kinds_come_back(tmp_path):
    names = ["ä ö.png", 'it\'s "quoted".png', "日本.png", "a,b;c.png", "😀.png"]
    if os.name != "nt":
        names += ["line\nbreak.png", "tab\t.png", os.fsdecode(b"latin\xe9.png")]
    paths = []
    for number, name in enumerate(names):
        try:
            picture(number).save(tmp_path / "x.png")
            paths.append(Path(shutil.copy(tmp_path / "x.png", tmp_path / name)))
        except OSError:  # the file system refuses it
            continue
    bad = tmp_path / paths[-1].with_suffix(".bad").name
    bad.write_bytes(b"")
    store = build_store(gathered({"train": [*paths, bad]}), SHAPE, tmp_path / "store")
    assert store.names == tuple(f"train/{path.name}" for path in paths)
    assert store.skipped[0].name == f"train/{bad.name}"


def test_progress_counts_every_picture_in_the_caller_s_thread(files, tmp_path):
    files["train"][5].write_bytes(b"")
    calls = []

    def progress(done, total):
        calls.append((done, total, threading.current_thread()))

    build_store(gathered(files), SHAPE, tmp_path / "store", progress=progress)
    assert calls[-1][:2] == (24, 24)
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
    assert {thread for _, _, thread in calls} == {threading.current_thread()}


def test_few_pictures_are_in_flight(tmp_path, monkeypatch):
    """Threads do not run ahead of what is written, however many pictures there are."""
    decoded, written, ahead = itertools.count(1), [0], []

    def decode_file(path, shape):
        ahead.append(next(decoded) - written[0])
        return real(path, shape)

    def progress(done, total):
        written[0] = done
        time.sleep(0.002)

    picture(0).save(tmp_path / "a.png")
    real = module._decode_file
    monkeypatch.setattr(module, "_decode_file", decode_file)
    collection = gathered({"train": [tmp_path / "a.png"] * 600})
    build_store(collection, SHAPE, tmp_path / "s", threads=2, progress=progress)
    assert 8 <= max(ahead) <= 8 * 6


def test_pillow_s_warnings_are_nobody_s_concern(tmp_path, monkeypatch):
    def warn(path, shape):
        warnings.warn_explicit("Corrupt EXIF", UserWarning, "x", 1, "PIL.TiffImage")
        return real(path, shape)

    real = module._decode_file
    monkeypatch.setattr(module, "_decode_file", warn)
    picture(0).save(tmp_path / "a.png")
    before = list(warnings.filters)
    store = build_store(
        gathered({"train": [tmp_path / "a.png"]}), SHAPE, tmp_path / "s"
    )
    assert len(store.x) == 1
    assert list(warnings.filters) == before


# ---------------------------------------------------------------- arrays


def arrays(channels=None, count=30, size=(12, 10)):
    shape = (count, *size) if channels is None else (count, *size, channels)
    x = np.random.default_rng(channels or 0).integers(0, 256, shape, np.uint8)
    x[3] = 77
    part = Part(x, np.arange(count) % 3, [f"train {row}" for row in range(count)])
    return Collection("x.npz", "npz", ("a", "b", "c"), {"train": part})


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(12, 10, 1), (12, 10, 3), (16, 16, 3), (8, 8, 1)])
def test_arrays_become_what_their_rows_become(channels, shape, tmp_path):
    collection = arrays(channels)
    x = collection.parts["train"].pictures
    store = build_store(collection, shape, tmp_path / "store")
    for row in range(len(x)):
        np.testing.assert_array_equal(store.x[row], fit(x[row], shape))
    facts = store.facts
    assert facts.formats == ("array",)
    assert facts.modes == ({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels or 1],)
    assert set(facts.width.tolist()) == {10}
    assert set(facts.height.tolist()) == {12}
    assert set(facts.size.tolist()) == {120 * (channels or 1)}
    np.testing.assert_array_equal(np.flatnonzero(facts.constant), [3])
    digest = hashlib.sha256(x[5].tobytes()).digest()[:16]
    assert facts.digest[5].tobytes() == digest


def test_arrays_that_are_no_pictures_are_refused(tmp_path):
    part = Part(np.zeros((2, 4, 4), np.float32), np.array([0, 1]), ("a", "b"))
    collection = Collection("x.npz", "npz", ("a", "b"), {"train": part})
    with pytest.raises(DataError, match="float32 of shape"):
        build_store(collection, (4, 4, 1), tmp_path / "s")
    for shape in ((4, 4, 2), (0, 4, 1)):
        with pytest.raises(ArgumentError, match="shape is"):
            build_store(arrays(), shape, tmp_path / "s")


def test_many_small_arrays_take_little_time(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (20_000, 28, 28), np.uint8)
    part = Part(x, np.arange(20_000) % 10, [f"train {row}" for row in range(20_000)])
    collection = Collection("idx", "idx", tuple("0123456789"), {"train": part})
    began = time.perf_counter()
    store = build_store(collection, (28, 28, 1), tmp_path / "store")
    assert time.perf_counter() - began < 5  # one third of a second, undisturbed
    np.testing.assert_array_equal(store.x[..., 0], x)


# ---------------------------------------------------------------- fingerprints


def test_dhash_is_about_the_same_for_what_looks_alike():
    def distance(a, b):
        return (a ^ b).bit_count()

    for seed in range(10):
        image = picture(seed, (300, 200))
        code = dhash_picture(image)
        alike = [
            image.resize((120, 80)),
            image.resize((400, 400)),
            image.point(lambda value: value * 0.8 + 20),
            image.convert("L"),
        ]
        file = io.BytesIO()
        image.save(file, "JPEG", quality=60)
        with Image.open(file) as compressed:
            alike.append(compressed.copy())
        assert max(distance(code, dhash_picture(other)) for other in alike) <= 4
        assert distance(code, dhash_picture(picture(seed + 100, (300, 200)))) >= 12
    even = np.full((1, 37, 53), 201, np.uint8)
    assert dhash(even) == [0]


def test_dhash_compares_neighbours_of_an_8_by_9_picture_as_it_is():
    x = np.random.default_rng(0).integers(0, 256, (50, 8, 9), np.uint8)
    for row, code in zip(x, dhash(x).tolist(), strict=True):
        bits = [row[i, j + 1] > row[i, j] for i in range(8) for j in range(8)]
        assert code == int("".join("01"[int(bit)] for bit in bits), 2)


def test_constant_is_one_colour_and_grey_is_pillow_s():
    colour = np.broadcast_to(np.array([1, 2, 3], np.uint8), (4, 5, 6, 3)).copy()
    assert is_constant(colour).all()
    colour[2, 4, 5, 0] += 1
    np.testing.assert_array_equal(is_constant(colour), [True, True, False, True])
    x = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    expected = np.asarray(Image.fromarray(x).convert("L"))
    np.testing.assert_array_equal(to_grey(x), expected)


def test_a_constant_file_is_known(tmp_path):
    Image.new("RGB", (9, 9), (1, 2, 3)).save(tmp_path / "a.png")
    Image.new("RGB", (99, 99), (1, 2, 3)).save(tmp_path / "b.jpg")
    picture(0).save(tmp_path / "c.png")
    paths = [tmp_path / name for name in ("a.png", "b.jpg", "c.png")]
    store = build_store(gathered({"train": paths}), SHAPE, tmp_path / "s")
    np.testing.assert_array_equal(store.facts.constant, [True, True, False])


# ---------------------------------------------------------------- choosing a shape


def shape_of(tmp_path, sizes, mode="RGB", **arguments):
    paths = []
    for number, size in enumerate(sizes):
        path = tmp_path / f"{number}.png"
        picture(number, size, mode).save(path)
        paths.append(path)
    return choose_shape(gathered({"train": paths}), **arguments)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 5, (28, 28)),
        ([(96, 40)] * 5, (40, 96)),
        ([(40, 30)] * 39 + [(900, 900)], (30, 40)),  # nearly all
        ([(40, 30)] * 5 + [(30, 40)] * 5, (40, 40)),
        ([(500, 375), (375, 500), (640, 480)], (64, 64)),
        ([(128, 128)] * 5, (64, 64)),
        ([(9, 3), (5, 5), (3, 9)], (16, 16)),
        ([(30, 20), (33, 10), (20, 44)], (40, 40)),
        ([(5, 5)] * 5, (16, 16)),
    ],
)
def test_the_shape_comes_from_the_sizes(tmp_path, sizes, expected):
    assert shape_of(tmp_path, sizes) == (*expected, 3)


def test_a_size_that_is_asked_for_is_taken(tmp_path):
    assert shape_of(tmp_path, [(28, 28)] * 3, size=32) == (32, 32, 3)
    assert choose_shape(arrays(3), size=32) == (32, 32, 3)
    for size in (0, 7, 1025):
        with pytest.raises(ArgumentError, match="size must lie"):
            choose_shape(arrays(), size=size)
    with pytest.raises(ArgumentError, match="sample must"):
        choose_shape(arrays(), sample=0)


def test_grey_is_what_shows_no_colour(tmp_path):
    assert shape_of(tmp_path, [(28, 28)] * 3, "L") == (28, 28, 1)
    grey = picture(0, (28, 28)).convert("L").convert("RGB")
    paths = [tmp_path / f"grey.{end}" for end in ("png", "jpg", "gif", "bmp")]
    for path in paths:
        grey.save(path)
    collection = gathered({"train": paths})
    assert choose_shape(collection) == (28, 28, 1)
    picture(1, (28, 28)).save(tmp_path / "grey.jpg")
    assert choose_shape(collection) == (28, 28, 3)


def test_pictures_are_measured_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(0, (40, 30)).save(tmp_path / "a.jpg", exif=exif)
    assert choose_shape(gathered({"train": [tmp_path / "a.jpg"]}))[:2] == (40, 30)


def test_arrays_keep_their_shape():
    assert choose_shape(arrays()) == (12, 10, 1)
    assert choose_shape(arrays(3)) == (12, 10, 3)
    collection = arrays(3)
    collection.parts["train"].pictures[:] = 5
    assert choose_shape(collection) == (12, 10, 1)
    assert choose_shape(arrays(2)) == (12, 10, 1)


def test_only_some_headers_are_read(tmp_path, monkeypatch):
    paths = [tmp_path / "a.png"] * 5000
    picture(0, (20, 20)).save(paths[0])
    reads = []

    def read(path):
        reads.append(path)
        return real(path)

    real = module.choose_shape.__globals__["read_header"]
    monkeypatch.setitem(module.choose_shape.__globals__, "read_header", read)
    assert choose_shape(gathered({"train": paths}), sample=100) == (20, 20, 3)
    assert len(reads) == 100


def test_no_shape_without_a_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"None of the 1 .* 'train/a\.png': it is empty"
    ):
        choose_shape(gathered({"train": [tmp_path / "a.png"]}))
    with pytest.raises(DataError, match="holds no picture"):
        choose_shape(gathered({"train": []}))


# ---------------------------------------------------------------- what goes wrong


def test_a_full_disk_is_one_sentence_and_leaves_nothing(files, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavingError, match=r"store: No space left .* left there\.$"):
        build_store(gathered(files), SHAPE, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_disk_that_is_too_small_is_known_before(files, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SavingError, match="they need 0 MB, and 0 MB are free"):
        build_store(gathered(files), SHAPE, tmp_path / "store")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_fills_up_meanwhile_is_an_error_too(files, tmp_path, monkeypatch):
    """A file on a full disk, for which there is a device: no SIGBUS, an error."""
    real = Path.open

    def onto_a_full_disk(self, mode="r", *args, **kwargs):
        full = self.name == "pictures.npy" and "w" in mode
        return real(Path("/dev/full") if full else self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", onto_a_full_disk)
    with pytest.raises(SavingError, match="No space left"):
        build_store(gathered(files), SHAPE, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_folder_that_cannot_be_made_is_an_error(files, tmp_path):
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    with pytest.raises(SavingError, match="cannot be written into"):
        build_store(gathered(files), SHAPE, tmp_path / "store")
    assert (tmp_path / "store").read_text(encoding="utf-8") == "a file"


def test_what_was_not_ours_stays(files, tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    files["train"][0].write_bytes(b"")
    with pytest.raises(DataError):
        build_store(gathered(files), SHAPE, folder, strict=True)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_what_a_killed_process_left_is_cleared_away(files, tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    for name in (".rows.npz.0a1b.tmp", ".store.json.0a1b.tmp", "pictures.npy"):
        (folder / name).write_bytes(b"half")
    build_store(gathered(files), SHAPE, folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["pictures.npy", "rows.npz", "store.json"]


def test_stopping_leaves_nothing_that_could_pass_for_complete(files, tmp_path):
    build_store(gathered(files), SHAPE, tmp_path / "store")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(gathered(files), SHAPE, tmp_path / "store", progress=stop)
    with pytest.raises(DataNotFoundError, match=r"store\.json is missing"):
        open_store(tmp_path / "store")
    assert not list((tmp_path / "store").iterdir())
    assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


def test_ctrl_c_stops_soon(tmp_path, monkeypatch):
    def slow(path, shape):
        time.sleep(0.02)
        return real(path, shape)

    def stop(done, total):
        raise KeyboardInterrupt

    picture(0).save(tmp_path / "a.png")
    real = module._decode_file
    monkeypatch.setattr(module, "_decode_file", slow)
    collection = gathered({"train": [tmp_path / "a.png"] * 1000})
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        build_store(collection, SHAPE, tmp_path / "s", threads=2, progress=stop)
    assert time.perf_counter() - began < 5


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_no_store_or_a_whole_one(files, tmp_path):
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from deepneuron.data.collection import Collection, Part\n"
        "from deepneuron.data.store import build_store\n"
        "paths = sorted(Path(sys.argv[1]).iterdir()) * 40\n"
        "part = Part(paths, np.arange(len(paths)) % 2, list(map(str, paths)))\n"
        "print('go', flush=True)\n"
        "build_store(Collection('x', 'folder', ('a', 'b'), {'train': part}),"
        " (32, 32, 3), sys.argv[2])\n"
    )
    folder, whole = tmp_path / "store", 0
    dice = random.Random(1)  # noqa: S311 - dice, no secrets
    for _ in range(12):
        command = [sys.executable, "-c", code, files["train"][0].parent, folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(dice.uniform(0, 0.8))
            process.kill()
        try:
            store = open_store(folder)
        except DataNotFoundError:
            continue
        whole += 1
        assert len(store.x) == 24 * 40
        np.testing.assert_array_equal(store.x[:24], store.x[-24:])
    assert whole < 12


# ---------------------------------------------------------------- opening


def test_what_was_built_can_be_opened_again(files, tmp_path):
    files["train"][0].write_bytes(b"")
    built = build_store(gathered(files), SHAPE, tmp_path / "store")
    again = open_store(tmp_path / "store")
    for name in ("names", "class_names", "skipped"):
        assert getattr(again, name) == getattr(built, name)
    assert (again.facts.modes, again.facts.formats) == (
        built.facts.modes,
        built.facts.formats,
    )
    for name in ("x", "y", "part"):
        np.testing.assert_array_equal(getattr(again, name), getattr(built, name))
    for name in module._COLUMNS:
        np.testing.assert_array_equal(
            getattr(again.facts, name), getattr(built.facts, name)
        )


@pytest.mark.parametrize("name", ["pictures.npy", "rows.npz", "store.json"])
@pytest.mark.parametrize("harm", ["gone", "cut", "empty", "garbage"])
def test_a_damaged_store_is_no_store(files, tmp_path, name, harm):
    build_store(gathered(files), SHAPE, tmp_path / "store")
    path = tmp_path / "store" / name
    data = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        cut = {"cut": data[:-500], "empty": b"", "garbage": b"[1, 2]" * 30}
        path.write_bytes(cut[harm])
    expected = DataNotFoundError if harm == "gone" else DataError
    with pytest.raises(expected, match="store"):
        open_store(tmp_path / "store")


def test_a_store_with_flipped_bytes_opens_or_is_a_data_error(files, tmp_path):
    """Wherever the bytes are; those of a pixel or of a name are not noticed."""
    folder = tmp_path / "store"
    build_store(gathered(files), (2, 2, 1), folder)
    dice, refused = random.Random(3), 0  # noqa: S311 - dice, no secrets
    for name in ("pictures.npy", "rows.npz", "store.json"):
        whole = (folder / name).read_bytes()
        for _ in range(50):
            data = bytearray(whole)
            for _ in range(dice.choice([1, 4, 20])):
                data[dice.randrange(len(data))] = dice.randrange(256)
            (folder / name).write_bytes(data)
            try:
                assert len(open_store(folder).x) == 24
            except DataError:
                refused += 1
        (folder / name).write_bytes(whole)
    assert refused > 30


def test_files_of_two_stores_are_no_store(files, tmp_path):
    build_store(gathered(files), SHAPE, tmp_path / "a")
    files["test"].pop()
    build_store(gathered(files), SHAPE, tmp_path / "b")
    shutil.copy(tmp_path / "a" / "pictures.npy", tmp_path / "b" / "pictures.npy")
    with pytest.raises(DataError, match="do not belong together"):
        open_store(tmp_path / "b")
    with pytest.raises(DataNotFoundError, match="no complete set"):
        open_store(tmp_path / "nowhere")


# ---------------------------------------------------------------- many damaged files


def survivors(count, tmp_path):
    """How many of `count` mutated files are rows of a store, and how many skipped."""
    dice = random.Random(5)  # noqa: S311 - dice, no secrets
    seeds = []
    for end in ("png", "jpg", "bmp", "gif", "webp", "tif"):
        path = tmp_path / f"seed.{end}"
        picture(1, (40, 30)).save(path)
        seeds.append((end, path.read_bytes()))
    paths = []
    for number in range(count):
        end, data = seeds[number % len(seeds)]
        data = bytearray(data)
        for _ in range(dice.choice([1, 3, 30])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        if dice.random() < 0.3:
            del data[dice.randrange(len(data)) :]
        paths.append(tmp_path / f"{number}.{end}")
        paths[-1].write_bytes(data)
    files = {"train": paths[: count // 2], "test": paths[count // 2 :]}
    store = build_store(gathered(files), (8, 8, 3), tmp_path / "store")
    named = [*store.names, *(item.name for item in store.skipped)]
    expected = [f"{part}/{path.name}" for part in files for path in files[part]]
    assert sorted(named) == sorted(expected)
    assert all(item.reason for item in store.skipped)
    for row in range(0, len(store.x), 7):
        path = tmp_path / store.names[row].partition("/")[2]
        np.testing.assert_array_equal(store.x[row], fit(path, (8, 8, 3)))
    return len(store.x), len(store.skipped)


@pytest.mark.filterwarnings("ignore")  # Pillow's, in `fit`
def test_no_damaged_file_is_lost_in_silence(tmp_path):
    rows, skipped = survivors(300, tmp_path)
    assert rows > 50
    assert skipped > 50


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_none_of_ten_thousand_damaged_files_is_lost_in_silence(tmp_path):
    rows, skipped = survivors(10_000, tmp_path)
    print(rows, "rows", skipped, "skipped")
    assert rows + skipped == 10_000


def test_the_store_says_in_words_what_it_is(files, tmp_path):
    build_store(gathered(files), SHAPE, tmp_path / "store")
    text = (tmp_path / "store" / "store.json").read_text(encoding="ascii")
    assert json.loads(text)["class_names"] == ["cat", "dog"]
    with pytest.raises(PictureError):
        fit(tmp_path / "store" / "store.json", SHAPE)
