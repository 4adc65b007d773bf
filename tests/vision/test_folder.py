import os
import tempfile

import pytest

from deepneuron.errors import SavingError
from deepneuron.vision.results import claimed


def test_missing_folders_are_made(tmp_path):
    with claimed(tmp_path / "a" / "b"):
        pass
    assert (tmp_path / "a" / "b").is_dir()


def test_folders_made_in_vain_are_removed_again(tmp_path):
    (tmp_path / "kept").mkdir()
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "kept" / "a" / "b"):
        1 / 0  # noqa: B018 - any error
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_folder_with_something_in_it_stays(tmp_path):
    def fill(folder):
        (folder / "file").touch()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "a"):
        fill(tmp_path / "a")
    assert (tmp_path / "a" / "file").exists()


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_a_file_where_a_folder_should_be(tmp_path, below):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with (
        pytest.raises(SavingError, match="file is a file, not a folder"),
        claimed(tmp_path / "file" / below),
    ):
        pytest.fail("nothing can be written here")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["model.keras", "history.csv", "metrics.json"])
def test_a_folder_where_a_file_should_be(tmp_path, name):
    (tmp_path / name).mkdir()
    with (
        pytest.raises(SavingError, match=f"{name} cannot be replaced: it is a folder"),
        claimed(tmp_path),
    ):
        pytest.fail("nothing can be written here")


def test_a_folder_that_takes_no_files(tmp_path, monkeypatch):
    def refuse(**kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with (
        pytest.raises(SavingError, match=r"cannot be written to .*: Permission denied"),
        claimed(tmp_path / "new"),
    ):
        pytest.fail("nothing can be written here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    os.name == "nt" or getattr(os, "geteuid", lambda: 0)() == 0,
    reason="permissions do not stop this user",
)
def test_a_protected_file_is_told_before_the_training(tmp_path):
    (tmp_path / "model.keras").touch(mode=0o444)
    with pytest.raises(SavingError, match="write-protected"), claimed(tmp_path):
        pytest.fail("it cannot be replaced")
