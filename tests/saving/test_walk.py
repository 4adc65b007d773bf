"""The paths under which state is filed are Keras's."""

import h5py
import numpy as np
import pytest

import deepneuron as dn
from deepneuron.errors import SavingError
from deepneuron.saving.walk import stateful
from tests.peers import keras

# Keras's own variables, with a NumPy that is newer than they are.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


def shared(k):
    x = k.Input((4,), name="x")
    dense = k.layers.Dense(4, name="twice")
    return k.Model(x, k.layers.Add(name="sum")([dense(x), dense(dense(x))]))


def nested(k):
    inner = k.Sequential(
        [k.Input((4,)), k.layers.Dense(3), k.layers.BatchNormalization()], name="inner"
    )
    x = k.Input((4,), name="x")
    deeper = k.Model(x, k.layers.Dense(2)(inner(x)), name="deeper")
    start = k.Input((4,), name="start")
    return k.Model(start, [k.layers.Dense(1)(deeper(start)), k.layers.Dense(1)(start)])


def subclassed(k):
    class Block(k.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.stages = [k.layers.Dense(4), [k.layers.Dense(4), k.layers.Dense(4)]]
            self._last = k.layers.Dense(4)
            self.act = k.layers.ReLU()

        def call(self, x):
            first, (second, third) = self.stages
            return self.act(self._last(third(second(first(x)))))

        def build(self, input_shape):
            for layer in (self.stages[0], *self.stages[1], self._last):
                layer.build(input_shape)

    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.block = Block()
            self.heads = {"b": k.layers.Dense(2), "a": k.layers.Dense(1)}
            self._own = self.add_weight(shape=(1,), name="own", initializer="ones")

        def call(self, x):
            x = self.block(x) * self._own
            return self.heads["a"](x) + self.heads["b"](x)

    net = Net()
    net(np.ones((2, 4), np.float32))
    return net


def paths_of_keras(model, tmp_path):
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    found = {}

    def visit(name, member):
        if name.rpartition("/")[2] == "vars":
            place = name.rpartition("/")[0]
            found[place] = [member[str(i)].shape for i in range(len(member))]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


@pytest.mark.parametrize("make", [shared, nested, subclassed], ids=lambda f: f.__name__)
@pytest.mark.parametrize("optimizer", [None, "adam"])
def test_paths_as_in_keras(make, optimizer, tmp_path):
    ours, theirs = make(dn), make(keras())
    if optimizer:
        for model in (ours, theirs):
            model.compile(optimizer, "mse")
            model.optimizer.build(model.trainable_variables)
    found = {
        path: [v.shape for v in getattr(thing, "_own_variables", None) or _all(thing)]
        for path, thing in stateful(ours)
    }
    assert found == paths_of_keras(theirs, tmp_path)


def _all(thing):
    return [] if isinstance(thing, dn.Layer) else thing.variables


def test_variables_in_a_list_are_never_lost_silently(tmp_path):
    class Listed(dn.Layer):
        def build(self, input_shape):
            self.scales = [dn.Variable(np.ones(2, np.float32), name="scale")]

        def call(self, x):
            return x * self.scales[0]

    model = dn.Sequential([dn.Input((2,)), Listed()])
    model.weights[0].assign([2.0, 3.0])
    try:
        model.save_weights(tmp_path / "m.weights.h5")
    except SavingError as error:
        assert "belongs to no layer" in str(error)  # noqa: PT017 - or it saves all
        return
    model.weights[0].assign([0.0, 0.0])
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(model.weights[0].numpy(), [2, 3])
