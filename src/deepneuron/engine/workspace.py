"""Scratch memory of operations: the same bytes step after step.

An operation that needs an array only while it computes asks `scratch(shape, dtype)`.
Inside of a plan it gets a slice of a block that belongs to the running executor, so a
step allocates nothing; outside it gets a fresh array.

>>> scratch((2, 3), "float32").shape
(2, 3)
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

_ALIGN = 64  # bytes of a cache line


class Workspace:
    """One growing block of bytes, handed out from its start by every instruction."""

    def __init__(self) -> None:
        self._block = np.empty(0, "uint8")
        self._used = self._peak = 0
        self._helpers: list[Workspace] = []
        self._slices: dict[Any, tuple[np.ndarray, int]] = {}  # of the block

    def take(self, shape: Any, dtype: Any) -> np.ndarray:
        key = self._used, tuple(shape), dtype
        known = self._slices.get(key)  # every step asks for the same
        if known is not None:
            array, self._used = known
            return array
        dtype = np.dtype(dtype)
        start, end = self._used, self._used + math.prod(shape) * dtype.itemsize
        self._used = -(-end // _ALIGN) * _ALIGN
        self._peak = max(self._peak, self._used)
        if end > len(self._block):  # only the first steps come here
            return np.empty(shape, dtype)
        array = self._block[start:end].view(dtype).reshape(shape)
        self._slices[key] = array, self._used
        return array

    def release(self) -> None:
        """The instruction is over: the next may have it all."""
        if self._peak > len(self._block):
            self._block = np.empty(self._peak, "uint8")
            self._slices.clear()
        self._used = 0

    def mark(self) -> int:
        """How much is taken; `rewind` gives back what was taken since."""
        return self._used

    def rewind(self, mark: int) -> None:
        """Give back what was taken since a mark, to be taken again."""
        if mark == 0:
            self.release()
        self._used = mark

    def helper(self, k: int) -> Workspace:
        """Memory for the k-th thread beside the one that this belongs to."""
        while len(self._helpers) <= k:
            self._helpers.append(Workspace())
        return self._helpers[k]

    def even_out(self) -> None:
        """Who did how much is chance: next time each may need what one needed now."""
        everyone = (self, *self._helpers)
        peak = max(space._peak for space in everyone)
        for space in everyone:
            space._peak = peak
        for helper in self._helpers:
            helper.release()


_active = threading.local()


def activate(workspace: Workspace | None) -> None:
    """Let `scratch` of this thread draw on a workspace, or (None) on nothing."""
    _active.workspace = workspace


def active() -> Workspace | None:
    """What `scratch` of this thread draws on."""
    return getattr(_active, "workspace", None)


def scratch(shape: Any, dtype: Any) -> np.ndarray:
    """An uninitialised array that is good until the operation returns."""
    workspace = active()
    if workspace is None:
        return np.empty(shape, dtype)
    return workspace.take(shape, dtype)
