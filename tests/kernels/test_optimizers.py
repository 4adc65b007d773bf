"""The updates of optimizers by native code, before NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
import deepneuron.ops.optimizer
from deepneuron.engine.registry import registry
from deepneuron.kernels.native.rules.optimizer import _UPDATES
from tests.kernels.judge import ISAS, assert_close, run_native, run_numpy


def _after_steps(name, arrays, attrs, run, **options):
    """The variable and its slots after three steps, written in place."""
    op = registry[name]
    kept = len(op.inplace) + 1
    variables = [dn.Variable(a.astype("f")) for a in arrays[:kept]]
    numbers = [np.float32(a) for a in arrays[kept:]]
    rate = dn.Variable(numbers[0])

    def step(x):
        outputs = op(*variables, rate, *numbers[1:], **attrs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for number, y in enumerate(outputs):
            variables[op.inplace[number][0]].assign(y)
        return x + 1

    kernels = []
    for _ in range(3):
        result = run(step, np.ones((2, 1), "f"), **options)
        kernels = getattr(result, "kernels", [])
    return [v.numpy() for v in variables], kernels


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", sorted(_UPDATES))
def test_every_update_is_numpys_in_place_and_on_all_threads(name, isa):
    for case in registry[name].cases:
        arrays = case.arrays(0, "float32")
        expected, _ = _after_steps(name, arrays, case.attrs, run_numpy)
        results = []
        for threads in (1, 2):
            found, kernels = _after_steps(
                name, arrays, case.attrs, run_native, isa=isa, threads=threads
            )
            assert name in kernels
            assert "copy" not in kernels, "it was not written in place"
            largest = max(np.max(np.abs(y)) for y in expected)  # of what was added up
            for x, y in zip(found, expected, strict=True):
                np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6 * largest)
            results.append(found)
        for one, two in zip(*results, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_the_step_size_of_adam_is_numpys(dtype, isa):
    for t in (0, 1, 9, 1000, 100_000):
        steps, rate = dn.Variable(np.array(t, dtype)), dn.Variable(np.float32(1e-3))

        def size(x, steps=steps, rate=rate):
            return registry["adam_step_size"](steps, rate), x + 1

        run = run_native(size, np.ones((2, 1), "f"), isa=isa)
        assert "adam_step_size" in run.kernels
        assert_close(run.results, run_numpy(size, np.ones((2, 1), "f")))


@pytest.mark.parametrize("isa", ISAS)
def test_nan_in_a_gradient_reaches_the_weights_as_in_numpy(isa):
    rng = np.random.default_rng(0)
    for name in sorted(_UPDATES):
        case = registry[name].cases[3]
        arrays = [a[:37] if a.ndim else a for a in case.arrays(1, "float32")]
        arrays[1][3], arrays[1][36] = np.nan, np.inf
        arrays[1][4:9] = rng.normal(size=arrays[1][4:9].shape)
        expected, _ = _after_steps(name, arrays, case.attrs, run_numpy)
        found, _ = _after_steps(name, arrays, case.attrs, run_native, isa=isa)
        for x, y in zip(found, expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=2e-5, atol=1e-6)
