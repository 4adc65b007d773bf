"""What users are told: the layer, what it expected, what came, what to do."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers
from deepneuron.errors import DeepneuronError


def ones(*shape):
    return np.ones(shape, "float32")


def built(layer, *shape):
    layer(ones(*shape))
    return layer


def listed(layer, *shapes):
    return lambda: layer([ones(*shape) for shape in shapes])


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            lambda: built(layers.Dense(3, name="d"), 2, 4)(ones(2, 5)),
            ("'d'", "4", "(2, 5)"),
        ),
        (lambda: layers.Dense(3, name="d")(ones(4)), ("'d'", "2 axes", "(4,)")),
        (lambda: layers.Dense(0), ("units", "positive", "0")),
        (lambda: layers.Dense(2.5), ("units", "2.5")),
        (lambda: layers.Dense(3, lora_rank=4), ("lora_rank", "4")),
        (lambda: layers.Dense(3)(dn.Input((None,))), ("axis -1", "(None, None)")),
        (
            lambda: layers.Conv2D(3, 5, name="c")(ones(1, 4, 9, 1)),
            ("'c'", "kernel_size", "(5, 5)", "(4, 9)", "same"),
        ),
        (lambda: layers.Conv2D(3, 3, name="c")(ones(28, 28, 1)), ("'c'", "4 axes")),
        (
            lambda: built(layers.Conv2D(3, 3, name="c"), 1, 8, 8, 3)(ones(1, 8, 8, 1)),
            ("'c'", "3", "(1, 8, 8, 1)"),
        ),
        (lambda: layers.Conv2D(3, 3, groups=2), ("groups", "2", "3")),
        (lambda: layers.Conv2D(4, 3, groups=2)(ones(1, 8, 8, 3)), ("groups", "3")),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), ("dilation_rate",)),
        (
            lambda: layers.DepthwiseConv2D(5, name="c")(ones(1, 4, 9, 1)),
            ("'c'", "kernel_size", "(5, 5)", "(4, 9)", "same"),
        ),
        (
            lambda: built(layers.DepthwiseConv1D(3, name="c"), 1, 8, 3)(ones(1, 8, 1)),
            ("'c'", "3", "(1, 8, 1)"),
        ),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), ("depth_mult", "0")),
        (lambda: layers.DepthwiseConv1D(3, padding="causal"), ("padding", "'causal'")),
        (lambda: layers.SeparableConv2D(0, 3), ("filters", "0")),
        (lambda: layers.SeparableConv1D(4, 3, strides=(2, 2)), ("strides", "(2, 2)")),
        (lambda: layers.SeparableConv2D(2, 3, name="c")(ones(5, 5, 1)), ("4 axes",)),
        (lambda: layers.Conv2D(4, (3, 3, 3)), ("kernel_size", "(3, 3, 3)")),
        (lambda: layers.Conv2D(4, 3, padding="sam"), ("padding", "'sam'")),
        (lambda: layers.Conv2D(4, 3, data_format="last"), ("data_format", "'last'")),
        (
            lambda: layers.MaxPooling2D(3, name="p")(ones(1, 2, 2, 1)),
            ("'p'", "pool_size", "(2, 2)"),
        ),
        (
            lambda: layers.Reshape((3, 3), name="r")(ones(2, 8)),
            ("'r'", "8 values", "(3, 3)"),
        ),
        (lambda: layers.Reshape((-1, 3), name="r")(ones(2, 8)), ("'r'", "(-1, 3)")),
        (lambda: layers.Reshape((-1, -1)), ("-1",)),
        (lambda: layers.Permute((0, 1)), ("dims", "(0, 1)")),
        (
            listed(layers.Concatenate(name="k"), (2, 3, 4), (2, 5, 4)),
            ("'k'", "(2, 3, 4)"),
        ),
        (listed(layers.Concatenate(name="k"), (2, 3), (2, 3, 4)), ("'k'", "(2, 3, 4)")),
        (listed(layers.Add(name="a"), (2, 3), (2, 4)), ("'a'", "(2, 3)", "axis 1")),
        (listed(layers.Add(name="a"), (2, 3), (4, 3)), ("'a'", "axis 0")),
        (lambda: layers.Add(name="a")(ones(2, 3)), ("'a'", "list", "(2, 3)")),
        (listed(layers.Subtract(), (2, 3), (2, 3), (2, 3)), ("2 inputs", "3")),
        (listed(layers.Dot(1, name="t"), (2, 3), (2, 4)), ("'t'", "(2, 3)", "(2, 4)")),
        (lambda: layers.Embedding(0, 3), ("input_dim", "0")),
        (
            lambda: layers.Cropping2D(2, name="x")(ones(1, 4, 9, 1)),
            ("'x'", "(1, 4, 9, 1)"),
        ),
        (lambda: layers.ReLU(negative_slope=-1), ("negative_slope", "-1")),
        (lambda: layers.LeakyReLU(-1), ("negative_slope", "-1")),
        (lambda: layers.BatchNormalization(axis=5)(ones(2, 3)), ("axis 5", "(2, 3)")),
        (lambda: layers.Normalization(mean=1.0), ("mean", "variance")),
        (lambda: layers.Normalization().adapt([]), ("no batches",)),
        (lambda: layers.RandomFlip("sideways"), ("mode", "'sideways'")),
        (lambda: layers.Dense(3, activation="rellu"), ("'rellu'", "'relu'")),
        (lambda: layers.Dense(3, kernel_initializer="glorot"), ("'glorot'",)),
    ],
)
def test_the_message(action, words):
    with pytest.raises(DeepneuronError) as caught:
        action()
    assert isinstance(caught.value, (ValueError, TypeError))
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_a_lambda_is_not_saved():
    layer = layers.Lambda(lambda x: x)
    with pytest.raises(ValueError, match="named function"):
        layers.serialize(layer)


def test_a_lambda_in_a_file_is_not_run():
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    data = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "boom", "function": code},
        "registered_name": None,
    }
    with pytest.raises(ValueError, match=r"'boom'.*not safe"):
        layers.deserialize(data)
