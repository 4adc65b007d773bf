"""Trainings of pictures that are broken, odd or too few: one sentence, nothing left."""

import json
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from deepneuron import vision
from deepneuron.data import store
from deepneuron.errors import (
    ArgumentError,
    DataError,
    DeepneuronError,
    DivergenceError,
    SavingError,
)
from deepneuron.vision import folder
from deepneuron.vision.checkpoint import save_checkpoint
from deepneuron.vision.run import Interrupted


def noise(seed, size=(12, 12)):
    """A picture like no other, (width, height)."""
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(0, 256, (*size[::-1], 3), np.uint8))


def pictures(root, size=(12, 12), **classes):
    """A folder with so many pictures of each class."""
    seed = 0
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for i in range(count):
            seed += 1
            noise(seed, size).save(root / name / f"{i}.png")
    return root


def train(data, out, **choices):
    """A training of one epoch with a network that takes no time."""
    choices = {"epochs": 1, "model": "linear", "quiet": True} | choices
    return vision.train(data, out, **choices)


def contents(path):
    """All files below a folder, but for the lock."""
    return {
        p.relative_to(path).as_posix(): p.read_bytes()
        for p in path.rglob("*")
        if p.is_file() and p.name != ".lock"
    }


def is_one_sentence(error):
    text = str(error)
    return len(text.splitlines()) == 1 and text.endswith((".", "?"))


def skipped(run):
    audit = json.loads((run.out / "audit.json").read_text(encoding="utf-8"))
    return {one["name"]: one["reason"] for one in audit["skipped"]}


@pytest.fixture
def cats(tmp_path):
    return pictures(tmp_path / "animals", cats=12, dogs=12)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "run"


# --- pictures that cannot be read


