"""Running a plan: what is committed, handed out, allocated; and by several threads."""

from __future__ import annotations

import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function, capture
from deepneuron.engine.executor import Executor
from deepneuron.engine.plan import make_plan
from deepneuron.errors import DataError


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_three_variables_go_round_in_a_circle_and_grow() -> None:
    ring = [dn.Variable(np.full(3, float(i), "float32")) for i in range(3)]

    def step(x: Any) -> Any:
        old = [v + x for v in ring]
        for v, value in zip(ring, [old[1], old[2], old[0]], strict=True):
            v.assign(value)
        return ops.sum(old[0])

    function = Function(step)
    expected = np.array([0.0, 1.0, 2.0])
    for _ in range(4):
        function(np.ones(3, "float32"))
        expected = np.roll(expected + 1.0, -1)
        assert [v.numpy()[0] for v in ring] == expected.tolist()


def test_one_value_for_two_variables() -> None:
    a, b = dn.Variable([1.0, 2.0]), dn.Variable([5.0, 6.0])

    def step(x: Any) -> Any:
        total = a + x
        a.assign(total)
        b.assign(total)
        return total

    function = Function(step)
    for _ in range(2):
        total = function(np.ones(2, "float32"))
        np.testing.assert_array_equal(a.numpy(), total)
        np.testing.assert_array_equal(b.numpy(), total)
    np.testing.assert_array_equal(total, [3.0, 4.0])


def test_the_old_and_the_new_value_of_a_variable_are_both_handed_out() -> None:
    w = dn.Variable([1.0, 2.0])

    def step(x: Any) -> Any:
        old = w * 1.0
        w.assign(w - x)
        return old, w + 0.0, ops.reshape(w, (2, 1))

    old, new, column = Function(step)(np.ones(2, "float32"))
    np.testing.assert_array_equal(old, [1.0, 2.0])
    np.testing.assert_array_equal(new, [0.0, 1.0])
    np.testing.assert_array_equal(column, [[0.0], [1.0]])


def test_nothing_handed_out_is_the_plans_own_memory() -> None:
    w = dn.Variable(normal(3))

    def step(x: Any) -> Any:
        w.assign(w * 2.0)
        return x, ops.reshape(x, (3, 1)), ops.exp(x), w, np.float32(7.0)

    graph, _ = capture(
        step, normal(3), keep=lambda g: [t for n in g.nodes for t in n.outputs]
    )
    executor = Executor(make_plan(graph))
    x = normal(3)
    results = [*executor.run([x]), *executor.kept()]
    own = [executor._arena, *executor._inputs, w.array, *executor.plan.constants, x]
    assert not any(np.shares_memory(y, memory) for y in results for memory in own)
    for y in results:
        y[...] = 0.0  # does not disturb the next step
    np.testing.assert_array_equal(executor.run([x])[2], np.exp(x))


def training_step(batch: int) -> tuple[Function, list[np.ndarray]]:
    kernels = [dn.Variable(normal(32, 64) / 8), dn.Variable(normal(64, 5) / 8)]
    biases = [dn.Variable(np.zeros(64, "float32")), dn.Variable(np.zeros(5, "float32"))]

    def step(x: Any, labels: Any) -> Any:
        h = ops.gelu(x @ kernels[0] + biases[0])
        z = h @ kernels[1] + biases[1]
        each = ops.sparse_categorical_crossentropy(labels, z, from_logits=True)
        loss = ops.mean(each)
        weights = [*kernels, *biases]
        for w, g in zip(weights, dn.gradients(loss, weights), strict=True):
            w.assign(w - 0.1 * g)
        return loss

    labels = np.random.default_rng(0).integers(5, size=batch).astype("int32")
    return Function(step), [normal(batch, 32), labels]


def executor_of_training() -> tuple[Executor, list[dn.Variable]]:
    function, batch = training_step(8)
    graph, _ = capture(function.function, *batch)
    return Executor(make_plan(graph)), list(graph.commits)


def samples_and_order(steps: int) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(1)
    labels = rng.integers(5, size=30).astype("int32")
    return [normal(30, 32), labels], rng.integers(30, size=steps * 8)


