"""Whatever a step reads, computes, assigns and differentiates: planned equals eager."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function

number = st.integers(0, 7)
COMMANDS = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 1)),
    st.tuples(st.just("add"), number, number),
    st.tuples(st.just("multiply"), number, number),
    st.tuples(st.just("reshape"), number),
    st.tuples(st.just("assign"), st.integers(0, 1), number),
    st.tuples(st.just("assign_add"), st.integers(0, 1), number),
    st.tuples(st.just("gradient"), number, st.integers(0, 1)),
)


def make(commands: list[Any], variables: list[Any]) -> Any:
    """A step that does as it is told, and returns every value that it has seen."""

    def step(x: Any) -> Any:
        values = [x * 1.0, ops.tanh(x)]

        def at(i: int) -> Any:
            return values[i % len(values)]

        for name, *numbers in commands:
            i = numbers[0]
            if name == "read":
                values.append(variables[i] * 1.0)
            elif name == "add":
                values.append(at(i) + at(numbers[1]))
            elif name == "multiply":
                values.append(ops.tanh(at(i) * at(numbers[1])))
            elif name == "reshape":
                values.append(ops.reshape(ops.reshape(at(i), (3, 1)), (3,)))
            elif name == "assign":
                variables[i].assign(at(numbers[1]))
            elif name == "assign_add":
                variables[i].assign_add(at(numbers[1]))
            else:
                dw = dn.gradients(ops.sum(at(i)), variables[numbers[1]])
                values.append(ops.zeros((3,), "float64") if dw is None else dw)
        return [v + 0.0 for v in values]

    return step


@given(st.lists(COMMANDS, max_size=14))
def test_any_program_does_the_same_when_it_is_planned(commands: list[Any]) -> None:
    start = [np.array([0.5, -1.0, 0.25]), np.array([1.0, 0.75, -0.5])]
    eager, planned = ([dn.Variable(a) for a in start] for _ in range(2))
    step, function = make(commands, eager), Function(make(commands, planned))
    for run in range(3):
        x = np.array([0.1, 0.2, 0.3]) * (run + 1)
        with dn.recording():
            expected = [np.array(y) for y in step(x)]
        for y, e in zip(function(x), expected, strict=True):
            np.testing.assert_allclose(y, e, rtol=1e-12, atol=1e-300)
        for p, v in zip(planned, eager, strict=True):
            np.testing.assert_allclose(p.numpy(), v.numpy(), rtol=1e-12, atol=1e-300)
