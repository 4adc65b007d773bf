"""A network with a layer of the user's own: trained, and used, by the command line."""

import sys

import pytest

from deepneuron.saving import get_custom_objects

MODULE = """
from deepneuron import Input, Sequential, layers, ops

class Halved(layers.Layer):
    def call(self, inputs):
        return ops.multiply(inputs, 0.5)

def make(input_shape, classes):
    return Sequential([
        Input(input_shape), layers.Rescaling(1 / 255), Halved(), layers.Flatten(),
        layers.Dense(classes, activation="softmax"),
    ])
"""


@pytest.fixture
def anew(deepneuron, few, tmp_path, monkeypatch):
    """The command line, where `my_networks` is neither imported nor registered yet."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_networks.py").write_text(MODULE, encoding="utf-8")

    def forget():
        sys.modules.pop("my_networks", None)
        for name in ("Halved", "make"):
            get_custom_objects().pop(name, None)

    def call(*arguments):
        forget()
        return deepneuron(*arguments)

    yield call
    forget()


def test_a_layer_of_yours_is_known_where_its_module_is_named(anew):
    own = ("--model", "my_networks:make", "--epochs", "1", "-q")
    assert anew("train", "digits", *own, "--out", "run")[0] == 0
    code, _, errors = anew("evaluate", "run", "digits", "-q")
    assert code == 2
    assert "Halved" in errors
    known = ("--import", "my_networks")
    assert anew("evaluate", "run", "digits", "-q", *known)[0] == 0
    code, shown, _ = anew("export", "run", "--out", "run.onnx", *known)
    assert code == 0
    assert "run.onnx" in shown
    tuned = ("--model", "run/model.keras", "--epochs", "2", "-q", "--out", "tuned")
    assert anew("train", "digits", *tuned, *known)[0] == 0


def test_a_module_that_is_not_there_is_one_sentence(anew):
    code, shown, errors = anew("evaluate", "x", "digits", "--import", "nothing")
    assert (code, shown) == (2, "")
    assert errors.startswith("Error: There is no module 'nothing', neither in ")
    assert errors.endswith("for --import nothing.\n")
