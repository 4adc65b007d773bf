"""Values that change their places natively are NumPy's, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepneuron import ops
from deepneuron.engine.registry import registry
from deepneuron.kernels.native.memory import CACHE
from tests.kernels.judge import ISAS, run_native, run_numpy


def _same(function, *arrays, **options):
    run = run_native(function, *arrays, **options)
    assert "arrange" in run.kernels
    assert not any(kernel.startswith("numpy.") for kernel in run.kernels)
    for x, y in zip(run.results, run_numpy(function, *arrays), strict=True):
        np.testing.assert_array_equal(x, y)


def _numbers(shape, dtype="float32"):
    x = np.arange(1, np.prod(shape) + 1).reshape(shape) % 251
    return x.astype(dtype)


WAYS = st.fixed_dictionaries(
    {
        "isa": st.sampled_from(ISAS),
        "threads": st.sampled_from([1, 2]),
        "cache": st.sampled_from([1, CACHE]),
    }
)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(1, 19), min_size=2, max_size=4).map(tuple),
    dtype=st.sampled_from(["float32", "int64", "bool", "uint8"]),
    order=st.permutations(range(4)),
    way=WAYS,
)
def test_transposes_of_any_axes_are_numpys(shape, dtype, order, way):
    axes = tuple(a for a in order if a < len(shape))
    x = _numbers(shape, dtype)
    _same(lambda x: registry["transpose"](x, axes=axes), x, **way)


def test_large_transposes_are_shared_among_threads():
    x = _numbers((300, 70, 9))
    for axes in ((1, 0, 2), (2, 1, 0), (0, 2, 1)):
        _same(lambda x, axes=axes: ops.transpose(x, axes), x, threads=2)


_SLICES = st.builds(
    slice,
    st.none() | st.integers(-3, 3),
    st.none() | st.integers(4, 9),
    st.none() | st.sampled_from([1, 2, -1, -3]),
)


@settings(max_examples=80, deadline=None)
@given(
    key=st.lists(_SLICES | st.integers(-4, 3) | st.none(), min_size=1, max_size=3).map(
        tuple
    ),
    all_rows=st.booleans(),
    way=WAYS,
)
def test_parts_are_cut_out_and_put_back_as_numpy_does(key, all_rows, way):
    key = (slice(None), *key[:2]) if all_rows else key
    if sum(k is not None for k in key) > 3:
        return
    x = _numbers((6, 4, 5))
    part = np.array(x[key])
    if part.size == 0:
        return
    _same(lambda x: registry["getitem"](x, key=key), x, **way)

    def put_back(part, x):
        zeros = registry["setitem_zeros"](part, shape=(6, 4, 5), key=key)
        return zeros, registry["setitem"](x, part, key=key)

    if part.ndim:
        _same(put_back, part, x, **way)


def test_one_value_is_cut_out_as_well():
    x = _numbers((3, 4))
    for key in ((1, 2), (2, -1, None), (..., 0, 0)):
        _same(lambda x, key=key: registry["getitem"](x, key=key), x)
    _same(lambda x: registry["getitem"](x, key=-1), x[:, 0].copy())


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_arrays_are_joined_repeated_and_padded_as_numpy_does(axis, isa):
    x, z = _numbers((5, 3, 7)), -_numbers((5, 3, 7))

    def function(x, z):
        widths = ((0, 0), (2, 1), (0, 3)) if axis else ((1, 0), (0, 0), (0, 0))
        return (
            ops.concatenate([x, z, x], axis),
            ops.stack([z, x], axis),
            ops.repeat(x, 3, axis),
            ops.tile(x, [1, 2, 3] if axis else [2, 1, 1]),
            ops.pad(x, widths, constant_values=-0.5),
            ops.roll(z, 2, axis),
            ops.flip(x, axis),
        )

    for threads in (1, 2):
        _same(function, x, z, isa=isa, threads=threads, cache=1)


def test_more_parts_than_the_kernel_walks_through_are_left_to_numpy():
    x = _numbers((2, 3))
    run = run_native(lambda x: ops.concatenate([x] * 40, 1), x)
    np.testing.assert_array_equal(run.results[0], np.concatenate([x] * 40, 1))
    assert run.kernels[-1] == "numpy.concatenate_all"
