"""The libraries that deepneuron is compared with, each imported when first asked for.

    from tests.peers import keras, torch

    def test_relu_as_in_torch():
        torch().relu(...)

PyTorch may be absent: its tests then skip, unless DEEPNEURON_REQUIRE_TORCH=1 (as in
.ci/run), which turns every such skip into a failure. Real Keras belongs to the extra
`test`; without it nothing could judge conformity, so its absence is always an error.
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType

import pytest


def torch_is_required() -> bool:
    """Whether a test that skips for want of PyTorch has failed."""
    return os.environ.get("DEEPNEURON_REQUIRE_TORCH", "") not in ("", "0")


@cache
def torch() -> ModuleType:
    """PyTorch on one thread; or skip the test."""
    if torch_is_required():
        import torch as module
    else:
        module = pytest.importorskip("torch", reason="PyTorch (torch) is not installed")
    module.set_num_threads(1)
    return module


@cache
def keras() -> ModuleType:
    """Real Keras on its JAX backend."""
    import keras as module

    backend = module.backend.backend()
    assert backend == "jax", (
        f"the judge is Keras on JAX, and this is Keras on {backend}"
    )
    return module
