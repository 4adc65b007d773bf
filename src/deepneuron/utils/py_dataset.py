"""PyDataset: batches that your own code makes, for `fit`, `evaluate`, `predict`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Batch i is `self[i]`. Subclass it, and write `__getitem__` and `__len__`.

        class Squares(PyDataset):
            def __len__(self):                          # batches in an epoch
                return 10

            def __getitem__(self, i):                   # (x, y), or with sample_weight
                x = numpy.arange(32.0) + 32 * i
                return x[:, None], x[:, None] ** 2

    Args:
        workers, use_multiprocessing, max_queue_size: accepted as in Keras; batches are
            made one by one, when they are due.
    """

    def __init__(
        self,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch of this number: (x,), (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__.")

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has; None where it never ends."""
        if type(self).__len__ is PyDataset.__len__:
            return None
        return len(self)

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__.")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch: a place to shuffle."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch."""
        number, i = self.num_batches, 0
        while number is None or i < number:
            yield self[i]
            i += 1


Sequence = PyDataset  # its name before Keras 3
