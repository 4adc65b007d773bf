"""Scratch memory of operations: the same bytes step after step.

An operation that needs an array only while it computes asks `scratch(shape, dtype)`.
Inside of a plan it gets a slice of a block that belongs to the running executor, so a
step allocates nothing; outside it gets a fresh array.

>>> scratch((2, 3), "float32").shape
(2, 3)
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

_ALIGN = 64  # bytes of a cache line


class Workspace:
    """One growing block of bytes, handed out from its start by every instruction."""

    def __init__(self) -> None:
        self._block = np.empty(0, "uint8")
        self._used = 0

    def take(self, shape: Any, dtype: Any) -> np.ndarray:
        dtype = np.dtype(dtype)
        size = dtype.itemsize
        for n in shape:
            size *= n
        end = self._used + size
        if end > len(self._block):  # only the first steps come here
            array = np.empty(shape, dtype)
        else:
            array = self._block[self._used : end].view(dtype).reshape(shape)
        self._used = -(-end // _ALIGN) * _ALIGN
        return array

    def release(self) -> None:
        """The instruction is over: the next may have it all."""
        if self._used > len(self._block):
            self._block = np.empty(self._used, "uint8")
        self._used = 0


_active = threading.local()


def activate(workspace: Workspace | None) -> None:
    """Let `scratch` of this thread draw on a workspace, or (None) on nothing."""
    _active.workspace = workspace


def scratch(shape: Any, dtype: Any) -> np.ndarray:
    """An uninitialised array that is good until the operation returns."""
    workspace: Workspace | None = getattr(_active, "workspace", None)
    if workspace is None:
        return np.empty(shape, dtype)
    return workspace.take(shape, dtype)