def bomb(width, height):
    """A PNG of a few bytes that would unpack to gigabytes."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", size),
            chunk(b"IDAT", zlib.compress(bytes(1000))),
            chunk(b"IEND", b""),
        ]
    )


@pytest.fixture
def broken(cats):
    whole = (cats / "dogs" / "0.png").read_bytes()
    (cats / "cats" / "0.png").write_bytes(b"")
    (cats / "cats" / "1.png").write_bytes(whole[: len(whole) // 2])
    (cats / "cats" / "2.png").write_bytes(b"no picture")
    (cats / "cats" / "3.png").write_bytes(bomb(60_000, 60_000))
    return cats


def test_pictures_that_cannot_be_read_are_named_with_the_reason(broken, out):
    run = train(broken, out)
    assert skipped(run) == {
        "cats/0.png": "it is empty (0 bytes)",
        "cats/1.png": "it is cut off",
        "cats/2.png": "it is no picture that Pillow can read",
        "cats/3.png": "it would unpack to 3,600 million pixels",
    }
    shares = ("train", "validation", "test")
    assert sum(run.metrics[share]["samples"] for share in shares) == 20


def test_strict_refuses_the_first_that_cannot_be_read(broken, out):
    with pytest.raises(DataError, match=r"'cats/0\.png' cannot be used: it is empty"):
        train(broken, out, strict=True)
    assert not out.exists()


def test_hidden_files_and_results_among_the_pictures_are_no_warning(cats):
    (cats / "cats" / ".hidden").touch()
    train(cats, cats / "runs" / "first")
    run = train(cats, cats / "runs" / "second", strict=True)
    assert run.metrics["class_names"] == ["cats", "dogs"]
    audit = json.loads((run.out / "audit.json").read_text(encoding="utf-8"))
    assert all(one["harmless"] for one in audit["skipped"])
    told = [one["code"] for one in audit["findings"] if "runs/" in one["sentence"]]
    assert told == ["harmless"]


def test_the_data_folder_may_hold_the_results_itself(cats):
    first = train(cats, cats)
    second = train(cats, cats)
    assert first.history == second.history


# --- pictures of other kinds


def test_pictures_of_every_kind_are_read(cats, out):
    place = cats / "dogs"
    deep = np.arange(144, dtype=np.uint16).reshape(12, 12) * 400
    Image.fromarray(deep).save(place / "deep.png")
    for i, mode in enumerate(("L", "1", "P", "RGBA", "LA")):
        noise(100 + i).convert(mode).save(place / f"mode {mode}.png")
    noise(110).convert("CMYK").save(place / "cmyk.jpg")
    frames = [noise(120), noise(121)]
    noise(122).save(place / "moving.gif", save_all=True, append_images=frames)
    noise(123).save(place / "moving.webp", save_all=True, append_images=frames)
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    noise(124, (20, 10)).save(place / "turned.jpg", exif=exif)
    noise(125, (1, 1)).save(place / "point.png")
    noise(126, (3000, 5)).save(place / "line.bmp")
    run = train(cats, out, strict=True)
    audit = json.loads((run.out / "audit.json").read_text(encoding="utf-8"))
    assert audit["pictures"] == 36
    assert {"width": 10, "height": 20, "count": 1} in audit["sizes"]
    assert set(audit["modes"]) >= {"I;16", "CMYK", "LA", "RGBA", "P", "1"}


def test_names_are_kept_and_harmless_in_the_report(tmp_path, out):
    names = ["12", "con", "größe 漢字", "<i>{{ x }}", "a \"b\" 'c'", "-x", "n" * 200]
    if os.name == "nt":
        names = [name for name in names if not set(name) & set('<>"')]
        names.remove("con")
    else:
        names.append("two\nlines")
    data = pictures(tmp_path / "data", **dict.fromkeys(names, 3))
    run = train(data, out)
    assert set(run.metrics["class_names"]) == set(names)
    labels = json.loads((run.out / "labels.json").read_text(encoding="utf-8"))
    assert labels["class_names"] == run.metrics["class_names"]
    assert "<i>{{" not in (run.out / "report.html").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has names in UTF-16")
def test_names_that_are_no_text_are_spelled_out(cats, out):
    (cats / "cats" / "0.png").rename(cats / "cats" / os.fsdecode(b"caf\xe9.png"))
    (cats / "dogs" / "0.png").write_bytes(b"")
    (cats / "dogs" / "0.png").rename(cats / "dogs" / os.fsdecode(b"\xff\n.png"))
    (cats / "dogs").rename(cats / os.fsdecode(b"d\xff"))
    run = train(cats, out)
    assert run.metrics["class_names"] == ["cats", "d\\xff"]
    assert list(skipped(run)) == ["d\\xff/\\xff\n.png"]


# --- too few, or too much asked of them


def fewer(root):
    return pictures(root, cats=1, dogs=1)


def empty(root):
    for place in pictures(root, cats=4, dogs=4, birds=4).glob("birds/*"):
        place.write_bytes(b"x")
    return root


def nothing(root):
    for place in pictures(root, cats=4, dogs=4).rglob("*.png"):
        place.write_bytes(b"x")
    return root


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda root: pictures(root, cats=5), "a single class with pictures, cats"),
        (fewer, "No picture can be set aside for test"),
        (empty, '"birds" has no picture to learn from'),
        (nothing, "None of the 8 pictures"),
        (lambda root: root, "There is no file or folder"),
    ],
)
def test_pictures_that_cannot_be_learned_from_leave_nothing(make, words, tmp_path, out):
    with pytest.raises(DataError, match=words) as error:
        train(make(tmp_path / "data"), out)
    assert is_one_sentence(error.value)
    assert not out.exists()


def test_three_pictures_of_each_class_are_enough(tmp_path, out):
    run = train(pictures(tmp_path / "data", cats=3, dogs=3), out, batch_size=1000)
    parts = [run.metrics[part] for part in ("train", "validation", "test")]
    assert [part["samples"] for part in parts] == [2, 2, 2]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"validation": 0.6, "test": 0.6}, "together less than 1"),
        ({"learning_rate": 1e300}, "learning_rate must be"),
        ({"model": "missing.keras"}, "There is no file"),
        ({"model": "no_such_module:make"}, "There is no module"),
    ],
)
def test_choices_that_cannot_be_met_leave_nothing(cats, out, choices, words):
    with pytest.raises(DeepneuronError, match=words) as error:
        train(cats, out, **choices)
    assert is_one_sentence(error.value)
    assert not out.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and no more"])
def test_a_damaged_network_is_named_as_the_user_did(cats, out, tmp_path, content):
    given = tmp_path / "mine.keras"
    given.write_bytes(content)
    with pytest.raises(DeepneuronError, match=r"mine\.keras") as error:
        train(cats, out, model=given)
    assert "unfinished" not in str(error.value)
    assert not out.exists()


# --- earlier results, and trainings that were cut off


def test_whatever_fails_the_earlier_results_stay(cats, tmp_path, out):
    train(cats, out)
    before = contents(out)
    with pytest.raises(DivergenceError):
        train(cats, out, model="mlp", learning_rate=1e30)
    with pytest.raises(DataError):
        train(nothing(tmp_path / "nothing"), out)
    with pytest.raises(ArgumentError):
        train(cats, out, validation=0.9)
    assert contents(out) == before


def test_a_full_disk_leaves_the_earlier_results(cats, out, monkeypatch):
    train(cats, out)
    before = contents(out)

    def full(collection, shape, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_check_disk", full)
    with pytest.raises(SavingError, match=r"No space left.*Nothing half-written"):
        train(cats, out)
    assert contents(out) == before


def test_a_full_disk_at_the_end_says_how_to_go_on(cats, out, monkeypatch):
    train(cats, out)
    before = contents(out)

    def full(path, history):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("deepneuron.vision.job.write_history", full)
        with pytest.raises(SavingError, match=r"No space left.*go on with --resume"):
            train(cats, out, seed=1)
    assert {k: v for k, v in contents(out).items() if "/" not in k} == before
    run = vision.resume(out, quiet=True)
    assert run.metrics["settings"]["seed"] == 1
    assert not folder.RunFolder(out).unfinished.exists()


@pytest.fixture
def cut(cats, out, monkeypatch):
    """The folder of a training that Ctrl-C ended while its results were made."""

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("deepneuron.vision.job.look_closer", interrupt)
        with pytest.raises(Interrupted) as interruption:
            train(cats, out)
    assert interruption.value.run is None
    assert interruption.value.unfinished == out
    return folder.RunFolder(out)


def test_what_ctrl_c_cut_off_at_the_end_goes_on(cut):
    run = vision.resume(cut.path, quiet=True)
    assert run.metrics["epochs"] == 1
    assert not cut.unfinished.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": None}, "'data' is missing"),
        ({"threads": "two"}, "'threads' holds 'two'"),
        ({"settings": {"epochs": "x"}}, "epochs must be a whole number"),
        ({"settings": {"foo": 1}}, "no settings of a training"),
    ],
)
def test_a_damaged_config_is_told_and_nothing_changes(cut, change, words):
    path = cut.unfinished / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | change
    if config["data"] is None:
        del config["data"]
    path.write_text(json.dumps(config), encoding="utf-8")
    before = contents(cut.path)
    with pytest.raises(DataError, match=words):
        vision.resume(cut.path, quiet=True)
    assert contents(cut.path) == before


def test_other_pictures_are_not_gone_on_with(cut, cats):
    for file in cut.pictures.iterdir():
        file.unlink()
    noise(500).save(cats / "cats" / "another.png")
    with pytest.raises(DataError, match="pictures have changed since"):
        vision.resume(cut.path, quiet=True)
    assert cut.is_unfinished()


def test_missing_data_do_not_lose_what_was_cut_off(cut, cats):
    cut.checkpoint.unlink()
    for file in cut.pictures.iterdir():
        file.unlink()
    away = cats.rename(cats.with_name("away"))
    with pytest.raises(DataError, match="There is no file or folder"):
        vision.resume(cut.path, quiet=True)
    away.rename(cats)
    assert vision.resume(cut.path, quiet=True).metrics["epochs"] == 1


def test_a_second_training_leaves_the_folder_of_the_first_alone(cats, out):
    with folder.claimed(out, overwrite=False):
        with pytest.raises(SavingError, match="is in use by another training"):
            train(cats, out)
        assert (out / ".lock").exists()


@pytest.mark.parametrize("epochs", [0, 1])
def test_ctrl_c_while_a_checkpoint_is_written_keeps_whole_epochs(
    cats, out, monkeypatch, epochs
):
    def interrupted(path, model, state):
        if state.epochs > epochs:
            state.history["loss"].pop()  # as if it had come between two values
            raise KeyboardInterrupt
        save_checkpoint(path, model, state)

    monkeypatch.setattr("deepneuron.vision.keeper.save_checkpoint", interrupted)
    with pytest.raises(Interrupted) as interruption:
        train(cats, out, epochs=3)
    run = interruption.value.run
    if not epochs:
        assert run is None
        assert not out.exists()
        return
    assert {name: len(values) for name, values in run.history.items()} == dict.fromkeys(
        run.history, epochs
    )
    monkeypatch.undo()
    whole = train(cats, out.with_name("whole"), epochs=3)
    assert vision.resume(out, quiet=True).history == whole.history


def test_the_name_of_the_results_is_no_way_out_of_their_folder(
    cats, tmp_path, monkeypatch
):
    monkeypatch.chdir(cats / "cats")
    assert train("..", None).out.as_posix() == "runs/animals"
    (cats / "cats" / "runs" / "animals-2").write_text("mine", encoding="utf-8")
    assert train("..", None).out.as_posix() == "runs/animals-3"


def test_a_file_in_the_place_of_the_work_stays(cats, out):
    out.mkdir()
    (out / "unfinished").write_text("mine", encoding="utf-8")
    with pytest.raises(SavingError, match="is needed as a folder"):
        train(cats, out)
    assert (out / "unfinished").read_text(encoding="utf-8") == "mine"
