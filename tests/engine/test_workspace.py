"""Scratch memory: apart within an operation, the same bytes from step to step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.engine.workspace import Workspace, activate, scratch


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    space = Workspace()
    activate(space)
    yield space
    activate(None)


requests = st.lists(
    st.tuples(
        st.lists(st.integers(0, 7), max_size=3),
        st.sampled_from(["bool", "float16", "float32", "float64", "int64"]),
    ),
    max_size=6,
)


@given(requests)
def test_what_one_operation_asks_for_never_overlaps(wanted: Any) -> None:
    space = Workspace()
    for _ in range(3):  # the block grows after the first
        taken = [space.take(shape, dtype) for shape, dtype in wanted]
        for k, (array, (shape, dtype)) in enumerate(zip(taken, wanted, strict=True)):
            assert array.shape == tuple(shape)
            assert array.dtype == dtype
            assert array.flags.c_contiguous
            array[...] = k % 2
        for k, array in enumerate(taken):
            assert (array == k % 2).all()
            assert not any(np.shares_memory(array, other) for other in taken[:k])
        space.release()


def test_the_same_bytes_in_every_step(workspace: Workspace) -> None:
    def step() -> tuple[int, int]:
        a, b = scratch((100,), "float32"), scratch((7, 3), "float64")
        places = a.ctypes.data, b.ctypes.data
        workspace.release()
        return places

    step()
    assert step() == step() == step()


def test_a_smaller_need_does_not_shrink_it(workspace: Workspace) -> None:
    scratch((1000,), "float32")
    workspace.release()
    block = workspace._block
    scratch((10,), "float32")
    workspace.release()
    assert workspace._block is block


def test_every_thread_draws_on_its_own(workspace: Workspace) -> None:
    scratch((8,), "float32")
    workspace.release()
    elsewhere: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: elsewhere.append(scratch((8,), "float32")))
    thread.start()
    thread.join()
    assert not np.shares_memory(elsewhere[0], workspace._block)
    assert np.shares_memory(scratch((8,), "float32"), workspace._block)


def test_outside_of_a_plan_scratch_memory_is_fresh() -> None:
    assert not np.shares_memory(scratch((4,), "int8"), scratch((4,), "int8"))
