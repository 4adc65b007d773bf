import os
import tempfile

import pytest

from deepneuron.errors import SavingError
from deepneuron.vision.folder import (
    CONFIG,
    FILES,
    RunFolder,
    claimed,
    staged,
    write_json,
)


def test_missing_folders_are_made(tmp_path):
    with claimed(tmp_path / "a" / "b", overwrite=False):
        pass
    assert (tmp_path / "a" / "b").is_dir()


def test_folders_made_in_vain_are_removed_again(tmp_path):
    (tmp_path / "kept").mkdir()
    with (
        pytest.raises(ZeroDivisionError),
        claimed(tmp_path / "kept" / "a" / "b", overwrite=False),
    ):
        1 / 0  # noqa: B018 - any error
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_folder_with_something_in_it_stays(tmp_path):
    def fill(folder):
        (folder / "file").touch()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "a", overwrite=False):
        fill(tmp_path / "a")
    assert (tmp_path / "a" / "file").exists()


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_a_file_where_a_folder_should_be(tmp_path, below):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with (
        pytest.raises(SavingError, match="file is a file, not a folder"),
        claimed(tmp_path / "file" / below, overwrite=False),
    ):
        pytest.fail("nothing can be written here")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", FILES)
def test_a_folder_where_a_file_should_be(tmp_path, name):
    (tmp_path / name).mkdir()
    with (
        pytest.raises(SavingError, match=f"{name} cannot be replaced: it is a folder"),
        claimed(tmp_path, overwrite=False),
    ):
        pytest.fail("nothing can be written here")


def test_a_folder_that_takes_no_files(tmp_path, monkeypatch):
    def refuse(**kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with (
        pytest.raises(SavingError, match=r"cannot be written to .*: Permission denied"),
        claimed(tmp_path / "new", overwrite=False),
    ):
        pytest.fail("nothing can be written here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    os.name == "nt" or getattr(os, "geteuid", lambda: 0)() == 0,
    reason="permissions do not stop this user",
)
def test_a_protected_file_is_told_before_the_training(tmp_path):
    (tmp_path / "model.keras").touch(mode=0o444)
    with (
        pytest.raises(SavingError, match="write-protected"),
        claimed(tmp_path, overwrite=False),
    ):
        pytest.fail("it cannot be replaced")


def test_a_folder_in_use_is_nobody_elses(tmp_path):
    with (
        claimed(tmp_path, overwrite=False),
        pytest.raises(SavingError, match="is in use by another training"),
        claimed(tmp_path, overwrite=True),
    ):
        pytest.fail("somebody else is at work here")
    with claimed(tmp_path, overwrite=False):
        pass  # ... who has gone


def cut_off(path):
    """Leave behind what a kill would leave."""
    folder = RunFolder(path)
    folder.unfinished.mkdir()
    folder.write_config({"data": "digits"})
    folder.checkpoint.write_bytes(b"weights")
    return folder


def test_a_training_that_was_cut_off_is_not_thrown_away_unasked(tmp_path):
    folder = cut_off(tmp_path)
    with (
        pytest.raises(SavingError, match=r"--resume .*--out.*--overwrite"),
        claimed(tmp_path, overwrite=False),
    ):
        pytest.fail("it would be overwritten")
    assert folder.checkpoint.read_bytes() == b"weights"
    with claimed(tmp_path, overwrite=False, go_on=True) as found:
        assert found.read_config() == {"data": "digits"}
        assert found.checkpoint.exists()
    with claimed(tmp_path, overwrite=True) as found:
        assert not found.is_unfinished()
        assert not found.checkpoint.exists()


def test_what_is_not_ours_is_not_removed(tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "novel.txt").write_text("mine", encoding="utf-8")
    with (
        pytest.raises(SavingError, match=r"holds 'novel\.txt', which is not ours"),
        claimed(tmp_path, overwrite=True),
    ):
        pytest.fail("it would be removed")
    assert (tmp_path / "unfinished" / "novel.txt").exists()


def test_an_error_keeps_the_work_only_if_there_is_a_checkpoint(tmp_path):
    def fail(*, trained):
        with claimed(tmp_path, overwrite=False) as folder:
            folder.write_config({})
            if trained:
                folder.checkpoint.write_bytes(b"weights")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail(trained=False)
    assert not (tmp_path / "unfinished").exists()
    with pytest.raises(ZeroDivisionError):
        fail(trained=True)
    assert RunFolder(tmp_path).is_unfinished()


def test_results_come_all_at_once_and_the_work_is_cleared_away(tmp_path):
    with claimed(tmp_path, overwrite=False) as folder:
        folder.write_config({})
        with staged(folder, over=True) as stage:
            for name in FILES:
                (stage / name).write_text(name, encoding="utf-8")
            assert not any((tmp_path / name).exists() for name in FILES)
    assert {p.name for p in tmp_path.iterdir()} == {*FILES, ".lock"}


def test_results_that_miss_a_file_replace_nothing(tmp_path):
    (tmp_path / "model.keras").write_text("old", encoding="utf-8")

    def fail(folder):
        with staged(folder, over=True) as stage:
            (stage / "model.keras").write_text("new", encoding="utf-8")
            raise ZeroDivisionError

    with claimed(tmp_path, overwrite=False) as folder:
        folder.write_config({})
        with pytest.raises(ZeroDivisionError):
            fail(folder)
        assert folder.is_unfinished()
    assert (tmp_path / "model.keras").read_text(encoding="utf-8") == "old"


def test_json_is_strict_and_survives_odd_names(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / CONFIG, {"loss": float("nan")})
    write_json(tmp_path / CONFIG, {"name": "a\udcffb"})
    assert b"\\udcff" in (tmp_path / CONFIG).read_bytes()
