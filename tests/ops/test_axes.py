"""An axis that does not exist is an error, in every operation that takes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepneuron import ops
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ShapeError

INDICES = np.zeros((1, 1), "int32")
OPERATIONS: dict[str, Callable[[Any, int], Any]] = {
    "argmax": ops.argmax,
    "concatenate": lambda x, axis: ops.concatenate([x, x], axis),
    "cumsum": ops.cumsum,
    "flip": ops.flip,
    "moveaxis": lambda x, axis: ops.moveaxis(x, axis, 0),
    "repeat": lambda x, axis: ops.repeat(x, 2, axis),
    "roll": lambda x, axis: ops.roll(x, 1, axis),
    "split": lambda x, axis: ops.split(x, 1, axis),
    "squeeze": ops.squeeze,
    "sum": ops.sum,
    "swapaxes": lambda x, axis: ops.swapaxes(x, 0, axis),
    "take": lambda x, axis: ops.take(x, [0], axis),
    "take_along_axis": lambda x, axis: ops.take_along_axis(x, INDICES, axis),
    "unstack": lambda x, axis: ops.unstack(x, axis=axis),
}
each = pytest.mark.parametrize("name", OPERATIONS)


@each
@pytest.mark.parametrize("axis", [2, -3, 7])
def test_an_axis_that_does_not_exist_is_an_error(name: str, axis: int) -> None:
    for x in (np.ones((1, 1), "float32"), Tensor((1, 1))):
        with pytest.raises(ShapeError, match=f"axis {axis} "):
            OPERATIONS[name](x, axis)


@each
def test_an_axis_of_a_number_is_an_error(name: str) -> None:
    axis = 1 if name == "repeat" else 0  # a number can be repeated, as in NumPy
    with pytest.raises(ShapeError):
        OPERATIONS[name](np.float32(1), axis)


@pytest.mark.parametrize("axis", [3, -4])
def test_a_new_axis_has_its_place_among_the_others(axis: int) -> None:
    for x in (np.ones((2, 2), "float32"), Tensor((2, 2))):
        with pytest.raises(ShapeError):
            ops.expand_dims(x, axis)
    with pytest.raises(ShapeError):
        ops.stack([Tensor((2, 2)), Tensor((2, 2))], axis)
