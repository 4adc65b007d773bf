"""Every operation, on every case that it brings, on every ISA: native equals NumPy."""

import pytest

from tests.conformance.test_ops import CASES, arrays_of, attrs_of
from tests.kernels.judge import ISAS, assert_close, run_native, run_numpy

TOLERANCE = 2e-5  # of the largest magnitude: sums and functions round in another order


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("op", "case"), CASES)
def test_native_equals_forward(op, case, isa):
    arrays, attrs = arrays_of(case, dtype="float32"), attrs_of(op, case)

    def function(*tensors):
        return op(*tensors, **attrs)

    run = run_native(function, *arrays, isa=isa, threads=2, cache=1)
    assert_close(run.results, run_numpy(function, *arrays), TOLERANCE)
