"""Every registered operation, on every one of its cases, keeps the same promises.

The suite goes through the registry: whoever adds an op adds its tests. The tables in
`peers_of_ops.py` say what the op is called in PyTorch and Keras.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import deepneuron as dn
import deepneuron.ops
from deepneuron import ops
from deepneuron.engine import graph as engine_graph
from deepneuron.engine.capture import Function, capture
from deepneuron.engine.dtypes import DTYPES
from deepneuron.engine.executor import Executor
from deepneuron.engine.op import Case, Op, registry
from deepneuron.engine.plan import make_plan
from deepneuron.engine.tensor import Tensor
from deepneuron.ops.elementwise import Elementwise
from tests.conformance.peers_of_ops import (
    KERAS,
    NOT_IN_KERAS,
    NOT_IN_TORCH,
    NOT_TORCHS_GRADIENT,
    TORCH,
)
from tests.peers import keras, torch

for _module in pkgutil.iter_modules(deepneuron.ops.__path__):
    importlib.import_module(f"deepneuron.ops.{_module.name}")

OPS = {  # not those that other tests define
    name: op
    for name, op in sorted(registry.items())
    if type(op).__module__.startswith("deepneuron.ops.")
}
CASES = [
    pytest.param(op, case, id=f"{name}-{i}")
    for name, op in OPS.items()
    for i, case in enumerate(op.cases)
]

DIFFERENTIABLE = [
    p
    for p in CASES
    if p.values[0].differentiable
    and any(x.dtype.kind == "f" for x in p.values[0].prepare(p.values[1].arrays()))
]
each = pytest.mark.parametrize(("op", "case"), CASES)
each_differentiable = pytest.mark.parametrize(("op", "case"), DIFFERENTIABLE)
each_smooth = pytest.mark.parametrize(
    ("op", "case"), [p for p in DIFFERENTIABLE if p.values[1].smooth]
)


# --- what the tests share


def arrays_of(case: Case, seed: int = 0, dtype: str = "float64") -> list[np.ndarray]:
    """The case's inputs; its floating-point ones in this type."""
    return [
        a.astype(dtype) if a.dtype.kind == "f" else a for a in case.arrays(seed, dtype)
    ]


def prepared(op: Op, case: Case, **kwargs: Any) -> list[np.ndarray]:
    """The inputs as `forward` gets them."""
    return [np.asarray(x) for x in op.prepare(list(arrays_of(case, **kwargs)))]


def attrs_of(op: Op, case: Case) -> dict[str, Any]:
    return {**op._attrs, **case.attrs}


def as_tuple(y: Any) -> tuple[Any, ...]:
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)


def run(op: Op, xs: list[np.ndarray], case: Case, **kwargs: Any) -> tuple[Any, ...]:
    with np.errstate(all="ignore"):
        return as_tuple(op.forward(*xs, **attrs_of(op, case), **kwargs))


def specs_of(op: Op, shapes: list[Any], xs: list[np.ndarray], case: Case) -> Any:
    tensors = tuple(Tensor(s, x.dtype.name) for s, x in zip(shapes, xs, strict=True))
    return engine_graph.infer(op, tensors, attrs_of(op, case))


def floats_of(xs: list[np.ndarray]) -> list[int]:
    return [i for i, x in enumerate(xs) if x.dtype.kind == "f"]


