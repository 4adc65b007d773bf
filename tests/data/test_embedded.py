from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits as sklearn_digits

import deepneuron.data.embedded as module
from deepneuron.data import EMBEDDED, get_embedded, load_digits, load_fashion
from deepneuron.errors import UnknownNameError

SHAPES = {
    "digits": ((1437, 8, 8), (360, 8, 8)),
    "fashion": ((2000, 28, 28), (500, 28, 28)),
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_shapes_and_values(name):
    dataset = get_embedded(name)
    for (x, y), shape in zip(dataset.load(), SHAPES[name], strict=True):
        assert x.shape == shape
        assert y.shape == shape[:1]
        assert x.dtype == y.dtype == np.uint8
        assert x.min() == 0
        assert x.max() == dataset.peak


@pytest.mark.parametrize("name", EMBEDDED)
def test_stratified(name):
    dataset = get_embedded(name)
    (_, y_train), (_, y_test) = dataset.load()
    assert len(dataset.class_names) == 10
    train, test = np.bincount(y_train, minlength=10), np.bincount(y_test, minlength=10)
    assert len(train) == len(test) == 10
    share = len(y_test) / (len(y_test) + len(y_train))
    np.testing.assert_allclose(test, share * (train + test), atol=1)


def test_digits_are_scikit_learns():
    (x_train, y_train), (x_test, y_test) = load_digits()
    ours = np.c_[
        np.concatenate([x_train, x_test]).reshape(-1, 64), np.r_[y_train, y_test]
    ]
    theirs = np.c_[sklearn_digits().data, sklearn_digits().target]
    np.testing.assert_array_equal(sorted(ours.tolist()), sorted(theirs.tolist()))


def test_no_picture_is_in_both_parts():
    for load in (load_digits, load_fashion):
        (x_train, _), (x_test, _) = load()
        assert not {x.tobytes() for x in x_train} & {x.tobytes() for x in x_test}


def test_what_is_handed_out_is_the_callers():
    (x_train, _), _ = load_digits()
    x_train[:] = 99
    assert load_digits()[0][0].max() == 16


def test_unknown_name():
    with pytest.raises(UnknownNameError, match="'digits'"):
        get_embedded("digit")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("digits", ["CC BY 4.0", "Alpaydin", "10.24432/C50P49"]),
        ("fashion", ["The MIT License", "Zalando SE", "1708.07747"]),
    ],
)
def test_notice_lies_beside_the_data(name, words):
    folder = Path(module.__file__).parent / "embedded"
    notice = (folder / f"{name}-NOTICE.txt").read_text(encoding="utf-8")
    assert all(word in notice for word in words)
