"""Products of matrices against NumPy: every size, every epilogue, and what is fused."""

from __future__ import annotations

import ctypes
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import layers, ops
from deepneuron.engine.gradients import gradients
from deepneuron.kernels.native import _native
from tests.kernels.judge import (
    ISAS,
    Variable,
    assert_close,
    assert_native_equals_numpy,
    run_native,
    run_numpy,
)

pytestmark = pytest.mark.parametrize("isa", ISAS)
SIZES = st.one_of(st.integers(1, 20), st.integers(1, 300))
ABSENT, TEAM = (-1, 0, 0), 1


def draw(*shape, seed=0, offset=1):
    """Numbers whose first one lies `offset` floats behind a multiple of 64 bytes."""
    size = int(np.prod(shape))
    block = np.empty(size + 32, "float32")
    start = -(block.ctypes.data // 4) % 16 + offset
    x = block[start : start + size].reshape(shape)
    x[...] = np.random.default_rng(seed).standard_normal(shape)
    return x


def call(isa, kernel, operands, ints, rows, kind=TEAM, threads=1, chunk=0):
    """One instruction on arrays: (array, floats from row to row), or None."""
    arrays = [x[0] for x in operands if x is not None]
    program = _native.Program(threads, 1, rows, 64, 64, 64, len(arrays))
    places, number = [], 0
    for x in operands:
        places.append(ABSENT if x is None else (3 + number, 0, 4 * x[1]))
        number += x is not None
    program.add(isa, kernel, places, [int(i) for i in ints], [])
    program.add_region(kind, chunk, 0, 1, True)
    for i, x in enumerate(arrays):
        program.bind(i, x.__array_interface__["data"][0])
    order = np.arange(rows)
    program.run(0, 1, ctypes.addressof(ctypes.c_int64.from_buffer(order)))


def with_threads(count, function):
    before = _native.threads()
    _native.set_threads(count)
    try:
        return function()
    finally:
        _native.set_threads(before)


def expected_product(a, b, bias=None, relu=False, mask=None):
    y = a.astype("float64") @ b + (0 if bias is None else bias)
    y = np.maximum(y, 0) if relu else y
    return (y if mask is None else y * (mask > 0)).astype("float32")


@settings(max_examples=60, deadline=None)
@given(m=SIZES, n=SIZES, k=SIZES, data=st.data())
def test_gemm_is_the_product_for_any_sizes_threads_and_chunks(isa, m, n, k, data):
    tb, relu, masked, biased = (data.draw(st.booleans()) for _ in range(4))
    a, b = draw(m, k), draw(n, k, seed=1) if tb else draw(k, n, seed=1)
    bias = draw(n, seed=2) if biased else None
    mask = draw(m, n, seed=3) if masked else None

    def result(kind, threads, chunk=0):
        y = np.full((m, n), np.nan, "float32")
        call(
            isa,
            "gemm",
            [
                (a, k),
                (b, 0),
                None if bias is None else (bias, 0),
                None if mask is None else (mask, n),
                (y, n),
            ],
            [n, k, 1, tb, relu],
            m,
            kind,
            threads,
            chunk,
        )
        return y

    y = result(TEAM, 1)
    assert_close([y], [expected_product(a, b.T if tb else b, bias, relu, mask)])
    for kind, threads, chunk in ((TEAM, 2, 0), (0, 1, 1), (0, 1, 7), (0, 2, 0)):
        again = with_threads(threads, lambda: result(kind, threads, chunk))  # noqa: B023 - used at once
        np.testing.assert_array_equal(again, y)


@settings(max_examples=60, deadline=None)
@given(m=SIZES, n=SIZES, batch=SIZES, summed=st.booleans())
def test_a_product_over_the_batch_and_the_sum_are_numpys(isa, m, n, batch, summed):
    x, d = draw(batch, m), draw(batch, n, seed=1)
    results = []
    for threads in (1, 2):
        g, total = np.full((m, n), np.nan, "float32"), np.full(n, np.nan, "float32")
        operands = [(x, m), (d, n), (g, 0), (total, 0) if summed else None]
        with_threads(
            threads,
            lambda: call(
                isa,
                "gemm_over_batch",
                operands,  # noqa: B023 - used at once
                [m, n, 1, 0],
                batch,
                threads=threads,  # noqa: B023 - used at once
            ),
        )
        results.append([g, total] if summed else [g])
    expected = [x.astype("float64").T @ d, d.sum(0, dtype="float64")]
    assert_close(results[0], [y.astype("float32") for y in expected[: 1 + summed]])
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("m", "n", "k"),
    [
        (1, 1, 1),
        (1, 700, 600),
        (4, 1030, 257),
        (5, 97, 512),
        (200, 641, 513),
        (13, 48, 1),
    ],
)
@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
def test_matrices_without_batch_are_multiplied(isa, m, n, k, ta, tb):
    a, b = draw(*((k, m) if ta else (m, k))), draw(*((n, k) if tb else (k, n)), seed=1)
    y = np.full((m, n), np.nan, "float32")
    sizes = [m, n, k, ta, tb, a.shape[1], b.shape[1], n]
    call(isa, "gemm_whole", [(a, 0), (b, 0), (y, 0)], sizes, 1)
    assert_close([y], [expected_product(a.T if ta else a, b.T if tb else b)])


