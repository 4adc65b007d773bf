"""A KernelSet says which function computes an operation.

The default set answers with `Op.forward` for everything; it is also the judge of every
faster set, which answers for the operations it knows and falls back for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepneuron.engine.registry import registry


class KernelSet:
    """The NumPy kernels: `Op.forward` of every operation."""

    name = "numpy"

    def function(self, kernel: str) -> Callable[..., Any]:
        """The function `(*arrays, **attrs, out=...)` that computes a kernel."""
        return registry[kernel].forward


NUMPY = KernelSet()
