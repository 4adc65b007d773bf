import inspect
import sys
from pathlib import Path

import numpy as np
import pytest

from deepneuron.data import read_idx_split
from deepneuron.datasets import fashion_mnist, mnist
from deepneuron.errors import DataError, DataNotFoundError
from tests.peers import keras

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def no_system_package(monkeypatch):
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", Path("nowhere"))


def assert_same(read, wanted):
    for ours, theirs in zip(
        (*read[0], *read[1]), (*wanted[0], *wanted[1]), strict=True
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_signature_is_keras(name):
    ours = inspect.signature(
        {"mnist": mnist, "fashion_mnist": fashion_mnist}[name].load_data
    )
    theirs = inspect.signature(getattr(keras().datasets, name).load_data)
    assert [(p.name, p.default, p.kind) for p in ours.parameters.values()] == [
        (p.name, p.default, p.kind) for p in theirs.parameters.values()
    ]


def test_mnist_at_the_path_given(npz_file, idx_folder, split):
    assert_same(mnist.load_data(str(npz_file)), split)
    assert_same(mnist.load_data(path=str(idx_folder)), split)


@pytest.mark.parametrize("place", [".keras/datasets", ".deepneuron/datasets"])
def test_mnist_in_the_known_folders(home, place, npz_file, split):
    (home / place).mkdir(parents=True)
    npz_file.rename(home / place / "mnist.npz")
    assert_same(mnist.load_data(), split)


def test_mnist_where_keras_keeps_it(home, npz_file, monkeypatch, tmp_path, split):
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    npz_file.rename(tmp_path / "keras" / "datasets" / "other.npz")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert_same(mnist.load_data("other.npz"), split)


def test_the_folder_in_the_environment_goes_first(
    home, idx_folder, monkeypatch, tmp_path, split
):
    (home / ".keras" / "datasets").mkdir(parents=True)
    (home / ".keras" / "datasets" / "mnist.npz").write_text("foreign", encoding="utf-8")
    idx_folder.rename(tmp_path / "mnist")
    monkeypatch.setenv("DEEPNEURON_DATA", str(tmp_path))
    assert_same(mnist.load_data(), split)


def test_fashion_where_keras_keeps_it(home, idx_folder, split):
    (home / ".keras" / "datasets").mkdir(parents=True)
    idx_folder.rename(home / ".keras" / "datasets" / "fashion-mnist")
    assert_same(fashion_mnist.load_data(), split)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a folder of Linux")
def test_fashion_of_the_systems_package(idx_folder, monkeypatch, split):
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", idx_folder)
    assert_same(fashion_mnist.load_data(), split)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (mnist.load_data, ["mnist.npz", "x_train", "DEEPNEURON_DATA", "t10k-images"]),
        (fashion_mnist.load_data, ["fashion-mnist", "t10k-labels-idx1-ubyte"]),
    ],
)
def test_absent_data_says_what_to_place_where(home, load, words):
    with pytest.raises(DataNotFoundError) as caught:
        load()
    message = str(caught.value)
    assert all(word in message for word in words)
    assert str(home / ".deepneuron" / "datasets") in message
    assert isinstance(caught.value, FileNotFoundError)


def test_a_damaged_file_is_not_passed_over(home):
    (home / ".keras" / "datasets").mkdir(parents=True)
    (home / ".keras" / "datasets" / "mnist.npz").write_text("foreign", encoding="utf-8")
    with pytest.raises(DataError, match="damaged"):
        mnist.load_data()


def test_an_incomplete_folder_is_not_passed_over(home, idx_folder):
    (home / ".keras" / "datasets").mkdir(parents=True)
    folder = idx_folder.rename(home / ".keras" / "datasets" / "fashion-mnist")
    next(folder.glob("train-labels*")).unlink()
    with pytest.raises(DataNotFoundError, match="train-labels-idx1-ubyte"):
        fashion_mnist.load_data()


@pytest.mark.slow
def test_the_whole_of_fashion_mnist():
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not folder.is_dir():
        pytest.skip("the package dataset-fashion-mnist is not installed")
    (x_train, y_train), (x_test, y_test) = read_idx_split(folder)
    assert x_train.shape == (60_000, 28, 28)
    assert x_test.shape == (10_000, 28, 28)
    assert np.bincount(y_train).tolist() == [6_000] * 10
    assert np.bincount(y_test).tolist() == [1_000] * 10
