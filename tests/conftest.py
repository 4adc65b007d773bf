"""What holds for every test: quiet threads, the judge's backend, no silent skips."""

from __future__ import annotations

import os
from collections.abc import Generator

# Before NumPy, JAX or Keras are imported: they read these once.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

from tests.peers import torch_is_required

# The machine may be busy with other tests, so no example has a deadline; the same
# examples in every run, so that a failure is somebody's change and not chance.
hypothesis.settings.register_profile(
    "deepneuron", deadline=None, derandomize=True, max_examples=50
)
hypothesis.settings.load_profile("deepneuron")


def _refuse_torch_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome != "skipped" or not torch_is_required():
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    if "torch" in reason:
        report.outcome = "failed"
        report.longrepr = f"DEEPNEURON_REQUIRE_TORCH is set, and this skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    report = yield
    _refuse_torch_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    report = yield
    _refuse_torch_skip(report)
    return report