@pytest.mark.parametrize("units", [3, 8, 16, 40])
@pytest.mark.parametrize("tb", [False, True])
def test_nan_and_infinity_come_out_of_gemm_where_numpy_has_them(isa, units, tb):
    x, w = draw(9, 12), draw(units, 12, seed=1) if tb else draw(12, units, seed=1)
    x[0, 0], x[1, 3], x[2, 5], w[1, 1] = np.nan, np.inf, -np.inf, np.nan
    x[3] = 0
    kernel = Variable(w, name="kernel")

    def f(x):
        return ops.relu(ops.matmul(x, ops.transpose(kernel) if tb else kernel))

    assert_native_equals_numpy(f, x, kernel="gemm", isa=isa)


def test_a_mask_of_nan_counts_as_not_positive(isa):
    kernel = Variable(draw(6, 20), name="kernel")
    x, w = draw(7, 6), draw(7, 20, seed=1)
    x[0, 0], w[3, 4], w[2] = np.nan, np.inf, np.nan

    def f(x, w):
        (dx,) = gradients(ops.sum(ops.relu(x * 1.5) @ kernel * w), [x])
        return dx

    assert_native_equals_numpy(f, x, w, kernel="gemm", isa=isa)


def network(sizes):
    return [
        (
            Variable(draw(i, o, seed=i), name="kernel"),
            Variable(draw(o, seed=o), name="bias"),
        )
        for i, o in pairwise(sizes)
    ]


def step_of(weights):
    """Output, loss and all gradients of layers with relu in between."""

    def step(x, y):
        for i, (kernel, bias) in enumerate(weights):
            x = ops.add(ops.matmul(x, kernel), bias)
            x = ops.relu(x) if i < len(weights) - 1 else x
        loss = ops.mean(ops.square(x - y))
        flat = [w for pair in weights for w in pair]
        return [x, *gradients(loss, flat)]

    return step


@pytest.mark.parametrize("sizes", [(2, 8, 8, 2), (20, 33, 17, 3), (70, 300, 260, 10)])
@pytest.mark.parametrize("lead", [(9,), (5, 3), (1,), (4, 2, 3), (1, 5)])
def test_a_dense_network_forward_and_back_is_numpys(isa, sizes, lead):
    step = step_of(network(sizes))
    x, y = draw(*lead, sizes[0], seed=8), draw(*lead, sizes[-1], seed=9)
    assert_native_equals_numpy(step, x, y, kernel="gemm_over_batch", isa=isa)


def test_a_dense_step_takes_one_kernel_for_each_product(isa):
    step = step_of(network((6, 40, 5)))
    names = run_native(step, draw(8, 6), draw(8, 5, seed=1), isa=isa).kernels
    assert names.count("gemm") == 3  # two forward, one back
    assert names.count("gemm_over_batch") == 2
    assert not {"numpy.add", "numpy.relu", "numpy.relu_grad", "numpy.sum_to"} & {*names}


def test_values_that_are_wanted_are_not_fused_away(isa):
    ((kernel, bias),) = network((6, 40))

    def f(x):
        y = ops.matmul(x, kernel)
        z = ops.add(y, bias)
        return y, z, ops.relu(z)

    assert_native_equals_numpy(f, draw(8, 6), kernel="gemm", isa=isa)


def test_a_sum_of_two_batches_is_not_taken_for_a_bias(isa):
    ((kernel, _),) = network((4, 5))
    # As long as a row: (5,) would be a bias, (5, 5) is not.
    assert_native_equals_numpy(
        lambda x, y: ops.add(ops.matmul(x, kernel), y),
        draw(5, 4),
        draw(5, 5, seed=1),
        kernel="gemm",
        isa=isa,
    )


