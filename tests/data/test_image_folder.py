import os
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.data import open_collection
from deepneuron.data.image_folder import PICTURE_SUFFIXES, open_image_folder
from deepneuron.data.names import class_name, natural_key, printable, shown
from deepneuron.errors import DataError, DeepneuronError
from tests.data.trees import grow_tree

may_read_all = pytest.mark.skipif(
    os.name == "nt" or getattr(os, "geteuid", lambda: 0)() == 0,
    reason="permissions do not stop this user",
)
bytes_as_names = pytest.mark.skipif(
    sys.platform != "linux", reason="file names are text here"
)


def make(root: Path, *names: str) -> Path:
    """Empty files, with the folders they lie in; a name that ends in / is a folder."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    return root


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("links cannot be made here")


def told(collection) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in collection.skipped}


def test_each_subfolder_is_a_class(tmp_path):
    make(tmp_path, "dogs/b.jpg", "cats/10.PNG", "cats/2.png", "cats/old/deep/1.webp")
    collection = open_collection(tmp_path)
    train = collection.parts["train"]
    assert (collection.kind, collection.source) == ("folder", str(tmp_path))
    assert collection.class_names == ("cats", "dogs")
    assert train.names == (
        *("cats/2.png", "cats/10.PNG", "cats/old/deep/1.webp", "dogs/b.jpg"),
    )
    assert train.pictures == tuple(tmp_path / name for name in train.names)
    assert train.labels.tolist() == [0, 0, 0, 1]
    assert train.labels.dtype == "int64"
    assert (list(collection.parts), collection.skipped) == (["train"], ())


@pytest.mark.parametrize("suffix", [*sorted(PICTURE_SUFFIXES), ".PNG", ".Jpg"])
def test_pictures_are_told_by_extension(tmp_path, suffix):
    make(tmp_path, f"a/1{suffix}", f"b/1{suffix}")
    assert len(open_collection(tmp_path).parts["train"]) == 2


def test_classes_are_in_natural_order(tmp_path):
    make(tmp_path, *(f"{name}/1.png" for name in ("10", "9", "100", "b", "A", "a10")))
    names = open_collection(tmp_path).class_names
    assert names == ("9", "10", "100", "A", "a10", "b")


@pytest.mark.parametrize("train", ["train", "Training", "TRAIN"])
@pytest.mark.parametrize("validation", ["val", "valid", "Validation", None])
def test_parts_are_folders(tmp_path, train, validation):
    make(
        tmp_path, f"{train}/a/1.png", f"{train}/b/2.png", "test/a/3.png", "test/b/4.png"
    )
    if validation:
        make(tmp_path, f"{validation}/a/5.png", f"{validation}/b/6.png")
    collection = open_collection(tmp_path)
    wanted = ["train", *(["validation"] if validation else []), "test"]
    assert list(collection.parts) == wanted
    assert collection.class_names == ("a", "b")
    assert collection.parts["test"].names == ("test/a/3.png", "test/b/4.png")
    assert collection.skipped == ()


def test_train_alone_is_a_part(tmp_path):
    make(tmp_path, "train/a/1.png", "train/b/2.png")
    assert open_collection(tmp_path).class_names == ("a", "b")


def test_train_beside_other_vehicles_is_a_class(tmp_path):
    make(tmp_path, "train/1.png", "bus/2.png", "car/3.png")
    assert open_collection(tmp_path).class_names == ("bus", "car", "train")


def test_what_lies_beside_the_parts_is_named(tmp_path):
    make(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png")
    make(tmp_path, "extra/c/1.png", "cover.png")
    assert set(told(open_collection(tmp_path))) == {"extra/", "cover.png"}


def test_two_folders_for_a_part_are_an_error(tmp_path):
    make(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/1.png", "valid/a/1.png")
    with pytest.raises(DataError, match="more than one folder for validation"):
        open_collection(tmp_path)


def test_parts_without_train_are_an_error(tmp_path):
    make(tmp_path, "val/a/1.png", "test/a/1.png")
    with pytest.raises(DataError, match="val, test, and no folder train"):
        open_collection(tmp_path)


def test_hidden_and_foreign_files_are_told_in_groups(tmp_path):
    make(tmp_path, "a/1.png", "b/1.png", "a/.DS_Store", "a/._1.png", "b/Thumbs.db")
    make(tmp_path, "__MACOSX/a/1.png", "a/notes.txt", "b/more.TXT", "b/3.heic", "b/x")
    for strict in (False, True):
        collection = open_collection(tmp_path, strict=strict)
        assert len(collection.parts["train"]) == 2
        reasons = told(collection)
        assert set(reasons) == {
            *("4 hidden files and folders", "2 files *.txt", "b/3.heic", "b/x")
        }
        assert reasons["2 files *.txt"].endswith("the first is a/notes.txt")


def test_stray_pictures_are_named(tmp_path):
    make(tmp_path, "a/1.png", "b/1.png", "stray.png")
    assert "no class" in told(open_collection(tmp_path, strict=True))["stray.png"]
    make(tmp_path, *(f"{number}.png" for number in range(30)))
    reasons = told(open_collection(tmp_path))
    assert "the first is 0.png" in reasons["31 pictures in ./"]


def test_an_empty_class_is_named_or_an_error(tmp_path):
    make(tmp_path, "a/1.png", "b/1.png", "c/", "d/e/f/notes.txt")
    collection = open_collection(tmp_path)
    assert collection.class_names == ("a", "b")
    assert told(collection)["c/"] == "no pictures lie in this class"
    assert "d/" in told(collection)
    with pytest.raises(DataError, match=r"c/ in .* cannot be used: no pictures"):
        open_collection(tmp_path, strict=True)


def test_an_empty_part_is_named_or_an_error(tmp_path):
    make(tmp_path, "train/a/1.png", "train/b/1.png", "test/")
    collection = open_collection(tmp_path)
    assert list(collection.parts) == ["train"]
    assert "no class folder" in told(collection)["test/"]
    with pytest.raises(DataError, match="test/"):
        open_collection(tmp_path, strict=True)


def test_a_class_only_in_test_is_an_error(tmp_path):
    make(tmp_path, "train/a/1.png", "train/b/1.png", "test/c/1.png")
    with pytest.raises(DataError, match=r"a class in test that .* in train: c\. "):
        open_collection(tmp_path)


def test_a_class_in_another_case_is_pointed_at(tmp_path):
    make(tmp_path, "train/Cat/1.png", "train/dog/1.png", "test/cat/1.png")
    with pytest.raises(DataError, match="has Cat: spell them alike"):
        open_collection(tmp_path)


def test_a_class_only_in_train_is_noted(tmp_path):
    make(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/1.png")
    collection = open_collection(tmp_path, strict=True)
    assert "test has no picture of this class" in told(collection)["test: b"]
    assert collection.parts["test"].labels.tolist() == [0]


def test_a_flat_folder_is_told_what_to_look_like(tmp_path):
    make(tmp_path, "1.png", "2.png")
    with pytest.raises(DataError, match=r"2 pictures lie directly in .* cats/1\.png"):
        open_collection(tmp_path)
    make(tmp_path, "train/1.png", "test/2.png")
    with pytest.raises(DataError, match=r"1 picture lies directly in .*train,"):
        open_collection(tmp_path)


def test_one_class_is_an_error(tmp_path):
    make(tmp_path, "a/1.png", "b/")
    with pytest.raises(DataError, match="a single class with pictures, a"):
        open_collection(tmp_path)


def test_a_wrapped_folder_is_pointed_at(tmp_path):
    make(tmp_path, "pets/cats/1.png", "pets/dogs/1.png")
    with pytest.raises(DataError, match=r"cats, dogs in it.* name the folder .*pets"):
        open_collection(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="holds no pictures in class folders"):
        open_collection(tmp_path)
    make(tmp_path, "a/1.heic", "a/2.heic")
    with pytest.raises(DataError, match=r"no pictures .*2 files \*\.heic"):
        open_collection(tmp_path / "a")


def test_a_table_beside_the_pictures_is_pointed_at(tmp_path):
    make(tmp_path, "images/1.png", "images/2.png", "labels.csv")
    with pytest.raises(DataError, match=r"If labels\.csv holds the labels"):
        open_collection(tmp_path)


def test_a_folder_for_every_picture_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("deepneuron.data.assemble.MAX_CLASSES", 10)
    make(tmp_path, *(f"{number}/1.png" for number in range(11)))
    with pytest.raises(DataError, match="11 classes, such as 0, 1 and 9 more"):
        open_collection(tmp_path)


@pytest.mark.parametrize(
    "name", ["naïve", "猫", "\U0001f431", "a b", "it's", 'quo"te', "a\nb", "<b>&", "%s"]
)
def test_odd_names_survive(tmp_path, name):
    try:
        make(tmp_path, f"{name}/{name}.png", "other/1.png")
    except OSError:
        pytest.skip("no such names here")
    collection = open_collection(tmp_path)
    train = collection.parts["train"]
    assert unicodedata.normalize("NFC", name) in collection.class_names
    assert f"{name}/{name}.png" in train.names
    assert all(path.is_file() for path in train.pictures)


@bytes_as_names
def test_names_that_are_no_text_survive(tmp_path):
    cafe, picture = os.fsdecode(b"caf\xe9"), os.fsdecode(b"\xff.png")
    make(tmp_path, f"{cafe}/{picture}", "other/1.png")
    collection = open_collection(tmp_path)
    train = collection.parts["train"]
    assert collection.class_names == (r"caf\xe9", "other")
    assert train.names[0] == r"caf\xe9/\xff.png"
    assert os.fsencode(train.pictures[0]).endswith(b"caf\xe9/\xff.png")
    assert train.pictures[0].is_file()


def test_two_spellings_of_a_class_are_an_error(tmp_path):
    make(tmp_path, "e\u0301/1.png", "\xe9/1.png", "x/1.png")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("one folder here")
    with pytest.raises(DataError, match=r"two folders for the class \xe9.*'\\xe9'"):
        open_collection(tmp_path)


def test_links_are_followed(tmp_path):
    make(tmp_path, "store/1.png", "store/deep/2.png", "data/b/3.png")
    link(tmp_path / "data" / "a", tmp_path / "store")
    link(tmp_path / "data" / "b" / "4.png", tmp_path / "store" / "1.png")
    collection = open_collection(tmp_path / "data", strict=True)
    assert collection.parts["train"].names == (
        *("a/1.png", "a/deep/2.png", "b/3.png", "b/4.png"),
    )


@pytest.mark.parametrize("target", [".", "a", "a/deep", ".."])
def test_links_in_a_circle_are_named_or_an_error(tmp_path, target):
    root = make(tmp_path / "data", "a/deep/1.png", "b/2.png")
    link(root / "a" / "deep" / "again", (root / target).resolve())
    collection = open_collection(root)
    assert collection.parts["train"].names == ("a/deep/1.png", "b/2.png")
    assert told(collection) == {"a/deep/again/": "it is a link that leads in a circle"}
    with pytest.raises(DataError, match="leads in a circle"):
        open_collection(root, strict=True)


def test_a_root_that_lies_in_itself_is_no_class(tmp_path):
    make(tmp_path, "a/1.png", "b/2.png")
    link(tmp_path / "c", tmp_path)
    collection = open_collection(tmp_path)
    assert collection.class_names == ("a", "b")
    assert list(told(collection)) == ["c/"]


def test_a_second_way_to_a_folder_is_read_once(tmp_path):
    make(tmp_path, "a/one/1.png", "b/2.png")
    link(tmp_path / "a" / "two", tmp_path / "a" / "one")
    collection = open_collection(tmp_path, strict=True)
    assert collection.parts["train"].names == ("a/one/1.png", "b/2.png")
    assert told(collection) == {
        "a/two/": "it is the same folder as a/one/, and is read once"
    }


def test_many_links_between_folders_end(tmp_path):
    # Followed along every path, these would be 3 ** 20 folders.
    for number in range(20):
        make(tmp_path, f"a/{number}/1.png")
        for name in "xyz":
            link(tmp_path / "a" / f"{number}" / name, tmp_path / "a" / f"{number + 1}")
    make(tmp_path, "a/20/1.png", "b/1.png")
    assert len(open_collection(tmp_path).parts["train"]) == 22


def test_links_that_lead_nowhere_are_named_or_an_error(tmp_path):
    make(tmp_path, "a/1.png", "b/2.png")
    link(tmp_path / "a" / "gone.png", tmp_path / "gone.png")
    link(tmp_path / "a" / "self.png", tmp_path / "a" / "self.png")
    link(tmp_path / "a" / "notes.txt", tmp_path / "gone.txt")
    reasons = told(open_collection(tmp_path))
    assert reasons["a/notes.txt"] == "it is no picture by its extension"
    assert reasons["a/gone.png"] == "it is a link that leads nowhere"
    assert "cannot be followed" in reasons["a/self.png"]
    with pytest.raises(DataError, match=r"a/gone\.png .* leads nowhere"):
        open_collection(tmp_path, strict=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_never_opened(tmp_path):
    make(tmp_path, "a/1.png", "b/2.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert told(open_collection(tmp_path)) == {"a/pipe.png": "it is no regular file"}


@may_read_all
def test_an_unreadable_folder_is_named_or_an_error(tmp_path):
    make(tmp_path, "a/1.png", "b/2.png", "b/locked/3.png", "c/4.png")
    (tmp_path / "b" / "locked").chmod(0)
    (tmp_path / "c").chmod(0)
    try:
        collection = open_collection(tmp_path)
        assert set(told(collection)) == {"b/locked/", "c/"}
        assert "Permission denied" in told(collection)["c/"]
        with pytest.raises(DataError, match="cannot be read"):
            open_collection(tmp_path, strict=True)
    finally:
        (tmp_path / "b" / "locked").chmod(0o700)
        (tmp_path / "c").chmod(0o700)


def test_a_folder_that_fails_to_list_is_named_or_an_error(tmp_path, monkeypatch):
    # As a permission or a network drive would, also where root reads everything.
    make(tmp_path, "a/1.png", "b/2.png", "b/locked/3.png", "c/4.png")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name in {"locked", "c"}:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    collection = open_collection(tmp_path)
    assert told(collection) == {
        "b/locked/": "it cannot be read (Permission denied)",
        "c/": "it cannot be read (Permission denied)",
    }
    assert collection.class_names == ("a", "b")
    with pytest.raises(DataError, match=r"b/locked/ .* \(Permission denied\)"):
        open_collection(tmp_path, strict=True)


def test_a_root_that_fails_to_list_is_an_error(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        DataError, match=r"folder .* cannot be read: Permission denied\."
    ):
        open_image_folder(tmp_path)


def test_deep_folders_need_no_recursion(tmp_path):
    make(tmp_path, "b/1.png")
    deep = tmp_path / "a"
    try:
        for _ in range(1100):
            deep.mkdir()
            deep = deep / "d"
    except OSError:
        pass  # as deep as this system allows
    last = deep.parent / "e.png"
    last.touch()
    assert len(open_collection(tmp_path).parts["train"]) == 2
    last.unlink()
    for folder in last.parents:  # shutil.rmtree, which pytest calls, does recurse
        if folder == tmp_path:
            break
        folder.rmdir()


@given(st.lists(st.text(max_size=8), max_size=6))
def test_natural_order_is_an_order(names):
    assert sorted(names, key=natural_key) == sorted(names[::-1], key=natural_key)  # noqa: C415 - order should not matter


@given(st.lists(st.integers(0, 10**30), max_size=8))
def test_natural_order_counts(numbers):
    names = sorted((f"a{number}" for number in numbers), key=natural_key)
    assert names == [f"a{number}" for number in sorted(numbers)]


@given(
    st.text(st.characters(exclude_categories=[]), max_size=9) | st.binary(max_size=9)
)
def test_any_name_can_be_written_and_shown(name):
    if isinstance(name, bytes):
        name = name.decode("utf-8", "surrogateescape")
    for text in (printable(name), shown(name), class_name(name)):
        text.encode("utf-8")
    assert shown(name).isprintable()
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return
    assert printable(name) == name


def picture_files(root: Path) -> list[Path]:
    """Every picture file, found without following links to folders."""
    found, waiting = [], [root]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif Path(entry.name).suffix.lower() in PICTURE_SUFFIXES:
                found.append(Path(entry.path))
    return found


def is_hidden(place: str) -> bool:
    parts = place.split("/")
    return any(
        p.startswith(".") or p.lower() in {"__macosx", "thumbs.db"} for p in parts
    )


def check_tree(root: Path, *, strict: bool) -> bool:
    """Whether a collection came of it; every picture is in it, or named, or hidden."""
    try:
        collection = open_collection(root, strict=strict)
    except DeepneuronError as error:
        sentence = str(error)
        sentence.encode("utf-8")
        assert sentence.isprintable()
        assert sentence.endswith((".", "?"))
        assert len(sentence) < 1200
        return False
    used = {path for part in collection.parts.values() for path in part.pictures}
    names = set(told(collection))
    hidden = any("hidden" in s.name + s.reason for s in collection.skipped)
    for path in picture_files(root):
        place = printable(path.relative_to(root).as_posix())
        above = {f"{place[:at]}/" for at, c in enumerate(place) if c == "/"}
        accounted = path in used or place in names or above & names
        assert accounted or (hidden and is_hidden(place)), (place, names)
    for part in collection.parts.values():
        assert len(part.pictures) == len(part.labels) == len(part.names) > 0
        assert 0 <= part.labels.min() <= part.labels.max() < len(collection.class_names)
        "".join(part.names).encode("utf-8")
    assert len(set(collection.class_names)) == len(collection.class_names) >= 2
    for skipped in collection.skipped:
        (skipped.name + skipped.reason).encode("utf-8")
    return True


def check_trees(folder: Path, seeds: range) -> None:
    came = 0
    for seed in seeds:
        root = folder / f"tree {seed}"
        grow_tree(root, seed)
        came += check_tree(root, strict=False)
        check_tree(root, strict=True)
    assert came > len(seeds) / 5  # many of the odd trees are still of use


def test_odd_trees_lose_no_picture(tmp_path):
    check_trees(tmp_path, range(100))


@pytest.mark.slow
def test_many_odd_trees_lose_no_picture(tmp_path):
    check_trees(tmp_path, range(100, 1200))
