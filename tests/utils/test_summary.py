"""Ours is read beside Keras's: the same cells in the same rows."""

import re

import pytest

import deepneuron as dn
from deepneuron.errors import ArgumentError
from tests.peers import keras


def straight(k):
    return k.Sequential(
        [
            k.Input((8, 8, 1)),
            k.layers.Conv2D(4, 3, name="conv"),
            k.layers.BatchNormalization(name="norm"),
            k.layers.Flatten(name="flat"),
            k.layers.Dense(10, name="out"),
        ],
        name="m",
    )


def forked(k):
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    shared = k.layers.Dense(3, name="shared")
    both = k.layers.Concatenate(name="both")([shared(a), shared(b)])
    return k.Model([a, b], k.layers.Dense(1, name="y")(both), name="m")


def nested(k):
    inner = k.Sequential(
        [k.Input((4,)), k.layers.Dense(3, name="in1"), k.layers.Dense(2, name="in2")],
        name="inner",
    )
    x = k.Input((4,), name="x")
    return k.Model(x, k.layers.Dense(1, name="y")(inner(x)), name="m")


def frozen(k):
    model = straight(k)
    model.get_layer("conv").trainable = False
    return model


def unbuilt(k):
    return k.Sequential([k.layers.Dense(2, name="d")], name="m")


def compiled(k):
    model = straight(k)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def text(model, **kwargs):
    lines = []
    model.summary(print_fn=lines.append, line_length=120, **kwargs)
    return "\n".join(lines)


def cells(text):
    """Rows of cells, without the lines that are drawn around them."""
    return [
        [cell.strip() for cell in re.split("[│┃]", line.strip(" │┃\n"))]
        for line in text.splitlines()
        if re.search(r"\w", line)
    ]


@pytest.mark.parametrize(
    "make",
    [straight, forked, nested, frozen, unbuilt, compiled],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize(
    "options", [{}, {"show_trainable": True}, {"expand_nested": True}], ids=str
)
def test_same_cells_as_keras(make, options, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")  # else Keras cuts its table off
    ours, theirs = text(make(dn), **options), text(make(keras()), **options)
    assert cells(ours) == cells(theirs)


def test_layer_range():
    kept = text(straight(dn), layer_range=("norm", "flat"))
    assert "norm" in kept
    assert "flat" in kept
    assert "conv" not in kept
    assert "out (" not in kept


@pytest.mark.parametrize("layer_range", [("a",), "conv", (1, 2), ("conv", "nothing")])
def test_layer_range_that_does_not_fit(layer_range):
    with pytest.raises(ArgumentError, match="layer_range"):
        text(straight(dn), layer_range=layer_range)


def test_too_narrow():
    with pytest.raises(ArgumentError, match="too narrow"):
        straight(dn).summary(line_length=10, print_fn=print)


def test_piped_output_has_no_colours(capsys):
    straight(dn).summary()
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert (
        "Total params: 1,506" in printed.replace("\n", " ") or "Total params" in printed
    )


def test_subclassed_model():
    class Two(dn.Model):
        def __init__(self):
            super().__init__(name="two")
            self.a, self.b = dn.layers.Dense(3, name="a"), dn.layers.Dense(1, name="b")

        def call(self, x):
            return self.b(self.a(x))

    model = Two()
    assert "0 (unbuilt)" in text(model)
    model.build((None, 4))
    assert "Total params: 19" in text(model)
