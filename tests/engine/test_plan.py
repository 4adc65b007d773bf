"""Plans of random programs do what the programs say, in memory that never clashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import capture
from deepneuron.engine.executor import Executor
from deepneuron.engine.neighbours import ALIGN, blocks, room, update_runs
from deepneuron.engine.plan import Interval, _Homes, first_fit, make_plan
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ShapeError

rng = np.random.default_rng(0)
SQUARE = rng.normal(size=(3, 3)).astype("float32")
MASK = rng.normal(size=(4, 3)) > 0

STEPS: list[Callable[[Any, Any], Any]] = [
    lambda x, y: ops.tanh(x),
    lambda x, y: ops.relu(x),
    lambda x, y: -x,
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x * x,
    ops.maximum,
    lambda x, y: ops.sigmoid(x) + ops.softsign(y),
    lambda x, y: ops.where(MASK, x, y),
    lambda x, y: ops.softmax(x),
    lambda x, y: ops.log_softmax(x, axis=0),
    lambda x, y: ops.reshape(x, (-1,)),
    lambda x, y: ops.reshape(x, (4, 3)),
    lambda x, y: ops.reshape(x, y.shape),
    lambda x, y: ops.transpose(x),
    lambda x, y: ops.sum(x, axis=0),
    lambda x, y: ops.sum(x, axis=-1, keepdims=True),
    lambda x, y: ops.mean(x),
    lambda x, y: ops.matmul(x, SQUARE),
    ops.matmul,
    lambda x, y: ops.concatenate([x, y], axis=0)[:4],
    lambda x, y: x[1:3],
]

lines = st.lists(
    st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=14,
)
assignments = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 1)), max_size=3)


class Program:
    """A straight program over two inputs and two variables, with any fan-out."""

    def __init__(self, lines: Any, assignments: Any, returned: Any) -> None:
        self.lines, self.assignments, self.returned = lines, assignments, returned

    def variables(self) -> list[dn.Variable]:
        fill = np.random.default_rng(3)
        return [dn.Variable(fill.normal(size=(4, 3)).astype("float32")) for _ in "ab"]

    def run(self, variables: list[dn.Variable], x: Any, y: Any) -> list[Any]:
        values = [x, y, *variables]
        for i, (step, a, b) in enumerate(self.lines):
            try:
                z = STEPS[step](values[a % len(values)], values[b % len(values)])
            except (ShapeError, ValueError, IndexError):
                continue  # these two do not go together
            values.append(z)
            for when, which in self.assignments:
                if when == i and tuple(z.shape) == (4, 3):
                    variables[which].assign(z)
        made = [v for v in values if not isinstance(v, dn.Variable)]
        return [made[i % len(made)] for i in self.returned]


programs = st.builds(
    Program, lines, assignments, st.lists(st.integers(0, 30), min_size=1, max_size=3)
)


def inputs(seed: int) -> list[np.ndarray]:
    fill = np.random.default_rng(seed)
    return [fill.normal(size=(4, 3)).astype("float32") for _ in "xy"]


def run_both_ways(program: Program, *, keep: bool) -> None:
    planned, eager = program.variables(), program.variables()
    graph, _ = capture(
        lambda *xs: program.run(planned, *xs),
        *inputs(0),
        keep=(lambda g: [t for n in g.nodes for t in n.outputs]) if keep else None,
    )
    executor = Executor(make_plan(graph))
    for seed in (0, 1, 0):
        expected = program.run(eager, *inputs(seed))
        results = executor.run(inputs(seed))
        for y, e in zip(results, expected, strict=True):
            np.testing.assert_array_equal(y, e, strict=True)
        for v, e in zip(planned, eager, strict=True):
            np.testing.assert_array_equal(v.numpy(), e.numpy())
        if keep:
            kept = dict(zip(graph.keep, executor.kept(), strict=True))
            for t, y in zip(graph.outputs, results, strict=True):
                np.testing.assert_array_equal(kept.get(t, y), y)


@settings(max_examples=200)
@given(programs)
def test_a_planned_program_is_the_eager_one_bit_for_bit(program: Program) -> None:
    run_both_ways(program, keep=False)


@settings(max_examples=80)
@given(programs)
def test_to_keep_every_value_changes_none(program: Program) -> None:
    run_both_ways(program, keep=True)


@settings(max_examples=80)
@given(programs)
def test_gradients_of_a_planned_program_are_the_eager_ones(program: Program) -> None:
    program.assignments = []
    variables = program.variables()

    def step(x: Any, y: Any) -> Any:
        def loss(x: Any) -> Any:
            return sum(ops.sum(ops.tanh(z)) for z in program.run(variables, x, y))

        grads = dn.value_and_grad(loss, x)[1]
        return ops.zeros_like(x) if grads is None else grads

    graph, _ = capture(step, *inputs(0))
    executor = Executor(make_plan(graph))
    for seed in (0, 1):
        (result,) = executor.run(inputs(seed))
        np.testing.assert_array_equal(result, step(*inputs(seed)), strict=True)


def assert_apart(intervals: list[Interval]) -> None:
    offsets, size = first_fit(intervals)
    spans = [
        (offsets[t], offsets[t] + room(t), i.first, i.last)
        for i in intervals
        for t in i.tensors
    ]
    for k, (start, end, first, last) in enumerate(spans):
        assert start % ALIGN == 0
        assert end <= size
        for start2, end2, first2, last2 in spans[:k]:
            alive_together = first <= last2 and first2 <= last
            assert not alive_together or end <= start2 or end2 <= start
    for interval in intervals:  # what belongs together lies side by side
        for t, following in zip(interval.tensors, interval.tensors[1:], strict=False):
            assert offsets[following] == offsets[t] + room(t)


@given(programs)
def test_values_alive_at_the_same_time_never_overlap(program: Program) -> None:
    variables = program.variables()
    graph, _ = capture(lambda *xs: program.run(variables, *xs), *inputs(0))
    homes = _Homes(graph)
    homes.share_views()
    homes.find_last_uses()
    homes.share_in_place()
    intervals = homes.intervals(list(blocks(update_runs(graph))))
    assert_apart(intervals)
    homeless = {t for i in intervals for t in i.tensors}
    for node in graph.nodes:  # every value has its memory while somebody reads it
        for y in node.outputs:
            home = homes.of(y)
            assert home in homeless or home.node is None


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 300), min_size=1, max_size=3),
            st.integers(0, 20),
            st.integers(0, 8),
        ),
        max_size=25,
    )
)
def test_first_fit_never_lets_two_living_values_overlap(drawn: Any) -> None:
    assert_apart(
        [
            Interval([Tensor((n,)) for n in sizes], first, first + length)
            for sizes, first, length in drawn
        ]
    )


def test_memory_is_used_again() -> None:
    def deep(x: Any) -> Any:
        for _ in range(20):
            x = ops.matmul(x, np.eye(64, dtype="float32"))
        return ops.sum(x)

    plan = make_plan(capture(deep, np.zeros((100, 64), "float32"))[0])
    assert plan.arena < 3 * 100 * 64 * 4


def test_an_elementwise_chain_needs_one_array() -> None:
    def chain(x: Any) -> Any:
        y = ops.exp(x)
        for _ in range(5):
            y = ops.tanh(y) + 1.0
        return y

    plan = make_plan(capture(chain, np.zeros(1000, "float32"))[0])
    assert plan.arena == room(Tensor((1000,)))


def test_a_plan_can_be_read() -> None:
    w = dn.Variable(np.ones((3, 2), "float32"), name="kernel")

    def step(x: Any) -> Any:
        w.assign(w * 0.5)
        return ops.sum(x @ w)

    text = str(make_plan(capture(step, np.zeros((4, 3), "float32"))[0]))
    assert "gemm(input0[4, 3], kernel[3, 2])" in text
    assert text.startswith("arena: ")