def strided(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Memory with gaps between the values, which cannot be flattened without a copy."""
    if not shape:
        return np.zeros((), dtype)
    *lead, size = shape
    return np.zeros((*lead, 2 * size + 3), dtype)[..., : 2 * size : 2]


def with_gaps(x: np.ndarray) -> np.ndarray:
    y = strided(x.shape, x.dtype)
    y[...] = x
    return y


def assert_same(actual: Any, expected: Any) -> None:
    """Bit for bit, NaN for NaN, with the same shape and type."""
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == e.dtype
        np.testing.assert_array_equal(a, e, strict=True)


def assert_near(actual: Any, expected: Any, share: float, say: str = "") -> None:
    """Within a share of the largest magnitude, and finite where expected is."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{say} {actual.shape} {expected.shape}"
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(actual, expected)
        return
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    size = np.max(np.abs(expected[finite]), initial=0.0)
    gap = np.max(np.abs(actual[finite] - expected[finite]), initial=0.0)
    assert gap <= share * max(size, 1e-30), f"{say} gap {gap:.3g}, largest {size:.3g}"


def batches(op: Op, case: Case) -> Iterator[tuple[int, ...]]:
    """Which inputs may have another first size: all of one size, or the first alone.

    Nobody is asked: where the op takes twice the size and makes outputs twice as large,
    the first axis is a batch.
    """
    xs = prepared(op, case)
    axes = [i for i, x in enumerate(xs) if x.ndim]
    size = xs[axes[0]].shape[0] if axes else 0
    alike = tuple(i for i in axes if xs[i].shape[0] == size)
    before = specs_of(op, [x.shape for x in xs], xs, case)
    if size < 2 or any(spec.shape[:1] != (size,) for spec in before):
        return
    for chosen in dict.fromkeys((alike, alike[:1])):
        twice = [np.concatenate([x, x]) if i in chosen else x for i, x in enumerate(xs)]
        wanted = [(2 * size, *spec.shape[1:]) for spec in before]
        try:
            after = specs_of(op, [x.shape for x in twice], twice, case)
            ys = run(op, twice, case)
        except Exception:  # noqa: BLE001, S112 - it says no, in whatever words
            continue
        if [s.shape for s in after] == wanted == [y.shape for y in ys]:
            yield chosen
            return


def resized(xs: list[np.ndarray], chosen: tuple[int, ...], size: Any) -> list[Any]:
    return [(size, *x.shape[1:]) if i in chosen else x.shape for i, x in enumerate(xs)]


# --- every op has cases, and every name that Keras has is compared


def test_every_op_brings_cases() -> None:
    assert not [name for name, op in OPS.items() if not op.cases]


def test_the_tables_leave_no_op_out_and_name_none_that_is_not() -> None:
    public = set(dir(keras().ops))
    theirs = {name for name in OPS if name in public} | set(KERAS)
    assert not set(KERAS) & set(NOT_IN_KERAS)
    assert not (set(KERAS) | set(NOT_IN_KERAS)) - set(OPS)
    assert not set(NOT_IN_KERAS) - theirs, "not in keras.ops at all: no reason needed"
    assert not (set(TORCH) | set(NOT_IN_TORCH)) - set(OPS)
    assert not set(TORCH) & set(NOT_IN_TORCH)
    assert not set(NOT_TORCHS_GRADIENT) - set(TORCH)
    reasons = (
        *NOT_IN_KERAS.values(),
        *NOT_IN_TORCH.values(),
    )
    assert all(len(reason) > 10 for reason in reasons)


def test_an_op_that_torch_has_under_the_same_name_is_compared_with_it() -> None:
    t = torch()
    same = {n for n in OPS if hasattr(t, n) or hasattr(t.nn.functional, n)}
    ours = {name for name in same if not compared_elsewhere(name)}
    assert len(ours) > 50
    assert not ours - set(TORCH) - set(NOT_IN_TORCH), "neither in a table nor excused"


def compared_elsewhere(name: str) -> bool:
    """Gradients with their op, updates in tests/optimizers, random numbers nowhere."""
    module = type(OPS[name]).__module__.removeprefix("deepneuron.ops.")
    return name.endswith("_grad") or module.startswith(("optimizer", "random"))


# --- shapes and types


@each
def test_infer_tells_the_shape_and_type_of_forward(op: Op, case: Case) -> None:
    for dtype in ("float64", "float32"):
        xs = prepared(op, case, dtype=dtype)
        ys = run(op, xs, case)
        specs = specs_of(op, [x.shape for x in xs], xs, case)
        assert [(y.shape, y.dtype.name) for y in ys] == list(specs)


@each
def test_infer_tells_the_shapes_of_an_unknown_batch(op: Op, case: Case) -> None:
    xs = prepared(op, case)
    known = specs_of(op, [x.shape for x in xs], xs, case)
    for chosen in batches(op, case):
        specs = specs_of(op, resized(xs, chosen, None), xs, case)
        assert specs == tuple(s._replace(shape=(None, *s.shape[1:])) for s in known)


@each
def test_an_empty_batch_is_a_batch(op: Op, case: Case) -> None:
    xs = prepared(op, case)
    for chosen in batches(op, case):
        none = [x[:0] if i in chosen else x for i, x in enumerate(xs)]
        try:
            specs = specs_of(op, [x.shape for x in none], none, case)
        except (ValueError, IndexError):  # row 1 of none: it says so before it computes
            return
        ys = run(op, none, case)
        assert [(y.shape, y.dtype.name) for y in ys] == list(specs)
        if op.differentiable and floats_of(xs):
            grads = gradients_of(op, case, none)[1]
            for i, dx in zip(floats_of(none), grads, strict=True):
                assert dx is None or dx.shape == none[i].shape


# --- where results are written


@each
@pytest.mark.parametrize("make", [np.empty, strided], ids=["contiguous", "strided"])
def test_forward_writes_to_out(op: Op, case: Case, make: Callable[..., Any]) -> None:
    for dtype in ("float32", "float64"):
        xs = prepared(op, case, dtype=dtype)
        before = [x.copy() for x in xs]
        expected = run(op, xs, case)
        outs = tuple(make(y.shape, y.dtype) for y in expected)
        for out in outs:
            out[...] = 77 if out.dtype != bool else True
        returned = run(op, xs, case, out=outs if len(outs) > 1 else outs[0])
        assert all(r is o for r, o in zip(returned, outs, strict=True))
        assert_same(outs, expected)
        assert_same(xs, before)


@each
def test_an_output_may_take_the_memory_of_an_input(op: Op, case: Case) -> None:
    for dtype, (k, positions) in itertools.product(
        ("float32", "float64"), op.inplace.items()
    ):
        xs = prepared(op, case, dtype=dtype)
        expected = run(op, xs, case)
        for p in positions:
            if (xs[p].shape, xs[p].dtype) == (expected[k].shape, expected[k].dtype):
                own = [x.copy() for x in xs]
                outs = [np.empty_like(y) for y in expected]
                outs[k] = own[p]
                run(op, own, case, out=tuple(outs) if len(outs) > 1 else outs[0])
                assert_same(outs, expected)


@each
def test_inputs_may_have_gaps(op: Op, case: Case) -> None:
    xs = prepared(op, case)
    turned = [np.array(x, order="F") for x in xs]
    for y, a, b in zip(
        run(op, xs, case),
        run(op, [with_gaps(x) for x in xs], case),
        run(op, turned, case),
        strict=True,
    ):
        assert_near(a, y, 1e-13)
        assert_near(b, y, 1e-13)


# --- planned equals eager


@each
def test_planned_equals_eager(op: Op, case: Case) -> None:
    def step(*xs: Any) -> Any:
        return as_tuple(op(*xs, **case.attrs))

    assert_planned_equals_eager(
        step, [arrays_of(case, s, "float32") for s in (0, 1, 0)]
    )


@each_differentiable
def test_planned_gradients_equal_eager_ones(op: Op, case: Case) -> None:
    first = arrays_of(case, 0, "float32")
    dys = [upstream(y) for y in run(op, prepared(op, case, dtype="float32"), case)]

    def step(*xs: Any) -> Any:
        floats = floats_of(first)

        def loss(*some: Any) -> Any:
            every = list(xs)
            for i, x in zip(floats, some, strict=True):
                every[i] = x
            return weighted(op(*every, **case.attrs), dys)

        y, grads = dn.value_and_grad(loss, [xs[i] for i in floats])
        return (y, *(g for g in grads if g is not None))

    if floats_of(first):
        inputs = [arrays_of(case, s, "float32") for s in (0, 1, 0)]
        assert_planned_equals_eager(step, inputs)


def assert_planned_equals_eager(
    step: Callable[..., Any], inputs: list[list[np.ndarray]]
) -> None:
    function = Function(step)
    every = capture(
        step,
        *inputs[0],
        keep=lambda graph: [t for node in graph.nodes for t in node.outputs],
    )[0]
    probed = Executor(make_plan(every))
    for xs in inputs:  # the last as the first: nothing may be left from the second
        expected = step(*xs)
        assert_same(function(*xs), expected)
        assert_same(probed.run(xs), expected)
        produced = dict(zip(every.keep, probed.kept(), strict=True))
        for out, e in zip(every.outputs, expected, strict=True):
            if out in produced:
                assert_same([produced[out]], [e])


# --- gradients


def upstream(y: Any) -> np.ndarray | None:
    """What arrives at an output: fixed random numbers; nothing at integers."""
    if y.dtype.kind != "f":
        return None
    return np.random.default_rng(9).normal(size=y.shape).astype(y.dtype)


def weighted(ys: Any, dys: list[Any]) -> Any:
    """<dy, y>, the loss whose gradient with respect to y is dy."""
    terms = [
        ops.sum(y * dy)
        for y, dy in zip(as_tuple(ys), dys, strict=True)
        if dy is not None
    ]
    return sum(terms[1:], terms[0])


def gradients_of(op: Op, case: Case, xs: list[np.ndarray], dys: Any = None) -> Any:
    """(floating-point inputs' positions, their gradients)"""
    dys = dys or [upstream(y) for y in run(op, xs, case)]
    positions = floats_of(xs)

    def loss(*some: Any) -> Any:
        return weighted(op(*filled(xs, positions, some), **case.attrs), dys)

    return positions, dn.value_and_grad(loss, [xs[i] for i in positions])[1]


def filled(xs: list[Any], positions: list[int], some: Any) -> list[Any]:
    every = list(xs)
    for i, x in zip(positions, some, strict=True):
        every[i] = x
    return every


def slope(f: Callable[[np.ndarray], float], x: np.ndarray, v: np.ndarray) -> float:
    """df/dv at x, by central differences over two steps, extrapolated to none."""

    def difference(h: float) -> float:
        return (f(x + h * v) - f(x - h * v)) / (2 * h)

    h = 2e-4
    return (4 * difference(h / 2) - difference(h)) / 3


def assert_slopes(
    f: Callable[..., float], xs: list[np.ndarray], grads: list[Any], say: str
) -> None:
    """Each gradient against finite differences of f, along a random direction."""
    rng = np.random.default_rng(5)
    for i, (x, dx) in enumerate(zip(xs, grads, strict=True)):
        v = np.asarray(rng.normal(size=x.shape))

        def along(moved: np.ndarray, i: int = i) -> float:
            return f(*xs[:i], moved, *xs[i + 1 :])

        expected = slope(along, x, v)
        actual = np.zeros_like(x) if dx is None else np.asarray(dx)
        assert (actual.shape, actual.dtype) == (x.shape, x.dtype)
        norms = np.linalg.norm(actual) * np.linalg.norm(v)
        gap = abs(float(np.sum(actual * v)) - expected)
        assert gap <= 1e-6 * max(norms, 1e-3), (
            f"{say}, input {i}: {gap:.3g} {norms:.3g}"
        )


@each_smooth
def test_gradients_are_the_slopes(op: Op, case: Case) -> None:
    xs = prepared(op, case)
    dys = [upstream(y) for y in run(op, xs, case)]
    positions, grads = gradients_of(op, case, xs, dys)

    def loss(*some: Any) -> float:
        ys = run(op, filled(xs, positions, some), case)
        return sum(
            float(np.sum(y * dy))
            for y, dy in zip(ys, dys, strict=True)
            if dy is not None
        )

    assert_slopes(loss, [xs[i] for i in positions], grads, op.name)


@each_smooth
def test_second_gradients_are_the_slopes_of_the_first(op: Op, case: Case) -> None:
    xs = prepared(op, case)
    dys = [upstream(y) for y in run(op, xs, case)]
    arriving = [dy for dy in dys if dy is not None]
    positions = floats_of(xs)
    rng = np.random.default_rng(6)
    vs = [np.asarray(rng.normal(size=xs[i].shape)) for i in positions]

    def swept(*some: Any) -> Any:
        """<v, dx>, a function of x and of dy."""
        x, dy = some[: len(positions)], iter(some[len(positions) :])
        given = [None if d is None else next(dy) for d in dys]

        def loss(*x: Any) -> Any:
            return weighted(op(*filled(xs, positions, x), **case.attrs), given)

        grads = dn.value_and_grad(loss, list(x))[1]
        terms = [
            ops.sum(g * v) for g, v in zip(grads, vs, strict=True) if g is not None
        ]
        return sum(terms[1:], terms[0]) if terms else 0.0

    points = [*(xs[i] for i in positions), *arriving]
    grads = dn.value_and_grad(swept, points)[1]
    assert_slopes(lambda *p: float(swept(*p)), points, grads, op.name)


@pytest.mark.parametrize(
    ("op", "case"), [p for p in CASES if not p.values[0].differentiable]
)
def test_what_is_not_differentiable_lets_no_gradient_through(
    op: Op, case: Case
) -> None:
    xs = prepared(op, case)
    if not floats_of(xs) or not any(y.dtype.kind == "f" for y in run(op, xs, case)):
        return  # there is nothing that a gradient could come from, or arrive at
    assert all(dx is None for dx in gradients_of(op, case, xs)[1])


@each
def test_float32_is_float64_rounded(op: Op, case: Case) -> None:
    low = arrays_of(case, dtype="float32")
    high = [x.astype("float64") if x.dtype == np.float32 else x for x in low]
    if not floats_of(high):
        return  # integers have no precision to lose
    low, high = ([np.asarray(x) for x in op.prepare(xs)] for xs in (low, high))
    for y, z in zip(run(op, low, case), run(op, high, case), strict=True):
        assert_near(y, z, 1e-5)
    if op.differentiable:
        dys = [upstream(y) for y in run(op, low, case)]
        wide = [dy if dy is None else dy.astype("float64") for dy in dys]
        _, some = gradients_of(op, case, low, dys)
        for i, (g, w) in enumerate(
            zip(some, gradients_of(op, case, high, wide)[1], strict=True)
        ):
            assert (g is None) == (w is None)
            if g is not None:
                assert_near(g, w, 1e-5, f"gradient {i}")


# --- the judges


@pytest.mark.parametrize(
    ("op", "case"), [p for p in CASES if p.values[0].name in TORCH]
)
@pytest.mark.parametrize(("dtype", "share"), [("float64", 1e-10), ("float32", 1e-5)])
def test_torch_computes_the_same_values_and_gradients(
    op: Op, case: Case, dtype: str, share: float
) -> None:
    t = torch()
    xs = prepared(op, case, dtype=dtype)
    ys = run(op, xs, case)
    theirs = [t.from_numpy(x.copy()) for x in xs]
    positions = floats_of(xs)
    graded = op.differentiable and op.name not in NOT_TORCHS_GRADIENT
    for i in positions:
        theirs[i].requires_grad_(graded)
    results = as_tuple(TORCH[op.name](t, *theirs, **attrs_of(op, case)))
    for y, z in zip(ys, results, strict=True):
        if z is not None:
            assert_near(y, z.detach().numpy().astype(y.dtype), share)
    dys = [upstream(y) for y in ys]
    if not graded or not positions or all(dy is None for dy in dys):
        return
    _, grads = gradients_of(op, case, xs, dys)
    loss = sum(
        (z * t.from_numpy(np.asarray(dy))).sum()
        for z, dy in zip(results, dys, strict=True)
        if dy is not None and z is not None and z.requires_grad
    )
    expected = t.autograd.grad(loss, [theirs[i] for i in positions], allow_unused=True)
    for i, (g, e) in enumerate(zip(grads, expected, strict=True)):
        zero = np.zeros_like(xs[positions[i]])
        theirs_ = zero if e is None else e.numpy()
        assert_near(zero if g is None else g, theirs_, share, f"gradient {i}")


def _in_keras(op: Op) -> bool:
    named = op.name in KERAS or op.name in dir(keras().ops)
    return named and op.name not in NOT_IN_KERAS


@pytest.mark.parametrize(("op", "case"), [p for p in CASES if _in_keras(p.values[0])])
def test_keras_computes_the_same_values(op: Op, case: Case) -> None:
    xs = arrays_of(case, dtype="float32")
    xs = [x.astype("int32") if x.dtype == np.int64 else x for x in xs]
    # JAX has no 64 bits unless it is told so.
    attrs = {
        k: narrow(v) if k == "dtype" and v else v for k, v in attrs_of(op, case).items()
    }
    ys = as_tuple(op(*xs, **attrs))
    peer = KERAS.get(op.name) or getattr(keras().ops, op.name)
    theirs = as_tuple(peer(*xs, **attrs))
    assert len(ys) == len(theirs)
    for y, z in zip(ys, map(np.asarray, theirs), strict=True):
        assert narrow(y.dtype.name) == z.dtype.name
        assert_near(y, z.astype(y.dtype), 1e-5)


# JAX works without 64-bit types unless it is told otherwise; then it would promote
# differently everywhere. So types of 64 bits are left to tests/engine/test_dtypes.py,
# and where two types join in one of 64 bits (uint32 and int8), JAX cuts it to 32.
NARROW = [d for d in DTYPES if not d.endswith("64")]
# Keras makes a float32 array of the Python number before it looks at types here.
EARLY = [(name, {"float16", "float"}) for name in ("arctan2", "logaddexp")]


def narrow(dtype: str) -> str:
    return dtype.replace("int64", "int32").replace("float64", "float32")


def _pointwise_ops(arity: int) -> list[str]:
    return [
        name
        for name, op in OPS.items()
        if isinstance(op, Elementwise) and len(op._arrays) == arity and _in_keras(op)
        and not any("dtype" in a for a in op._attrs)
    ]  # fmt: skip


def _dtype_of_keras(name: str, values: list[Any]) -> str:
    """The type that Keras's function has, without computing anything."""
    import jax

    peer = KERAS.get(name) or getattr(keras().ops, name)
    arrays = [v for v in values if isinstance(v, np.ndarray)]

    def traced(*xs: Any) -> Any:
        left = iter(xs)
        return peer(*(next(left) if isinstance(v, np.ndarray) else v for v in values))

    return jax.eval_shape(traced, *arrays).dtype.name


def _error_or(function: Callable[[], str]) -> str:
    try:
        return function()
    except (TypeError, ValueError):
        return "an error"


@pytest.mark.parametrize("name", _pointwise_ops(1))
def test_elementwise_ops_of_one_input_have_the_type_of_keras(name: str) -> None:
    op, wrong = OPS[name], {}
    for dtype in NARROW:
        x = np.ones((2,), dtype)
        ours = _error_or(lambda x=x: op(x, **op.cases[0].attrs).dtype.name)
        theirs = _error_or(lambda x=x: _dtype_of_keras(name, [x]))
        if narrow(ours) != theirs != "an error":
            wrong[dtype] = f"{ours}, in Keras {theirs}"
    assert not wrong


@pytest.mark.parametrize("name", _pointwise_ops(2))
def test_elementwise_ops_promote_as_in_keras(name: str) -> None:
    op, wrong = OPS[name], {}
    values = {d: np.ones((2,), d) for d in NARROW} | {"int": 1, "float": 1.0}
    for (a, x), (b, y) in itertools.product(values.items(), repeat=2):
        if not isinstance(x, np.ndarray) and not isinstance(y, np.ndarray):
            continue  # two Python numbers are no arrays
        ours = _error_or(lambda x=x, y=y: op(x, y).dtype.name)
        theirs = _error_or(lambda x=x, y=y: _dtype_of_keras(name, [x, y]))
        if narrow(ours) != theirs != "an error" and (name, {a, b}) not in EARLY:
            wrong[a, b] = f"{ours}, in Keras {theirs}"
    assert not wrong
