"""Threads: every part once, errors arrive, and results do not depend on them."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import layers, ops
from deepneuron.engine import threads
from deepneuron.engine.threads import set_thread_count, share, thread_count
from deepneuron.engine.workspace import Workspace, activate, scratch
from deepneuron.errors import ArgumentError
from deepneuron.ops import pieces


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    dn.config.set_kernels("numpy")  # others have threads of their own
    set_thread_count(4)
    yield
    set_thread_count(None)
    dn.config.set_kernels(None)


@given(st.integers(0, 40), st.integers(1, 5))
@settings(deadline=None)
def test_every_part_is_worked_on_once(parts: int, count: int) -> None:
    set_thread_count(count)
    seen = np.zeros(parts, int)

    def work(k: int) -> None:
        seen[k] += 1

    share(work, range(parts))
    assert seen.tolist() == [1] * parts


def test_parts_are_worked_on_side_by_side() -> None:
    both = threading.Barrier(2, timeout=60)  # passed by two at once only
    share(lambda _: both.wait(), range(2))


def test_an_error_of_a_part_arrives_and_the_next_job_runs() -> None:
    for bad in (0, 7, 19):

        def work(k: int, bad: int = bad) -> None:
            if k == bad:
                raise ValueError(f"part {k}")

        with pytest.raises(ValueError, match=f"part {bad}"):
            share(work, range(20))
    done: list[int] = []
    share(done.append, range(3))
    assert sorted(done) == [0, 1, 2]


def test_a_job_within_a_part_stays_on_its_thread() -> None:
    seen: dict[int, set[int]] = {}

    def work(k: int) -> None:
        inner: set[int] = set()
        share(lambda _: inner.add(threading.get_ident()), range(4))
        seen[k] = inner | {threading.get_ident()}

    def outer(k: int) -> None:
        work(k)

    thread_of_helper = threading.Barrier(2, timeout=60)

    def both(k: int) -> None:
        thread_of_helper.wait()
        outer(k)

    share(both, range(2))
    helpers = [s for s in seen.values() if threading.get_ident() not in s]
    assert helpers
    assert all(len(s) == 1 for s in helpers)


def test_scratch_memory_of_parts_at_work_never_overlaps() -> None:
    space = Workspace()
    activate(space)
    try:
        before = scratch((64,), "float32")
        before[...] = 5
        for _ in range(3):

            def work(k: int) -> None:
                mine = scratch((50_000,), "int64")
                mine[...] = k
                mine += 1
                assert (mine == k + 1).all()

            share(work, range(40))
            assert (before == 5).all()
        space.release()
        blocks = [space._block, *(h._block for h in space._helpers)]
        assert max(b.size for b in blocks) < 2 * 50_000 * 8 + 1024
    finally:
        activate(None)


def test_numpys_warnings_are_as_the_caller_wants_them() -> None:
    both = threading.Barrier(2, timeout=60)

    def work(_: int) -> None:
        both.wait()
        np.log(np.zeros(3))

    with np.errstate(all="ignore"):
        share(work, range(2))


def test_blas_keeps_to_one_thread_meanwhile_and_is_set_back() -> None:
    from threadpoolctl import threadpool_info, threadpool_limits

    def counts() -> list[int]:
        return [i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        outside, inside = counts(), []
        share(lambda _: inside.append(counts()), range(1))
        assert set(inside[0]) == {1}
        assert counts() == outside


@pytest.mark.parametrize("value", ["0", "two", "-1", "1.5"])
def test_a_wrong_number_of_threads_is_told(monkeypatch: Any, value: str) -> None:
    monkeypatch.setenv("DEEPNEURON_THREADS", value)
    set_thread_count(None)
    with pytest.raises(ArgumentError, match="DEEPNEURON_THREADS"):
        thread_count()
    with pytest.raises(ArgumentError, match="received 0"):
        set_thread_count(0)


def test_the_environment_says_how_many_threads(monkeypatch: Any) -> None:
    monkeypatch.setenv("DEEPNEURON_THREADS", "3")
    set_thread_count(None)
    assert thread_count() == 3


def _after_a_fork(results: Any) -> None:
    done: list[int] = []
    share(done.append, range(8))
    results.put(sorted(done))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking with threads
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # JAX's, where it was imported
def test_a_forked_process_has_threads_of_its_own() -> None:
    share(lambda _: None, range(8))
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_after_a_fork, args=(results,))
    child.start()
    assert results.get(timeout=60) == list(range(8))
    child.join(60)
    assert child.exitcode == 0


# --- results


def weights_after_training(count: int, **how: Any) -> list[np.ndarray]:
    set_thread_count(count)
    dn.utils.set_random_seed(3)
    model = dn.Sequential(
        [
            layers.Input((20, 20, 2)),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.AveragePooling2D(2),
            layers.Conv2D(8, 2, strides=2, groups=2),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(4),
        ]
    )
    loss = dn.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss=loss, **how)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 20, 20, 2)).astype("float32")
    model.fit(x, rng.integers(0, 4, 200), batch_size=100, epochs=2, verbose=0)
    return model.get_weights()


def test_weights_do_not_depend_on_the_number_of_threads() -> None:
    one = weights_after_training(1)
    for count in (2, 3, 5):
        for a, b in zip(one, weights_after_training(count), strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(one, weights_after_training(4, run_eagerly=True), strict=True):
        np.testing.assert_array_equal(a, b)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.booleans())
@settings(deadline=None, max_examples=30)
def test_products_and_sums_do_not_depend_on_it_either(m, n, k, turned) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(m, k)), rng.normal(size=(n, k) if turned else (k, n))
    found = []
    for count in (1, 2, 4):
        set_thread_count(count)
        y = ops.gemm(a, b, tb=turned)
        found.append((y, ops.sum_to(a, shape=(k,))))
    np.testing.assert_allclose(found[0][0], a @ (b.T if turned else b), atol=1e-9)
    np.testing.assert_allclose(found[0][1], a.sum(0), atol=1e-10)
    for y, s in found[1:]:
        np.testing.assert_array_equal(y, found[0][0])
        np.testing.assert_array_equal(s, found[0][1])


def test_a_slice_of_a_variable_is_updated_as_the_whole() -> None:
    rng = np.random.default_rng(0)
    size = (3, 100_000)
    arrays = [rng.uniform(0.1, 1, size).astype("float32") for _ in range(4)]
    apart = [np.stack([a, a], axis=-1)[..., 0] for a in arrays]  # with gaps: whole
    numbers = np.float32(0.1), np.float32(0.2)
    whole = ops.adam_update(*apart, *numbers, weight_decay=0.1)
    for count in (1, 2, 5):
        set_thread_count(count)
        sliced = ops.adam_update(*arrays, *numbers, weight_decay=0.1)
        for a, b in zip(whole, sliced, strict=True):
            assert a.shape == size
            np.testing.assert_array_equal(a, b)
    whole = ops.sgd_update(*apart[:2], numbers[0])
    np.testing.assert_array_equal(whole, ops.sgd_update(*arrays[:2], numbers[0]))


@pytest.mark.parametrize("shape", [(), (130,), (128, 130), (128, 1), (1, 128, 130)])
def test_what_all_rows_share_is_added_to_each_of_them(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, b = rng.normal(size=(17, 128, 130)), rng.normal(size=shape)
    assert x.size > pieces.LARGE
    for turned in (x, x.swapaxes(1, 2).copy().swapaxes(1, 2)):
        y = ops.add.forward(turned, b, out=np.empty_like(turned))
        np.testing.assert_array_equal(y, x + b)
    np.testing.assert_array_equal(
        ops.relu.forward(x, out=np.empty_like(x)), np.maximum(x, 0)
    )


def test_one_pool_serves_many_callers() -> None:
    wrong: list[Any] = []

    def call(k: int) -> None:
        for _ in range(20):
            done: list[int] = []
            share(done.append, range(10))
            if sorted(done) != list(range(10)):
                wrong.append((k, done))

    callers = [threading.Thread(target=call, args=(k,)) for k in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert not wrong
    assert threads._one_blas_thread._within == 0
