import collections
import io
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.data import open_collection
from deepneuron.data.cifar import CIFAR10_CLASSES, has_cifar, open_cifar, read_pickle
from deepneuron.errors import DataError

RNG = np.random.default_rng(5)
X = RNG.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
Y10 = np.arange(20) % 10
Y100 = np.arange(20) * 5
NAMES100 = [f"class {number}" for number in range(100)]


def flat(x):
    """Red plane, green plane, blue plane, as the files have them."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def binary(x, *labels):
    columns = [np.asarray(label, np.uint8)[:, None] for label in labels]
    return np.concatenate([*columns, flat(x)], axis=1).tobytes()


@pytest.fixture
def binary10(tmp_path):
    for number in range(1, 6):
        rows = slice(4 * number - 4, 4 * number)
        path = tmp_path / f"data_batch_{number}.bin"
        path.write_bytes(binary(X[rows], Y10[rows]))
    (tmp_path / "test_batch.bin").write_bytes(binary(X[:6], Y10[:6]))
    text = "\n".join(CIFAR10_CLASSES) + "\n\n"
    (tmp_path / "batches.meta.txt").write_text(text, encoding="utf-8")
    return tmp_path


def pickled10(folder, protocol=2):
    folder.mkdir(exist_ok=True)
    for number in range(1, 6):
        rows = slice(4 * number - 4, 4 * number)
        batch = {b"data": flat(X[rows]), b"labels": Y10[rows].tolist()}
        batch |= {b"batch_label": b"training", b"filenames": [b"a.png"] * 4}
        path = folder / f"data_batch_{number}"
        path.write_bytes(pickle.dumps(batch, protocol))
    test = {b"data": flat(X[:6]), b"labels": Y10[:6].tolist()}
    (folder / "test_batch").write_bytes(pickle.dumps(test, protocol))
    names = {b"label_names": [name.encode() for name in CIFAR10_CLASSES]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names, protocol))
    return folder


def check10(collection):
    assert (collection.kind, collection.class_names) == ("cifar", CIFAR10_CLASSES)
    train, test = collection.parts["train"], collection.parts["test"]
    np.testing.assert_array_equal(train.pictures, X)
    np.testing.assert_array_equal(test.pictures, X[:6])
    assert train.labels.tolist() == Y10.tolist()
    assert test.names[5] == "test 5"


def test_binary_cifar10_is_read(binary10):
    (binary10 / "readme.html").touch()
    collection = open_collection(binary10)
    check10(collection)
    names = [skipped.name for skipped in collection.skipped]
    assert names[0] == "readme.html"
    assert names[1].startswith("test: ")  # its six pictures are of six classes


@pytest.mark.parametrize("protocol", range(6))
def test_pickled_cifar10_is_read(tmp_path, protocol):
    check10(open_collection(pickled10(tmp_path / "cifar", protocol)))


def test_cifar_one_folder_down_is_found(tmp_path):
    pickled10(tmp_path / "cifar-10-batches-py")
    (tmp_path / "readme.txt").touch()
    collection = open_collection(tmp_path)
    check10(collection)
    assert collection.source == str(tmp_path)
    assert "readme.txt" in [skipped.name for skipped in collection.skipped]


# {b"data": array, b"labels": list} as Python 2 and NumPy 1 wrote it: text is bytes.
PYTHON2 = (
    b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\n"
    b"ndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06"
    b"U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    b"\x89T\x00\x0c\x00\x00" + bytes(range(256)) * 12 + b"tbU\x06labels]q\x08K\x07au."
)


def test_a_pickle_of_python_2_is_read(tmp_path):
    path = tmp_path / "data_batch_1"
    path.write_bytes(PYTHON2)
    batch = read_pickle(path)
    assert batch["data"].tolist() == [list(range(256)) * 12]
    assert batch["data"].dtype == np.uint8
    assert batch["labels"] == [7]


def test_binary_cifar100_has_its_fine_classes(tmp_path):
    (tmp_path / "train.bin").write_bytes(binary(X, Y100 // 5, Y100))
    (tmp_path / "test.bin").write_bytes(binary(X[:3], Y100[:3] // 5, Y100[:3]))
    names = tmp_path / "fine_label_names.txt"
    names.write_text("\n".join(NAMES100), encoding="utf-8")
    collection = open_collection(tmp_path)
    assert collection.class_names[:3] == ("class 0", "class 5", "class 10")
    np.testing.assert_array_equal(collection.parts["train"].pictures, X)
    assert collection.parts["train"].labels.tolist() == list(range(20))


def test_pickled_cifar100_has_its_fine_classes(tmp_path):
    for file, rows in (("train", 20), ("test", 3)):
        batch = {
            "data": flat(X[:rows]),
            "fine_labels": Y100[:rows].tolist(),
            "coarse_labels": (Y100[:rows] // 5).tolist(),
        }
        (tmp_path / file).write_bytes(pickle.dumps(batch))
    (tmp_path / "meta").write_bytes(pickle.dumps({"fine_label_names": NAMES100}))
    collection = open_collection(tmp_path)
    assert collection.class_names[1] == "class 5"
    assert len(collection.parts["test"]) == 3


def test_a_missing_batch_is_named_or_an_error(binary10):
    (binary10 / "data_batch_3.bin").unlink()
    collection = open_cifar(binary10)
    assert len(collection.parts["train"]) == 16
    assert collection.skipped[0].name == "data_batch_3.bin"
    with pytest.raises(DataError, match=r"data_batch_3\.bin .* missing"):
        open_cifar(binary10, strict=True)


def test_missing_names_are_the_usual_ones(binary10):
    (binary10 / "batches.meta.txt").unlink()
    check10(open_cifar(binary10))


def test_names_of_another_number_are_an_error(binary10):
    (binary10 / "batches.meta.txt").write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(DataError, match="names 2 classes, and CIFAR-10 has 10"):
        open_cifar(binary10)


@pytest.mark.parametrize("kept", [0, 1, 3072, 3074, 6145])
def test_a_cut_batch_is_an_error(binary10, kept):
    path = binary10 / "data_batch_2.bin"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"data_batch_2\.bin has .* 3,073 each"):
        open_cifar(binary10)


def test_a_label_out_of_range_is_an_error(binary10):
    (binary10 / "test_batch.bin").write_bytes(binary(X[:1], [10]))
    with pytest.raises(DataError, match="labels from 10 to 10"):
        open_cifar(binary10)


@pytest.mark.parametrize(
    "batch",
    [
        {},
        {"data": flat(X)},
        {"data": flat(X), "labels": [1, 2]},
        {"data": flat(X)[:, :100], "labels": Y10.tolist()},
        {"data": flat(X).astype(np.int32), "labels": Y10.tolist()},
        {"data": [[1], [2, 3]], "labels": [0, 1]},
        {"data": None, "labels": ["x"]},
        [1, 2],
        "text",
    ],
)
def test_a_pickle_of_something_else_is_an_error(tmp_path, batch):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(batch))
    with pytest.raises(DataError, match="data_batch_1"):
        open_cifar(tmp_path)


class Malicious:
    """Writes a file when it is unpickled, by whatever function it is given."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("where", ["whole", "data", "labels", "list"])
