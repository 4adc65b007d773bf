"""Joined calls touch what belongs to them, and nothing that lies between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.capture import Function
from deepneuron.engine.neighbours import ALIGN, pack, room, spans


def in_one_block(sizes: list[int], gaps: list[int]) -> list[np.ndarray]:
    block = np.zeros(
        sum(sizes) * 4 + sum(gaps) * ALIGN + (len(sizes) + 1) * ALIGN, "uint8"
    )
    start, arrays = 0, []
    for size, gap in zip(sizes, gaps, strict=True):
        arrays.append(block[start : start + 4 * size].view("float32"))
        start += -(-4 * size // ALIGN) * ALIGN + gap * ALIGN
    return arrays


@given(
    st.lists(st.tuples(st.integers(1, 70), st.integers(0, 1)), min_size=2, max_size=5)
)
def test_only_true_neighbours_become_one(drawn: Any) -> None:
    sizes, gaps = [s for s, _ in drawn], [g for _, g in drawn]
    arrays = in_one_block(sizes, gaps)
    long = spans([[a] for a in arrays])
    if any(gaps[:-1]):
        assert long is None  # somebody else's value may lie in the gap
        return
    assert long is not None
    long[0][...] = 1.0
    assert all((a == 1.0).all() for a in arrays)


def test_arrays_of_different_blocks_are_no_neighbours() -> None:
    block = np.zeros(64, "float32")
    a, b = block[:16].copy(), block[16:32].copy()
    assert spans([[a], [b]]) is None


def test_a_value_between_two_updates_stays_whole() -> None:
    # exp(a) and exp(b) have the same distance as a and b; c lies between them.
    def step(x: Any) -> Any:
        a, c, b = x + 1.0, x * 3.0, x + 2.0
        kept = ops.tanh(c) * 0.5  # c is alive as long as a and b
        y, z = ops.exp(a), ops.exp(b)
        return y, z, kept + c

    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    for y, e in zip(Function(step)(x), step(x), strict=True):
        np.testing.assert_array_equal(y, e)


def test_packing_moves_values_along_and_counts() -> None:
    variables = [dn.Variable(np.full(n, n, "float32")) for n in (3, 20, 1)]
    before = dn.Variable.moved
    pack(variables)
    assert dn.Variable.moved == before + 3
    pack(variables)  # they are neighbours already
    assert dn.Variable.moved == before + 3
    for v in variables:
        np.testing.assert_array_equal(v.numpy(), np.full(v.shape, v.shape[0]))
        assert v.array.ctypes.data % ALIGN == 0


@pytest.mark.parametrize(
    ("shape", "bytes_"), [((), 64), ((16,), 64), ((17,), 128), ((0,), 0)]
)
def test_a_value_begins_on_a_line_of_the_cache(shape: Any, bytes_: int) -> None:
    assert room(np.zeros(shape, "float32")) == bytes_