@pytest.mark.parametrize(
    "subscripts",
    [
        "btd,bsd->bts",
        "bts,bsd->btd",
        "bthd,bshd->bhts",
        "bhts,bshd->bthd",
        "btd,bte->bde",
    ],
)
def test_einsums_of_two_batches_are_products_for_each_sample(isa, subscripts):
    sizes = {"b": 4, "t": 6, "s": 7, "d": 5, "h": 3, "e": 17}
    first, second = subscripts.split("->")[0].split(",")
    a = draw(*(sizes[c] for c in first))
    b = draw(*(sizes[c] for c in second), seed=1)
    assert_native_equals_numpy(
        lambda a, b: ops.einsum(subscripts, a, b), a, b, kernel="gemm_each", isa=isa
    )


@pytest.mark.parametrize("subscripts", ["btd,dhe->bthe", "btd,ed->bte", "bd,d->b"])
def test_einsums_with_weights_are_products_of_all_rows(isa, subscripts):
    sizes = {"b": 4, "t": 6, "d": 5, "h": 3, "e": 17}
    first, second = subscripts.split("->")[0].split(",")
    w = Variable(draw(*(sizes[c] for c in second), seed=1), name="w")
    x = draw(*(sizes[c] for c in first))
    assert_native_equals_numpy(
        lambda x: ops.einsum(subscripts, x, w), x, kernel="gemm", isa=isa
    )


@pytest.mark.parametrize(
    "subscripts", ["btd,dhe->bthe", "btd,ed->bte", "bthd,bshd->bhts"]
)
def test_gradients_of_einsums_are_numpys(isa, subscripts):
    sizes = {"b": 4, "t": 6, "d": 5, "h": 3, "e": 17, "s": 7}
    left, result = subscripts.split("->")
    first, second = left.split(",")
    w = draw(*(sizes[c] for c in second), seed=1)
    x = draw(*(sizes[c] for c in first))
    dy = draw(*(sizes[c] for c in result), seed=2)
    variable = Variable(w, name="w")

    def f(x, dy):
        y = ops.einsum(subscripts, x, variable)
        return gradients(ops.sum(y * dy), [x, variable])

    def g(x, w, dy):
        return gradients(ops.sum(ops.einsum(subscripts, x, w) * dy), [x, w])

    arrays = (x, w, dy) if second[0] == "b" else (x, dy)
    function = g if second[0] == "b" else f
    expected = run_numpy(function, *arrays)
    run = run_native(function, *arrays, isa=isa)
    assert_close(run.results, expected)
    assert "numpy.einstein_sum" not in run.kernels


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((4, 3, 5), (4, 5, 6)),
        ((4, 2, 3, 5), (4, 2, 5, 6)),
        ((4, 2, 3, 5), (4, 1, 5, 6)),
        ((1, 3, 5), (1, 5, 6)),
        ((4, 1, 5), (4, 5, 1)),
        ((4, 40, 64), (4, 64, 33)),
    ],
)
def test_batches_of_matrices_are_multiplied_one_by_one(isa, a, b):
    def f(a, b):
        return ops.matmul(a, b), gradients(ops.sum(ops.matmul(a, b)), [a])

    a, b = draw(*a), draw(*b, seed=1)
    assert_native_equals_numpy(f, a, b, kernel="gemm_each", isa=isa)


def test_attention_is_numpys(isa):
    def attention(q, k, v):
        scores = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 2, 1))) / 4.0)
        return ops.matmul(scores, v)

    q, k, v = (draw(3, 7, 16, seed=i) for i in range(3))
    assert_native_equals_numpy(attention, q, k, v, kernel="gemm_each", isa=isa)


def test_products_of_samples_with_one_another_are_numpys(isa):
    def f(x):
        return ops.matmul(x, ops.transpose(x)), ops.matmul(ops.transpose(x), x)

    x = draw(9, 13)
    expected, run = run_numpy(f, x), run_native(f, x, isa=isa, threads=2)
    assert_close(run.results, expected)


def test_a_dense_layer_on_sequences_is_numpys(isa):
    layer = layers.Dense(21, activation="relu")
    layer(draw(2, 3, 10))
    x = draw(6, 3, 10)
    assert_native_equals_numpy(layer, x, kernel="gemm", isa=isa)