def test_a_malicious_pickle_runs_nothing(tmp_path, protocol, where):
    trace = tmp_path / "trace"
    for function, arguments in (
        (os.mkdir, (str(trace),)),
        (os.system, (f"mkdir {trace}",)),
        (eval, (f"__import__('os').mkdir({str(trace)!r})",)),
        (exec, (f"__import__('os').mkdir({str(trace)!r})",)),
        (getattr, (os, "mkdir")),
    ):
        bad = Malicious(function, *arguments)
        if where == "whole":
            batch = bad
        else:
            batch = {"data": flat(X), "labels": Y10.tolist()}
            batch[where] = [bad] if where == "list" else bad
        content = (
            pickle.dumps(batch, protocol)
            if function is not getattr
            # A module itself cannot be pickled.
            else b"cbuiltins\ngetattr\n(cos\npath\nS'join'\ntR."
        )
        assert not trace.exists()
        (tmp_path / "data_batch_1").write_bytes(content)
        with pytest.raises(DataError, match=r"asks for .* only plain arrays are read"):
            open_cifar(tmp_path)
        assert not trace.exists()


def test_the_malicious_pickle_would_have_run(tmp_path):
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Malicious(os.mkdir, str(trace))))  # noqa: S301 - ours
    assert trace.exists()


