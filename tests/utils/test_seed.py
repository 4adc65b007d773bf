import random

import numpy as np
import pytest

import deepneuron as dn
from deepneuron.errors import ArgumentError
from deepneuron.utils import clear_session, set_random_seed


def draw():
    return (
        random.random(),  # noqa: S311 - no secret
        np.random.rand(),
        dn.initializers.GlorotUniform()((3, 3)).tolist(),
    )


def test_one_seed_sets_everything():
    set_random_seed(7)
    first = draw()
    assert draw() != first
    set_random_seed(7)
    assert draw() == first
    set_random_seed(8)
    assert draw() != first


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "a", None, True])
def test_seed_out_of_range(seed):
    with pytest.raises(ArgumentError, match="whole number"):
        set_random_seed(seed)


def test_clear_session_begins_names_anew():
    clear_session()
    assert [dn.layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    clear_session()
    assert dn.layers.Dense(1).name == "dense"
