"""The update operations: in place, without allocation, and right in every chunk."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepneuron.engine.op import Op, registry
from deepneuron.engine.workspace import Workspace, activate
from deepneuron.ops import optimizer as updates

NAMES = sorted(
    name
    for name, op in registry.items()
    if type(op).__module__ == updates.__name__ and op.pointwise
)
each = pytest.mark.parametrize("name", NAMES)


def arrays_of(op: Op, size: int, seed: int = 0) -> list[np.ndarray]:
    case = op.cases[0]
    rng = np.random.default_rng(seed)
    shapes = [(size,) if shape else () for shape in case.inputs]
    return [rng.uniform(*case.between, s).astype("float32") for s in shapes]


def as_tuple(y: Any) -> tuple[np.ndarray, ...]:
    return y if isinstance(y, tuple) else (y,)


@each
@pytest.mark.parametrize("size", [1, 7, updates.CHUNK, 2 * updates.CHUNK + 3])
def test_in_place_equals_out_of_place(name: str, size: int) -> None:
    op = registry[name]
    arrays = arrays_of(op, size)
    before = [a.copy() for a in arrays]
    attrs = {"weight_decay": 0.1} if "weight_decay" in op._attrs else {}
    expected = as_tuple(op.forward(*arrays, **attrs))
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)
    fresh = tuple(np.empty_like(y) for y in expected)
    out: Any = fresh if len(fresh) > 1 else fresh[0]
    assert op.forward(*arrays, **attrs, out=out) is not None
    own = tuple(arrays[op.inplace[k][0]] for k in range(len(expected)))
    op.forward(*arrays, **attrs, out=own if len(own) > 1 else own[0])
    for y, a, b in zip(expected, fresh, own, strict=True):
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y, a)
        np.testing.assert_array_equal(y, b)


@each
def test_nothing_is_allocated(name: str) -> None:
    op = registry[name]
    arrays = arrays_of(op, 2 * updates.CHUNK - 1)  # one thread's work
    own = tuple(arrays[op.inplace[k][0]] for k in range(len(op.inplace)))
    out: Any = own if len(own) > 1 else own[0]
    workspace = Workspace()
    activate(workspace)
    try:
        for _ in range(2):
            op.forward(*arrays, out=out)
            workspace.release()
        tracemalloc.start()
        op.forward(*arrays, out=out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        workspace.release()
        activate(None)
    assert peak < 10_000


@each
def test_transposed_gradients(name: str) -> None:
    op = registry[name]
    case = op.cases[0]
    rng = np.random.default_rng(0)
    arrays = [
        rng.uniform(*case.between, (4, 3) if shape else ()).astype("float32")
        for shape in case.inputs
    ]
    turned = [np.asfortranarray(a) for a in arrays]
    for y, z in zip(
        as_tuple(op.forward(*arrays)), as_tuple(op.forward(*turned)), strict=True
    ):
        np.testing.assert_array_equal(y, z)


def sgd(w: Any, g: Any, rate: Any, d: float) -> Any:
    return (w - d * rate * w - rate * g,)


def nesterov(w: Any, g: Any, m: Any, rate: Any, d: float) -> Any:
    m = 0.9 * m - rate * g
    return w - d * rate * w + 0.9 * m - rate * g, m


def rmsprop(w: Any, g: Any, v: Any, m: Any, rate: Any, d: float) -> Any:
    v = 0.9 * v + 0.1 * g**2
    m = 0.9 * m + rate * g / np.sqrt(v + 1e-7)
    return w - d * rate * w - m, v, m


def adam(w: Any, g: Any, m: Any, v: Any, rate: Any, step: Any, d: float) -> Any:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - d * rate * w - step * m / (np.sqrt(v) + 1e-7), m, v


FORMULAS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sgd_update": (sgd, {}),
    "momentum_update": (nesterov, {"nesterov": True}),
    "rmsprop_momentum_update": (rmsprop, {}),
    "adam_update": (adam, {}),
}


@pytest.mark.parametrize("name", FORMULAS)
@given(
    size=st.integers(0, 60),
    chunk=st.integers(1, 17),
    decay=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 2**16),
)
def test_chunks_follow_the_formula(
    name: str, size: int, chunk: int, decay: float, seed: int
) -> None:
    op = registry[name]
    formula, attrs = FORMULAS[name]
    arrays = arrays_of(op, size, seed)
    usual, updates.CHUNK = updates.CHUNK, chunk
    try:
        results = as_tuple(op.forward(*arrays, weight_decay=decay, **attrs))
    finally:
        updates.CHUNK = usual
    exact = formula(*(a.astype("float64") for a in arrays), decay)
    for y, z in zip(results, exact, strict=True):
        np.testing.assert_allclose(y, z, rtol=2e-5, atol=2e-6)


def test_the_step_size_of_adam() -> None:
    for t in (1, 2, 1000):
        rate, beta_1, beta_2 = 0.01, 0.9, 0.999
        step = updates.adam_step_size(np.int32(t - 1), np.float32(rate))
        exact = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        assert step.dtype == np.float32
        np.testing.assert_allclose(step, exact, rtol=2e-5)