class Buffer:
    """What NumPy writes for an array in protocol 5, with something else inside."""

    def __init__(self, content):
        self.content = content

    def __reduce__(self):
        rebuild = np.ndarray([1], np.uint8).__reduce_ex__(5)[0]
        return rebuild, (self.content, np.dtype(np.uint8), (1,), "C")


@pytest.mark.parametrize("content", [1 << 50, "text", [1, 2]])
def test_a_size_in_the_place_of_pixels_takes_no_memory(tmp_path, content):
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps({"data": Buffer(content), "labels": []}, 5))
    with pytest.raises(DataError, match="asks for an array of objects"):
        read_pickle(path)


@pytest.mark.parametrize(
    "value",
    [
        np.array([print, None], dtype=object),
        np.zeros(2, [("a", "u1")]),
        np.zeros(2, np.float64),
        np.array(["a"]),
        collections.OrderedDict(a=1),
        collections.deque(),
        np.float64(1),
        io.BytesIO,
        {1}.__class__,
    ],
)
def test_other_objects_are_refused(tmp_path, value):
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps({"data": value, "labels": []}))
    with pytest.raises(DataError, match="asks for"):
        read_pickle(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x80\x02",
        b"\x80\x63.",
        b"\x80\x02}U\x04dataT\xff\xff\xff\x7f",
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f",
        b"\x82\x01.",  # an object by its number in a registry
        b"P42\n.",  # an object by a name of its own
        b"(" * 100_000,
        b"]" * 100_000 + b"a" * 99_999 + b".",
        b"cnumpy\nndarray\n)R.",
        b"cnumpy\ndtype\n(S'u1'\ntR.",
        b"}(S'data'\ncnumpy\nndarray\n)Rs.",
    ],
)
def test_a_damaged_pickle_is_an_error(tmp_path, content):
    (tmp_path / "data_batch_1").write_bytes(content)
    with pytest.raises(DataError, match="data_batch_1"):
        open_cifar(tmp_path)


WHOLE = pickle.dumps({"data": flat(X[:1]), "labels": [3]}, 2)


@given(st.binary(min_size=1, max_size=12), st.integers(0, 400) | st.integers(-40, -1))
def test_a_spoilt_pickle_is_an_error_or_read(tmp_path_factory, noise, place):
    folder = tmp_path_factory.mktemp("cifar")
    place %= len(WHOLE)
    content = WHOLE[:place] + noise + WHOLE[place + len(noise) :]
    (folder / "data_batch_1").write_bytes(content)
    with pytest.raises(DataError) as caught:  # of one class at best
        open_cifar(folder)
    assert str(caught.value).isprintable()


def test_a_file_too_large_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("deepneuron.data.cifar._LARGEST", 100)
    (tmp_path / "data_batch_1").write_bytes(bytes(101))
    with pytest.raises(DataError, match="101 bytes, more than any file of CIFAR"):
        open_cifar(tmp_path)


def test_folders_called_train_and_test_are_no_cifar(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    assert not has_cifar(tmp_path)
    with pytest.raises(DataError, match="no files of CIFAR"):
        open_cifar(tmp_path)
