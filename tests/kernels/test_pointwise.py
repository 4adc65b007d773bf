"""The kernel `pointwise` and the formulas that it runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import ops
from deepneuron.engine.registry import registry
from deepneuron.kernels import native
from deepneuron.kernels.native import formula
from deepneuron.kernels.native.rules.pointwise import _formulas
from tests.kernels.judge import (
    ISAS,
    assert_close,
    assert_native_equals_numpy,
    run_native,
    run_numpy,
)

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-3, -1e-3, 40.0, -40.0, 1e30, -1e30, 1e-40]
SPECIAL += [np.inf, -np.inf, np.nan]
# Losses have kernels of their own, and formulas only where these do not fit.
OWN = [n for n in sorted(_formulas) if not n.startswith("sigmoid_cross")]
FLOATS = [n for n in OWN if n not in ("cast", "broadcast_to", "fill_like")]


def _attrs(name):
    """Attributes that an operation cannot do without."""
    cases = registry[name].cases
    return dict(cases[0].attrs) if cases else {}


def _count(name):
    return len(registry[name].cases[0].inputs)


def _alike(name, *arrays, isa, **attrs):
    """Native values are NumPy's, whatever chunks and threads there are."""

    def function(*xs):
        return registry[name](*xs, **attrs)

    assert_native_equals_numpy(function, *arrays, kernel="pointwise", isa=isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", OWN)
def test_native_equals_numpy_on_the_cases_of_every_pointwise_operation(name, isa):
    for case in registry[name].cases:
        for seed in (0, 1):
            arrays = [
                a.astype("float32") if a.dtype == "float64" else a
                for a in case.arrays(seed, "float32")
            ]
            attrs = dict(case.attrs)
            if attrs.get("dtype") == "float64":
                attrs["dtype"] = "float32"
            _alike(name, *arrays, isa=isa, **attrs)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", FLOATS)
def test_nan_and_infinity_come_out_as_in_numpy(name, isa):
    count = _count(name)
    least = 2e-7 if name == "erf" else 1e-30  # NumPy's is a difference near 0
    if name in ("gelu_grad", "exponential_unit_grad", "silu_grad", "softsign_grad"):
        values = SPECIAL[:9]  # beyond, these formulas are inf - inf or 0 * inf
    elif name in ("gelu", "sparse_plus", "moving_average", "silu"):
        values = [*SPECIAL[:12], np.nan]
    else:
        values = SPECIAL
    grid = np.meshgrid(*[np.array(values, "float32")] * min(count, 2), indexing="ij")
    x = [np.ascontiguousarray(g.reshape(-1, 1)) for g in grid]
    if name == "select":
        x.insert(0, np.isnan(x[0]))
    elif name.startswith("logical"):
        x = [v != 0 for v in x]
    elif count == 3:
        x.append(x[0][::-1].copy() if name != "moving_average" else np.float32(0.9))
    for run in (
        run_native(lambda *xs: registry[name](*xs, **_attrs(name)), *x, isa=isa),
    ):
        expected = run_numpy(lambda *xs: registry[name](*xs, **_attrs(name)), *x)
        assert "pointwise" in run.kernels
        for a, b in zip(run.results, expected, strict=True):
            if b.dtype.kind == "f":
                np.testing.assert_allclose(a, b, rtol=2e-5, atol=least)
            else:
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "int8", "uint8"])
def test_whole_numbers_wrap_and_divide_as_in_numpy(dtype, isa):
    info = np.iinfo(dtype)
    few = np.array(
        [info.min, info.min + 1, 0, 1, 2, 3, 7, info.max - 1, info.max, 5], dtype
    )
    a, b = (np.ascontiguousarray(g.reshape(-1, 1)) for g in np.meshgrid(few, few))
    if info.min < 0:
        a, b = np.concatenate([a, a]), np.concatenate([b, (-b).astype(dtype)])
    for name in ("add", "subtract", "multiply", "maximum", "minimum", "less", "equal"):
        _alike(name, a, b, isa=isa)
    for name in ("floor_divide", "mod"):
        _alike(name, a, b, isa=isa)
    for name in ("negative", "absolute", "sign", "square", "relu"):
        _alike(name, a, isa=isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("source", formula.TYPES)
def test_casts_between_all_types_are_numpys(source, isa):
    x = np.arange(100, dtype="float32").reshape(25, 4)
    if source == "float32":
        x += 0.75
    if source in ("int8", "int32", "int64"):
        x -= 50
    x = x.astype(source)
    for wanted in formula.TYPES:
        _alike("cast", x, isa=isa, dtype=wanted)


SHAPES = [
    ((5, 3), (3,)),
    ((5, 3), ()),
    ((5, 3), (5, 1)),
    ((5, 1), (1, 3)),
    ((4, 3, 5, 2), (4, 1, 5, 1)),
    ((4, 3, 5, 2), (5, 2)),
    ((4, 3, 5, 2), (4, 3, 1, 1)),
    ((2, 600), (600,)),
    ((3, 1700), (3, 1700)),
    ((3, 17, 31), (17, 1)),
    ((7,), (7,)),
    ((7,), (1,)),
    ((3, 0), (3, 1)),
    ((2, 3, 2, 3, 2, 3), (2, 3, 1, 3, 1, 1)),
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_shapes_are_broadcast(a, b, isa):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=a).astype("f"), rng.normal(size=b).astype("f")
    _alike("subtract", x, y, isa=isa)
    _alike("subtract", y, x, isa=isa)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(0, 1200),
    isa=st.sampled_from(ISAS),
    seed=st.integers(0, 99),
)
def test_a_chain_of_operations_is_numpys_for_every_size(rows, columns, isa, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns)).astype("f")
    bias = rng.normal(size=columns).astype("f")
    scale = rng.normal(size=(rows, 1)).astype("f")

    def chain(x, bias, scale):
        y = ops.relu(x + bias) * scale
        return ops.where(y > 0.5, ops.tanh(y), y - 1.0), y

    assert_native_equals_numpy(chain, x, bias, scale, kernel="pointwise", isa=isa)


