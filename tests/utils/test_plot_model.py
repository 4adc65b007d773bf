import pytest

import deepneuron as dn
from deepneuron.errors import ArgumentError, NotBuiltError
from deepneuron.utils import plot_model


def model():
    x = dn.Input((4,), name="x")
    inner = dn.Sequential([dn.Input((4,)), dn.layers.Dense(4, "relu")], name="inner")
    both = dn.layers.Add()([inner(x), dn.layers.Dense(4, name="side")(x)])
    return dn.Model(x, dn.layers.Dense(1)(both))


def texts(figure):
    return [t.get_text() for t in figure.axes[0].texts if t.get_text()]


def test_a_box_for_each_layer_and_a_file(tmp_path):
    path = tmp_path / "m.png"
    figure = plot_model(model(), path, show_layer_names=True, dpi=50)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert len(texts(figure)) == 5
    arrows = [t for t in figure.axes[0].texts if not t.get_text()]
    assert len(arrows) == 5


def test_options_are_written_into_the_boxes():
    figure = plot_model(
        model(),
        None,
        show_shapes=True,
        show_dtype=True,
        show_layer_activations=True,
        show_trainable=True,
        expand_nested=True,
        rankdir="LR",
    )
    drawn = "\n".join(texts(figure))
    for word in ("(None, 4)", "float32", "relu", "learns"):
        assert word in drawn
    assert "Sequential" not in drawn


def test_what_cannot_be_drawn():
    with pytest.raises(NotBuiltError, match="before it is built"):
        plot_model(dn.Sequential([dn.layers.Dense(1)]), None)
    with pytest.raises(ArgumentError, match="rankdir"):
        plot_model(model(), None, rankdir="up")
