from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from deepneuron.data.idx import IDX_NAMES


@pytest.fixture
def split():
    """A tiny data set in MNIST's shape: 5 and 2 pictures."""
    rng = np.random.default_rng(7)
    return tuple(
        (
            rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8),
            rng.integers(0, 10, rows, dtype=np.uint8),
        )
        for rows in (5, 2)
    )


@pytest.fixture
def idx_folder(split, tmp_path) -> Path:
    """The tiny data set as four IDX files: the first plain, the others with .gz."""
    folder = tmp_path / "four"
    folder.mkdir()
    for name, array in zip(IDX_NAMES, (*split[0], *split[1]), strict=True):
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        if name == IDX_NAMES[0]:
            (folder / name).write_bytes(header + array.tobytes())
        else:
            with gzip.open(folder / f"{name}.gz", "wb") as file:
                file.write(header + array.tobytes())
    return folder


@pytest.fixture
def npz_file(split, tmp_path) -> Path:
    """The tiny data set in Keras's .npz layout."""
    (x_train, y_train), (x_test, y_test) = split
    path = tmp_path / "tiny.npz"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A machine without data sets: an empty home, and nothing in the environment."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.delenv("DEEPNEURON_DATA", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.chdir(home)
    return home
