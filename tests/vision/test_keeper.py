"""The best epoch, as training goes on."""

import numpy as np
import pytest

from deepneuron import Input, Sequential, layers
from deepneuron.vision.checkpoint import State
from deepneuron.vision.folder import RunFolder
from deepneuron.vision.keeper import Keeper


@pytest.fixture
def keeper(tmp_path):
    model = Sequential([Input((2,)), layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    (tmp_path / "unfinished").mkdir()
    keeper = Keeper(RunFolder(tmp_path), patience=2, state=State())
    keeper.set_model(model)
    return keeper


def end_epochs(keeper, *ends):
    """Each: (val_accuracy, val_loss); the weights are the number of the epoch."""
    for epoch, (accuracy, loss) in enumerate(ends):
        keeper.model.set_weights([np.full((2, 1), epoch, "float32")])
        logs = {"loss": 1.0, "accuracy": 0.5}
        logs |= {"val_loss": loss, "val_accuracy": accuracy}
        keeper.on_epoch_end(epoch, logs)


@pytest.mark.parametrize(
    ("ends", "best"),
    [
        ([(0.5, 1.0), (0.7, 1.0), (0.6, 1.0)], 1),
        ([(0.5, 1.0), (0.7, 1.0), (0.7, 1.5)], 2),  # of equals the last
        ([(0.5, 1.0), (0.5, np.nan)], 0),  # right by chance, and spoilt
        ([(0.5, 1.0), (0.6, np.inf), (0.5, 2.0)], 2),
        ([(0.5, np.nan)], 0),  # there is no other
    ],
)
def test_the_best_epoch_is_the_most_accurate_with_a_finite_loss(keeper, ends, best):
    end_epochs(keeper, *ends)
    assert keeper.best_epoch == best
    assert (keeper.state.best_weights[0] == best).all()


def test_training_ends_when_no_epoch_was_as_good_for_long_enough(keeper):
    end_epochs(keeper, (0.9, 1.0), (0.8, 1.0))
    assert not keeper.is_over
    keeper.on_epoch_end(
        2, {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.8}
    )
    assert keeper.is_over
    assert keeper.model.stop_training
