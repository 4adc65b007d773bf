"""Whatever a step computes and assigns, in whatever order: native equals eager.

In float64 every value is left to NumPy, in float32 none: both ways through the planner.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function
from tests.engine.test_programs import COMMANDS, make
from tests.kernels.judge import ISAS

from deepneuron.kernels.native.set import NativeKernels  # isort: skip - the extension

KERNELS = NativeKernels(ISAS[0], 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=300)
@given(st.lists(COMMANDS, max_size=14))
def test_any_program_does_the_same_in_native_code(dtype: str, commands: Any) -> None:
    start = [np.array(a, dtype) for a in ([0.5, -1.0, 0.25], [1.0, 0.75, -0.5])]
    eager, planned = ([dn.Variable(a) for a in start] for _ in range(2))
    # A program of float64 asks for zeros of that type; here the type is another one.
    wanted = (
        [c for c in commands if c[0] != "gradient"] if dtype == "float32" else commands
    )
    step = make(wanted, eager)
    function = Function(make(wanted, planned), kernels=lambda: KERNELS)
    near = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-12}
    for run in range(3):
        x = np.array([0.1, 0.2, 0.3], dtype) * (run + 1)
        with dn.recording():
            expected = [np.array(y) for y in step(x)]
        for y, e in zip(function(x), expected, strict=True):
            np.testing.assert_allclose(y, e, **near)
        for p, v in zip(planned, eager, strict=True):
            np.testing.assert_allclose(p.numpy(), v.numpy(), **near)


def test_two_variables_can_exchange_their_values() -> None:
    a, b = dn.Variable([1.0, 2.0]), dn.Variable([3.0, 4.0])

    def step(x: Any) -> Any:
        old = a.value
        a.assign(b.value)
        b.assign(old)
        return ops.sum(x)

    function = Function(step, kernels=lambda: KERNELS)
    for _ in range(3):
        function(np.ones(2, "float32"))
    np.testing.assert_array_equal(a.numpy(), [3.0, 4.0])
    np.testing.assert_array_equal(b.numpy(), [1.0, 2.0])


def test_a_batch_may_be_empty() -> None:
    w = dn.Variable(np.ones((3, 2), "float32"))

    def step(x: Any) -> Any:
        y = ops.relu(x @ w + 1.0)
        (g,) = dn.gradients(ops.sum(y), [w])
        return y, g

    function = Function(step, kernels=lambda: KERNELS)
    y, g = function(np.zeros((0, 3), "float32"))
    assert y.shape == (0, 2)
    np.testing.assert_array_equal(g, np.zeros((3, 2)))
