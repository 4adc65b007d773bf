"""A new operation is one edit in one file: its tests appear, and they catch mistakes.

A copy of the package gets a few lines more in `ops/arithmetic.py`: an operation, and
the same with one mistake each. The suite, as it is, then runs on what it finds there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]

CUBE = """

@op
class cube(Elementwise):
    '''y = x^3'''

    cases = (Case((2, 3)),)

    def infer(self, x, /):
        return super().infer(x)

    def forward(self, x, /, out=None):
        return np.multiply(np.square(x), x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (3 * square(x) * dy,)
"""

# name of the faulty twin: (right, wrong, the test that has to fail)
FAULTS = {
    "cube_with_a_wrong_factor": (
        "3 * square(x) * dy",
        "2 * square(x) * dy",
        "test_gradients_are_the_slopes",
    ),
    "cube_that_forgets_the_chain_rule": (
        "3 * square(x) * dy",
        "3 * square(x)",
        "test_gradients_are_the_slopes",
    ),
    "cube_without_a_second_derivative": (
        "3 * square(x) * dy",
        "3 * registry['stop_gradient'](square(x)) * dy",
        "test_second_gradients_are_the_slopes_of_the_first",
    ),
    "cube_deaf_to_out": (
        "x, out=out)",
        "x)",
        "test_forward_writes_to_out",
    ),
    "cube_that_spoils_its_input": (
        "np.square(x), x, out=out",
        "np.square(x), x, out=x",
        "test_forward_writes_to_out",
    ),
    "cube_that_reads_what_it_has_overwritten": (
        "np.multiply(np.square(x), x, out=out)",
        "np.multiply(np.square(x, out=out), x, out=out)",
        "test_an_output_may_take_the_memory_of_an_input",
    ),
    "cube_of_a_wrong_shape": (
        "super().infer(x)",
        "super().infer(x)._replace(shape=x.shape[::-1])",
        "test_infer_tells_the_shape_and_type_of_forward",
    ),
    "cube_of_a_wrong_type": (
        "super().infer(x)",
        "super().infer(x)._replace(dtype='float64')",
        "test_infer_tells_the_shape_and_type_of_forward",
    ),
    "cube_that_nobody_tests": (
        "(Case((2, 3)),)",
        "()",
        "test_every_op_brings_cases",
    ),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bool]]:
    """{op: {test: whether it passed}}, of the suite in the edited copy."""
    house = tmp_path_factory.mktemp("house")
    shutil.copytree(
        ROOT / "src" / "deepneuron",
        house / "src" / "deepneuron",
        ignore=shutil.ignore_patterns("__pycache__", "embedded"),
    )
    (house / "tests" / "conformance").mkdir(parents=True)
    for name in (
        "pyproject.toml",
        "tests/conftest.py",
        "tests/peers.py",
        "tests/conformance/test_ops.py",
        "tests/conformance/peers_of_ops.py",
    ):
        shutil.copy(ROOT / name, house / name)
    with (house / "src/deepneuron/ops/arithmetic.py").open("a", encoding="utf-8") as f:
        f.write(f"\n\nfrom deepneuron.engine.op import registry\n{CUBE}")
        for name, (right, wrong, _) in FAULTS.items():
            assert right in CUBE
            f.write(CUBE.replace(right, wrong).replace("class cube", f"class {name}"))
    report = house / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-k", "cube or brings_cases", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, "tests/conformance/test_ops.py"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, dict[str, bool]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - we had it written
        test, _, parameters = case.attrib["name"].partition("[")
        op = next((p for p in parameters.rstrip("]").split("-") if "cube" in p), "")
        tests = found.setdefault(op, {})
        passed = case.find("failure") is None and case.find("error") is None
        tests[test] = tests.get(test, True) and passed
    return found


def test_a_new_operation_has_its_tests_at_once(
    outcomes: dict[str, dict[str, bool]],
) -> None:
    tests = outcomes["cube"]
    assert len(tests) > 10
    assert "test_gradients_are_the_slopes" in tests
    assert all(tests.values()), [name for name, passed in tests.items() if not passed]


@pytest.mark.parametrize("name", FAULTS)
def test_a_mistake_in_a_rule_is_caught(
    name: str, outcomes: dict[str, dict[str, bool]]
) -> None:
    test = FAULTS[name][2]
    tests = outcomes[name] if test in outcomes["cube"] else outcomes[""]
    assert not tests[test]
