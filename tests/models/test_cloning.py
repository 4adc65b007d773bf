import numpy as np
import pytest

import deepneuron as dn
from deepneuron.errors import ArgumentError


def nested():
    x = dn.Input((6,))
    inner = dn.Sequential(
        [dn.Input((5,)), dn.layers.Dense(4, name="deep")], name="inner"
    )
    y = dn.layers.Dense(5, name="first")(x)
    y = dn.layers.Add()([inner(y), inner(y)])
    return dn.Model(x, dn.layers.Dense(2, name="last")(y))


def sequential():
    return dn.Sequential([dn.Input((6,)), dn.layers.Dense(3), dn.layers.Dense(2)])


@pytest.mark.parametrize("make", [nested, sequential])
def test_a_clone_computes_the_same_with_the_same_weights_but_shares_none(make):
    model = make()
    clone = dn.models.clone_model(model)
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    assert not np.allclose(clone(x), model(x))
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(x), model(x))
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    assert [layer.name for layer in clone.layers] == [l.name for l in model.layers]


def test_clone_function_chooses_the_layers_and_recursive_reaches_those_within():
    seen = []

    def clone(layer):
        seen.append(layer.name)
        return type(layer).from_config({**layer.get_config(), "trainable": False})

    twin = dn.models.clone_model(nested(), clone_function=clone, recursive=True)
    assert "deep" in seen
    assert twin.get_layer("first").trainable is False


def test_a_clone_can_begin_with_other_tensors():
    x = dn.Input((6,), name="mine")
    twin = dn.models.clone_model(sequential(), input_tensors=x)
    assert twin.input_names == ["mine"]


def test_a_subclassed_model_cannot_be_cloned():
    class Mine(dn.Model):
        def call(self, x):
            return x

    with pytest.raises(ArgumentError, match="Sequential or functional"):
        dn.models.clone_model(Mine())
