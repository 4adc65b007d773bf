"""Kernels of losses, accuracy and embeddings against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.gradients import gradients
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, DataError
from tests.kernels.judge import ISAS, assert_native_equals_numpy, run_native

pytestmark = pytest.mark.parametrize("isa", ISAS)
SHAPES = st.one_of(
    st.tuples(st.integers(1, 9), st.integers(1, 70)),
    st.tuples(*[st.integers(1, 5)] * 2, st.integers(1, 40)),
)
LABELS = st.sampled_from(["int32", "int64"])


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def labels_of(shape, classes, dtype, seed=0):
    return np.random.default_rng(seed).integers(classes, size=shape).astype(dtype)


@settings(max_examples=15, deadline=None)
@given(SHAPES, LABELS)
def test_native_cross_entropy_with_labels_is_numpys(isa, shape, dtype):
    def f(t, z, w):
        y, p = ops.sparse_softmax_cross_entropy(t, z)
        return y, p, *gradients(ops.sum(y * w), [z])

    t = labels_of(shape[:-1], shape[-1], dtype)
    arrays = t, draw(*shape) * 5, draw(*shape[:-1], seed=1)
    for kernel in ("", "_grad"):
        name = f"sparse_softmax_cross_entropy{kernel}_{dtype}"
        assert_native_equals_numpy(f, *arrays, kernel=name, isa=isa)


@settings(max_examples=15, deadline=None)
@given(SHAPES)
def test_native_cross_entropy_with_shares_is_numpys(isa, shape):
    def f(t, z, w):
        y, p = ops.softmax_cross_entropy(t, z)
        return y, p, *gradients(ops.sum(y * w), [z])

    arrays = abs(draw(*shape)), draw(*shape, seed=2) * 5, draw(*shape[:-1], seed=1)
    for kernel in ("softmax_cross_entropy", "softmax_cross_entropy_grad"):
        assert_native_equals_numpy(f, *arrays, kernel=kernel, isa=isa)


@pytest.mark.parametrize("classes", [3, 16, 37])
def test_native_cross_entropies_have_nan_and_infinity_where_numpy_has_them(
    isa, classes
):
    z = draw(8, classes) * 200
    z[1, 0], z[2, -1], z[3, 0], z[4, -1] = np.nan, np.nan, np.inf, np.inf
    z[5, 0], z[6], z[7] = -np.inf, -np.inf, 3e38
    labels, shares = np.zeros(8, "int32"), np.eye(classes, dtype="f")[[0] * 8]
    with np.errstate(all="ignore"):
        for name, t in (
            ("sparse_softmax_cross_entropy", labels),
            ("softmax_cross_entropy", shares),
        ):
            suffix = "_int32" if t is labels else ""
            f = getattr(ops, name)
            assert_native_equals_numpy(f, t, z, kernel=name + suffix, isa=isa)


def test_probabilities_that_nobody_reads_are_not_written(isa):
    def f(t, z):
        return ops.sparse_softmax_cross_entropy(t, z)[0]

    t = labels_of((6,), 5, "int64")
    name = "sparse_softmax_cross_entropy_int64"
    assert_native_equals_numpy(f, t, draw(6, 5), kernel=name, isa=isa)


@pytest.mark.parametrize("wrong", [-1, 5, 2**31 - 1])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_a_class_that_does_not_exist_gets_numpys_sentence(isa, wrong, dtype):
    def picked(t, x):
        return gradients(ops.sum(ops.pick(t, x)), [x])[0]

    t = labels_of((6,), 5, dtype)
    t[3] = wrong
    for f in (picked, ops.sparse_softmax_cross_entropy):
        for threads in (1, 2):
            with pytest.raises(DataError, match=f"There is no class {wrong}"):
                run_native(f, t, draw(6, 5), isa=isa, threads=threads)


@settings(max_examples=15, deadline=None)
@given(SHAPES, LABELS)
def test_the_native_value_of_a_class_and_its_gradient_are_numpys(isa, shape, dtype):
    def f(t, x, w):
        y = ops.pick(t, x)
        return y, *gradients(ops.sum(y * w), [x])

    t = labels_of(shape[:-1], shape[-1], dtype)
    arrays = t, draw(*shape), draw(*shape[:-1], seed=1)
    for kernel in ("pick", "pick_grad"):
        name = f"{kernel}_{dtype}"
        assert_native_equals_numpy(f, *arrays, kernel=name, isa=isa, tolerance=0)


@settings(max_examples=15, deadline=None)
@given(SHAPES)
def test_native_cross_entropy_of_yes_or_no_is_numpys(isa, shape):
    def f(t, z, w):
        y = ops.sigmoid_cross_entropy(t, z)
        return y, *gradients(ops.sum(y * w), [z])

    t = (draw(*shape) > 0).astype("float32")
    z = draw(*shape, seed=1) * 40
    z.flat[0] = np.nan
    z.flat[-1] = -np.inf if t.flat[-1] == 0 else 90
    for kernel in ("sigmoid_cross_entropy", "sigmoid_cross_entropy_grad"):
        with np.errstate(all="ignore"):
            assert_native_equals_numpy(
                f, t, z, draw(*shape, seed=2), kernel=kernel, isa=isa
            )


@settings(max_examples=15, deadline=None)
@given(SHAPES)
def test_the_native_position_of_the_largest_value_is_numpys(isa, shape):
    x = draw(*shape).round(1)
    x.flat[0], x.flat[-1], x[len(x) // 2] = np.inf, np.nan, -np.inf
    f = lambda x: ops.argmax(x, axis=-1)  # noqa: E731 - short enough
    assert_native_equals_numpy(f, x, kernel="argmax_int32", isa=isa)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_native_code_counts_what_is_right_as_numpy_does(isa, dtype):
    def f(t, x):
        right = ops.equal(t, ops.cast(ops.argmax(x, axis=-1), dtype))
        return ops.sum(ops.cast(right, "float32"))

    x = draw(37, 4)
    t = labels_of((37,), 4, dtype)
    for kernel in (f"argmax_{dtype}", f"count_equal_{dtype}"):
        assert_native_equals_numpy(f, t, x, kernel=kernel, isa=isa)
    kernels = run_native(f, t, x, isa=isa).kernels
    assert not [name for name in kernels if name.startswith("numpy")]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 40), LABELS)
def test_native_embeddings_and_their_gradients_are_numpys(isa, n, length, width, dtype):
    table = Variable(draw(11, width), name="table")

    def f(t, w):
        y = ops.gather(table, t, axis=0)
        return y, *gradients(ops.sum(y * w), [table])

    t = labels_of((n, length), 22, dtype) - 11
    w = draw(n, length, width, seed=1)
    for kernel in ("take_rows", "add_to_rows"):
        name = f"{kernel}_{dtype}"
        assert_native_equals_numpy(f, t.astype(dtype), w, kernel=name, isa=isa)


@pytest.mark.parametrize("wrong", [-12, 11])
def test_a_position_outside_of_a_table_gets_numpys_sentence(isa, wrong):
    table = Variable(draw(11, 3), name="table")
    t = np.array([[0, 1], [wrong, 2]])
    with pytest.raises(ArgumentError, match=f"the position {wrong} lies outside"):
        run_native(lambda t: ops.take(table, t, axis=0), t, isa=isa)
