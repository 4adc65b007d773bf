"""Random numbers by native code are NumPy's, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepneuron as dn
import deepneuron.ops.random
from deepneuron.engine.registry import registry
from deepneuron.kernels.native.memory import CACHE
from tests.kernels.judge import ISAS, assert_close, run_native, run_numpy

KEYS = [(7, 3), (0, 0), (2**32 - 1, 2**31), (123456789, 2**32 - 1)]


def _same_bits(function, *arrays, kernel, **options):
    run = run_native(function, *arrays, **options)
    assert kernel in run.kernels
    for x, y in zip(run.results, run_numpy(function, *arrays), strict=True):
        np.testing.assert_array_equal(x, y)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 30),
    row=st.integers(0, 700),
    rate=st.sampled_from([0.0, 1e-9, 0.25, 0.5, 0.9, 1.0]),
    key=st.sampled_from(KEYS),
    isa=st.sampled_from(ISAS),
    threads=st.sampled_from([1, 2]),
    cache=st.sampled_from([1, CACHE]),
)
def test_a_dropout_mask_is_numpys_wherever_a_chunk_begins(
    rows, row, rate, key, isa, threads, cache
):
    x, key = np.zeros((rows, row), "f"), dn.Variable(np.array(key, "uint32"))
    _same_bits(
        lambda x: registry["dropout_mask"](key, x, rate=rate),
        x,
        kernel="dropout_mask",
        isa=isa,
        threads=threads,
        cache=cache,
    )


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("shape", [(-1, 1, 1), (1, 4, 1), (4, 5), (-1, 1, -1)])
def test_a_mask_of_another_shape_is_numpys(shape, isa):
    key, x = dn.Variable(np.array([7, 3], "uint32")), np.zeros((9, 4, 5), "f")
    _same_bits(
        lambda x: registry["dropout_mask"](key, x, rate=0.4, shape=shape),
        x,
        kernel="dropout_mask",
        isa=isa,
    )


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 2.0), (-0.05, 0.05), (3.0, 4e6)])
def test_uniform_numbers_are_numpys(ends, isa):
    for key in KEYS:
        state = dn.Variable(np.array(key, "uint32"))
        for shape in ((), (7,), (130, 257)):

            def draw(x, state=state, shape=shape):
                y = registry["random_uniform"](
                    state, shape=shape, low=ends[0], high=ends[1]
                )
                return y, x + 1

            x = np.ones((2, 1), "f")
            _same_bits(draw, x, kernel="random_uniform", isa=isa, threads=2)


@pytest.mark.parametrize("isa", ISAS)
def test_dropout_draws_anew_in_every_step_and_counts_on(isa):
    x = np.ones((6, 50), "f")
    states = []
    for run in (run_native, run_numpy):
        generator = dn.random.SeedGenerator(7)
        outputs = [
            run(
                lambda x, g=generator: dn.random.dropout(x, 0.5, seed=g),
                x,
                **({"isa": isa} if run is run_native else {}),
            )
            for _ in range(2)
        ]
        outputs = [getattr(o, "results", o)[0] for o in outputs]
        assert (outputs[0] != outputs[1]).any()
        states.append([*outputs, generator.state.numpy()])
    for one, two in zip(*states, strict=True):
        np.testing.assert_array_equal(one, two)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from([(1,), (7,), (2,), (4095,), (4097,), (3, 4099), (12288,)]),
    mean=st.sampled_from([0.0, 3.0]),
    stddev=st.sampled_from([1.0, 0.1]),
    key=st.sampled_from(KEYS),
    isa=st.sampled_from(ISAS),
    threads=st.sampled_from([1, 2]),
)
def test_normal_numbers_are_numpys_up_to_rounding(
    shape, mean, stddev, key, isa, threads
):
    key = dn.Variable(np.array(key, "uint32"))

    def draw(x):
        y = registry["random_normal"](key, shape=shape, mean=mean, stddev=stddev)
        return y, x + 1

    x = np.ones((2, 1), "f")
    run = run_native(draw, x, isa=isa, threads=threads)
    assert "random_normal" in run.kernels
    assert_close(run.results, run_numpy(draw, x), 1e-6)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_whole_numbers_are_numpys(dtype, isa):
    key = dn.Variable(np.array([7, 3], "uint32"))
    for shape in ((), (5,), (130, 257)):
        for low, high in ((-3, 9), (0, 2**31 - 1), (5, 6)):

            def draw(x, shape=shape, low=low, high=high):
                attrs = {"shape": shape, "low": low, "high": high, "dtype": dtype}
                return registry["random_integers"](key, **attrs), x + 1

            x = np.ones((2, 1), "f")
            _same_bits(draw, x, kernel=f"random_{dtype}", isa=isa, threads=2)
