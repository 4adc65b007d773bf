"""Replay: a run that can go back to any of its latest steps, and make it again.

Every so many steps the state is copied (a snapshot); of the steps since, it is enough
to know which samples they learned from. To make step n again, the last snapshot before
it is restored and the steps in between are repeated: they give the same bits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deepneuron.errors import ArgumentError
from deepneuron.kernels.native.executor import NativeExecutor, Snapshot


class _Stretch(NamedTuple):
    """Steps on equal footing: the state before them, and their samples in order."""

    before: Snapshot
    samples: Sequence[np.ndarray]
    order: np.ndarray


class Replay:
    """Runs steps as an executor does, and remembers how to make the latest again.

    Args:
        executor: what runs. The samples must not be changed meanwhile.
        every: steps between snapshots.
        snapshots: how many are held; the steps behind the oldest can be repeated.
    """

    def __init__(
        self, executor: NativeExecutor, every: int = 64, snapshots: int = 2
    ) -> None:
        self.executor, self.every = executor, every
        self._stretches: deque[_Stretch] = deque(maxlen=snapshots)

    def run_steps(self, samples: Sequence[np.ndarray], order: np.ndarray) -> int:
        """See `NativeExecutor.run_steps`."""
        rows, done = self.executor.plan.rows, 0
        size = self.every * rows
        for start in range(0, len(order), size):
            piece = order[start : start + size].copy()
            self._stretches.append(_Stretch(self.executor.snapshot(), samples, piece))
            made = self.executor.run_steps(samples, piece)
            done += made
            if made * rows < len(piece):
                break
        return done

    def back_to(self, step: int) -> list[np.ndarray]:
        """Restore the state before a step.

        Returns:
            The batch that the step learned from: an array for each input.

        Raises:
            ArgumentError: the step lies too far back, or has not been reached.
        """
        rows = self.executor.plan.rows
        for stretch in self._stretches:
            first = stretch.before.step
            if first <= step < first + len(stretch.order) // rows:
                self.executor.restore(stretch.before)
                until = (step - first) * rows
                if until:
                    self.executor.run_steps(stretch.samples, stretch.order[:until])
                batch = stretch.order[until : until + rows]
                return [x[batch] for x in stretch.samples]
        known = [s.before.step for s in self._stretches]
        raise ArgumentError(
            f"Step {step} cannot be made again: steps from {min(known, default=0)} to "
            f"{self.executor.step - 1} are remembered."
        )