def test_many_steps_are_bit_for_bit_one_after_the_other() -> None:
    (x, labels), order = samples_and_order(5)
    one, weights = executor_of_training()
    for numbers in order.reshape(5, 8):
        results = one.run([x[numbers], labels[numbers]])
    many, others = executor_of_training()
    assert many.run_steps([x, labels], order) == 5
    np.testing.assert_array_equal(many.outputs(), results)
    for v, w in zip(weights, others, strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())


def test_an_error_among_many_steps_changes_nothing_of_its_step() -> None:
    (x, labels), order = samples_and_order(3)
    order[:16] %= 29
    order[20], labels[29] = 29, 5
    good, weights = executor_of_training()
    good.run_steps([x, labels], order[:16])
    executor, others = executor_of_training()
    with pytest.raises(DataError, match="no class 5") as caught:
        executor.run_steps([x, labels], order)
    assert "in sparse_softmax_cross_entropy" in caught.value.__notes__[0]
    for v, w in zip(weights, others, strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())


def test_many_steps_hand_out_what_a_variable_was_before_the_last() -> None:
    w = dn.Variable([1.0, 2.0])

    def step(x: Any) -> Any:
        old = ops.reshape(w, (2,))
        w.assign(w + x)
        return old

    graph, _ = capture(step, np.ones(2, "float32"))
    executor = Executor(make_plan(graph))
    executor.run_steps([np.ones(4, "float32")], np.arange(4))
    np.testing.assert_array_equal(executor.outputs()[0], [2.0, 3.0])
    np.testing.assert_array_equal(w.numpy(), [3.0, 4.0])


def test_a_step_allocates_nothing_that_grows_with_the_batch() -> None:
    function, batch = training_step(4096)
    for _ in range(3):
        function(*batch)
    tracemalloc.start()
    try:
        function(*batch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The batch has 512 KB, its hidden values 1 MB; pieces of 16 KB may come and go.
    assert peak < 120_000


def test_a_step_learns() -> None:
    function, batch = training_step(64)
    losses = [float(function(*batch)) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]


def test_two_threads_run_one_function_and_each_gets_its_own_results() -> None:
    def step(x: Any) -> Any:
        y = x
        for _ in range(10):
            y = ops.softmax(ops.matmul(y, np.eye(50, dtype="float32")) * 1.5)
        return ops.gelu(y), ops.sum(y, axis=0)

    function = Function(step)
    batches = [normal(40, 50, seed=seed) for seed in range(4)]
    expected = [function(x) for x in batches]
    wrong: list[str] = []
    together = threading.Barrier(4)

    def work(k: int) -> None:
        together.wait()
        for _ in range(25):
            for y, e in zip(function(batches[k]), expected[k], strict=True):
                if not np.array_equal(y, e):
                    wrong.append(f"thread {k}")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_error_in_a_step_names_the_operation_and_the_line() -> None:
    def step(labels: Any, z: Any) -> Any:
        return ops.sparse_categorical_crossentropy(labels, z, from_logits=True)

    function = Function(step)
    z, labels = normal(2, 3), np.array([0, 2])
    first = function(labels, z)
    with pytest.raises(DataError, match="no class 3") as caught:
        function(np.array([0, 3]), z)
    assert "sparse_softmax_cross_entropy" in caught.value.__notes__[0]
    assert "test_executor.py:" in caught.value.__notes__[0]
    np.testing.assert_array_equal(function(labels, z), first)  # and it goes on


def test_a_step_that_fails_changes_no_variable() -> None:
    seen, mean = dn.Variable(0.0), dn.Variable(np.zeros(3, "float32"))

    def step(labels: Any, z: Any) -> Any:
        seen.assign_add(1.0)  # written in place, and before the labels are looked at
        mean.assign(0.9 * mean + 0.1 * ops.mean(z, axis=0))
        each = ops.sparse_categorical_crossentropy(labels, z, from_logits=True)
        return ops.sum(each) / seen

    function = Function(step)
    z = normal(2, 3)
    function(np.array([0, 2]), z)
    before = [seen.numpy(), mean.numpy()]
    with pytest.raises(DataError, match="no class 3"):
        function(np.array([0, 3]), z)
    np.testing.assert_array_equal(seen.numpy(), before[0])
    np.testing.assert_array_equal(mean.numpy(), before[1])
    function(np.array([0, 2]), z)
    assert seen.numpy() == 2.0
