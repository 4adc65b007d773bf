import numpy as np
import pytest

import deepneuron as dn
from deepneuron.utils import PyDataset, Sequence
from tests.peers import keras


class Lines(PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.epochs = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        x = np.full((4, 2), index, np.float32)
        return x, x[:, :1]

    def on_epoch_end(self):
        self.epochs += 1


def test_yields_its_batches():
    data = Lines(workers=2)
    assert data.num_batches == 3
    assert [float(x[0, 0]) for x, _ in data] == [0, 1, 2]


def test_names_as_in_keras():
    theirs = keras().utils.PyDataset
    public = {name for name in dir(theirs(1)) if not name.startswith("_")}
    assert public <= set(dir(PyDataset()))
    assert Sequence is PyDataset


def test_without_length_it_never_ends():
    class Endless(PyDataset):
        def __getitem__(self, index):
            return index

    data = Endless()
    assert data.num_batches is None
    batches = iter(data)
    assert [next(batches) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_what_is_not_written_says_so():
    with pytest.raises(NotImplementedError, match="PyDataset has no __getitem__"):
        PyDataset()[0]
    with pytest.raises(NotImplementedError, match="PyDataset has no __len__"):
        len(PyDataset())


def test_fit_takes_it():
    data = Lines()
    model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data, epochs=2, verbose=0)
    assert data.epochs == 2
    assert int(model.optimizer.iterations.numpy()) == 6
    assert model.predict(data, verbose=0).shape == (12, 1)
