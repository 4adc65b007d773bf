"""A file appears whole or not at all."""

import os
import subprocess
import sys
import time

import pytest

from deepneuron.errors import SavingError
from deepneuron.saving import atomic
from deepneuron.saving.atomic import atomic_write


def test_writes_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "a.bin"
    with atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_old_file_survives_an_exception(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="stop"), atomic_write(path) as file:  # noqa: PT012 - half of it
        file.write(b"half")
        raise RuntimeError("stop")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_old_file_survives_a_full_disk(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavingError, match="No space left"), atomic_write(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("refusals", [0, 1, 2, 3])
def test_a_file_that_is_held_for_a_moment_is_replaced(tmp_path, monkeypatch, refusals):
    path, replace, asked = tmp_path / "a.bin", type(tmp_path).replace, []
    path.write_bytes(b"old")

    def held(beside, target):
        asked.append(target)
        if len(asked) <= refusals:
            raise PermissionError(13, "Permission denied")
        return replace(beside, target)

    monkeypatch.setattr(type(tmp_path), "replace", held)
    monkeypatch.setattr(atomic, "_PAUSES", (0.0, 0.0))
    if refusals < 3:
        with atomic_write(path) as file:
            file.write(b"new")
        assert path.read_bytes() == b"new"
    else:
        with pytest.raises(SavingError, match="denied"), atomic_write(path) as file:
            file.write(b"new")
        assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_old_file_survives_a_kill(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    code = (
        "import sys, time\n"
        "from deepneuron.saving.atomic import atomic_write\n"
        "with atomic_write(sys.argv[1]) as file:\n"
        "    file.write(b'half')\n"
        "    file.flush()\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout.readline().strip() == b"half"
        time.sleep(0.01)
        process.kill()
    assert path.read_bytes() == b"old"


def test_missing_folder_is_named(tmp_path):
    missing = pytest.raises(SavingError, match=r"The folder .*nowhere is missing")
    with missing, atomic_write(tmp_path / "nowhere" / "a.bin"):
        pass


def test_folder_in_the_way(tmp_path):
    in_the_way = pytest.raises(SavingError, match="a folder has this name")
    with in_the_way, atomic_write(tmp_path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")
def test_permissions_and_links_are_kept(tmp_path):
    path, link = tmp_path / "a.bin", tmp_path / "link.bin"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    with atomic_write(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
