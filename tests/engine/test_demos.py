"""Modules show themselves: `python -m deepneuron.engine.plan`, and its like."""

import subprocess
import sys

import pytest

SHOWN = {
    "op": ["y = x1 + x2", "operations; - has no gradient"],
    "gradients": ["d loss / d w = 4.0, d loss / d b = 2.0"],
    "plan": ["arena: ", "= gemm(input0[4, 3], kernel[3, 2])"],
}


@pytest.mark.parametrize("module", SHOWN)
def test_the_module_shows_itself(module):
    done = subprocess.run(
        [sys.executable, "-m", f"deepneuron.engine.{module}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=None,
        check=True,
    )
    for part in SHOWN[module]:
        assert part in done.stdout
    assert done.stderr == ""
