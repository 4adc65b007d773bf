"""The updates of optimizers by native code, before NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import deepneuron as dn
import deepneuron.ops.optimizer
from deepneuron.engine.gradients import gradients
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


def _training_step(name, attrs, arrays, inputs, run, **options):
    """Kernels, slots and biases after two steps whose gradients are products."""
    op = registry[name]
    kept = len(op.inplace) + 1
    variables = [dn.Variable(a.astype("f")) for a in arrays[:1] + arrays[2:kept]]
    numbers = [np.float32(a) for a in arrays[kept:]]
    kernel, *slots = variables
    bias = dn.Variable(np.zeros(kernel.shape[1], "f"))

    def step(x, d):
        y = dn.ops.add(dn.ops.matmul(x, kernel), bias)
        g, db = gradients(dn.ops.sum(y * d), [kernel, bias])
        outputs = op(kernel, g, *slots, *numbers, **attrs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for variable, value in zip(variables, outputs, strict=True):
            variable.assign(value)
        bias.assign(bias - db)
        return y

    for _ in range(2):
        result = run(step, *inputs, **options)
    return [v.numpy() for v in (*variables, bias)], getattr(result, "kernels", [])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", sorted(_UPDATES))
@pytest.mark.parametrize(
    ("batch", "shape"),
    [(1, (12, 32)), (5, (41, 33)), (37, (30, 1100)), (256, (50, 70)), (130, (64, 48))],
)
def test_updates_take_their_gradient_as_it_comes_out_of_a_product(
    name, isa, batch, shape
):
    rng = np.random.default_rng(batch)
    case = registry[name].cases[2]
    arrays = [
        rng.uniform(0.1, 0.9, shape if a.ndim else ())
        for a in case.arrays(0, "float32")
    ]
    inputs = [rng.uniform(-1, 1, (batch, n)).astype("f") for n in shape]
    expected, _ = _training_step(name, case.attrs, arrays, inputs, run_numpy)
    results = []
    for threads in (1, 2):
        found, kernels = _training_step(
            name, case.attrs, arrays, inputs, run_native, isa=isa, threads=threads
        )
        assert name in kernels
        assert not {"gemm_over_batch", "copy"} & {*kernels}
        for x, y in zip(found, expected, strict=True):
            # A sign, or a small root in a quotient, may turn on a gradient's last bit.
            right = np.isclose(x, y, rtol=1e-4, atol=2e-5, equal_nan=True)
            assert right.mean() > 0.995
        results.append(found)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_gradient_that_somebody_wants_to_see_is_written():
    w, x = dn.Variable(np.ones((40, 50), "f")), np.ones((3, 40), "f")

    def step(x):
        (g,) = gradients(dn.ops.sum(dn.ops.matmul(x, w)), [w])
        w.assign(registry["sgd_update"](w, g, np.float32(0.5)))
        return x + 1, g

    run = run_native(step, x)
    assert "gemm_over_batch" in run.kernels
    np.testing.assert_array_equal(run.results[1], np.full((40, 50), 3, "f"))
    np.testing.assert_array_equal(w.numpy(), np.full((40, 50), -0.5, "f"))