@pytest.mark.parametrize("isa", ISAS)
def test_what_has_no_batch_is_shared_among_threads_with_equal_results(isa):
    kernel = dn.Variable(np.random.default_rng(0).normal(size=(300, 211)).astype("f"))
    scale = dn.Variable(np.float32(3.0))

    def decayed(x):
        return kernel * 0.01 * scale + kernel, x + 1

    x = np.ones((2, 1), "f")
    assert_native_equals_numpy(decayed, x, kernel="pointwise", isa=isa)


@pytest.mark.parametrize("isa", ISAS)
def test_a_variable_is_changed_in_place(isa):
    results = []
    for run in (run_native, run_numpy):
        v = dn.Variable(np.arange(5, dtype="f"))
        count = dn.Variable(np.array(3, "int32"))

        def step(x, v=v, count=count):
            v.assign(v * 0.5 + v)
            count.assign_add(1)
            return x * 2.0

        run(step, np.ones((2, 3), "f"), **({"isa": isa} if run is run_native else {}))
        results.append([v.numpy(), count.numpy()])
    assert_close(*results)


def test_python_and_cpp_number_steps_alike():
    header = Path(native.__file__).parent / "cpp" / "pointwise.h"
    text = header.read_text(encoding="utf-8")
    names = re.findall(r"X\((\w+)\)", text.split("enum class Step")[0])
    long = {"f32": "float32", "i32": "int32", "i64": "int64", "u32": "uint32"}
    long |= {"i8": "int8", "u8": "uint8"}
    spelt = [
        re.sub(r"^to_(\w+)$", lambda m: f"to_{long.get(m[1], m[1])}", n) for n in names
    ]
    assert tuple(spelt) == formula.STEPS


def test_a_program_that_was_written_down_reads_the_same():
    x, y = formula.Value.input(0, "float32"), formula.Value.input(1, "float32")
    values = [formula.step("select", x > y, x * 2.0, -y), x + 1.0]
    operands = [dn.engine.tensor.Tensor((4,), "float32") for _ in range(2)]
    ints, floats, _ = formula.encode(values, (4,), False, operands)
    again = formula.encode(formula.decode(ints, floats), (4,), False, operands)
    assert again[:2] == (ints, floats)


# --- fusion


@pytest.mark.parametrize("isa", ISAS)
def test_a_chain_is_one_instruction_and_what_others_read_is_kept(isa):
    rng = np.random.default_rng(0)
    x, b = rng.normal(size=(9, 37)).astype("f"), rng.normal(size=37).astype("f")

    def chain(x, b):
        t = ops.tanh(x + b) * 2.0
        y = ops.where(t > 0.0, t, ops.exp(t))
        return y - t, ops.sum(y, axis=0), t

    run = run_native(chain, x, b, isa=isa)
    assert run.kernels.count("pointwise") == 1
    assert_native_equals_numpy(chain, x, b, kernel="pointwise", isa=isa)


@pytest.mark.parametrize("isa", ISAS)
def test_counters_of_metrics_are_fused_and_written_in_place(isa):
    x = np.random.default_rng(0).normal(size=(9, 3)).astype("f")
    values = []
    for run in (run_native, run_numpy):
        total, count = dn.Variable(np.float32(2.0)), dn.Variable(np.float32(0.0))

        def step(x, total=total, count=count):
            total.assign_add(ops.sum(x) * 9.0)
            count.assign_add(9.0)
            return ops.divide_no_nan(total + 0.0, count + 0.0)

        done = run(step, x, **({"isa": isa, "threads": 2} if run is run_native else {}))
        values.append([*getattr(done, "results", done), total.numpy(), count.numpy()])
    assert_close(*values)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), isa=st.sampled_from(ISAS), threads=st.sampled_from([1, 2]))
def test_any_graph_of_elementwise_operations_is_numpys_when_fused(data, isa, threads):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    rows, columns = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 40))
    leaves = [
        rng.uniform(0.5, 1.5, size=shape).astype("f")
        for shape in ((rows, columns), (columns,), (rows, 1), ())
    ]
    two = ["add", "subtract", "multiply", "maximum", "divide"]
    one = ["tanh", "sigmoid", "absolute", "negative", "relu"]
    plan = [
        (data.draw(st.sampled_from(two + one)), data.draw(st.integers(0, 99)),
         data.draw(st.integers(0, 99)))
        for _ in range(data.draw(st.integers(1, 25)))
    ]  # fmt: skip
    shown = data.draw(st.integers(0, 24))
    start = rng.uniform(0.5, 1.5, size=(rows, columns)).astype("f")

    def make(variable):
        def function(*xs):
            values = [*xs, ops.identity_value(variable)]
            for name, i, j in plan:
                a, b = values[i % len(values)], values[j % len(values)]
                values.append(registry[name](*((a, b) if name in two else (a,))))
            variable.assign(variable * 0.5 + values[-1] * 0.0)
            return values[-1], values[len(values) * shown // 25], ops.mean(values[-1])

        return function

    native, numpy = dn.Variable(start), dn.Variable(start)
    run = run_native(make(native), *leaves, isa=isa, threads=threads)
    assert_close(run.results, run_numpy(make(numpy), *leaves), 1e-4)
    assert_close([native.numpy()], [numpy.numpy()])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("exponent", [-1, 0.5, 1, 2, 3, 4, 5])
def test_constant_exponents_are_numpys(exponent, isa):
    x = np.array([[-2.5, -0.0, 0.0, 0.3], [1e-3, 7.0, np.inf, np.nan]], "f")
    assert_native_equals_numpy(lambda x: x**exponent, x, kernel="pointwise", isa=isa)


@pytest.mark.parametrize("exponent", [1, 2, 3, 4])
def test_whole_numbers_have_whole_powers(exponent):
    x = np.array([[-3, 0], [2, 100]], "int32")
    assert_native_equals_numpy(lambda x: x**exponent, x, kernel="pointwise")
