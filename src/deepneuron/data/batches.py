"""Batches: rows of an array on disk, gathered, augmented and weighted as they are due.

    epoch e:   order = a permutation keyed by (seed, e), or the rows as they stand
    batch i:   rows order[i * size : (i + 1) * size]
            -> gathered from disk, in the order in which they lie there
            -> augmented with random numbers keyed by (seed, e, i)
            -> (x, y) or (x, y, sample_weight)

What batch i of epoch e holds depends on these numbers alone, not on what was drawn
before: a run that is resumed at epoch e sees what it would have seen.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from deepneuron.errors import ArgumentError, DataError
from deepneuron.utils.py_dataset import PyDataset

_ORDER, _AUGMENTATION = 1, 2  # what random numbers are for


class Batches(PyDataset):
    """Batch i of the present epoch is `self[i]`: (x, y) or (x, y, sample_weight).

    Call `fit(batches, shuffle=False)`: these batches come in a fresh order already, and
    fit would mix whole batches once more, with other random numbers.

    `fit` moves on to the next epoch at the end of each, before validation and before
    the callbacks' `on_epoch_end`. Going on at epoch e takes `Batches(..., epoch=e)`
    with `fit(..., initial_epoch=e)`.

    Args:
        x: pictures, (n, height, width, channels), usually uint8 and mapped into memory.
        y: labels, (n,).
        rows: which of the n belong to it, (samples,).
        batch_size: samples a batch; the last one may hold fewer.
        seed: of the order and the augmentation, from 0 to 2**64 - 1.
        shuffle: whether each epoch has an order of its own.
        augmentation: called with a batch of pictures and a NumPy Generator.
        class_weights: a factor for each label, (classes,), handed on as sample_weight.
        epoch: the one to begin with.
        prefetch: whether batch i + 1 is made in a thread while batch i is learned
            from; by default where there is an augmentation, because gathering alone
            takes less time than the thread costs. The batches are the same.

    Raises:
        ArgumentError: a number out of its range.
        DataError: x, y, rows and class_weights do not fit one another.

    >>> import numpy as np
    >>> x = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    >>> batches = Batches(x, np.arange(10) % 2, np.arange(5, 10), batch_size=2)
    >>> len(batches)
    3
    >>> pictures, labels = batches[1]
    >>> pictures.ravel(), labels
    (array([7, 8], dtype=uint8), array([1, 0]))
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        rows: np.ndarray,
        *,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        augmentation: Callable[[np.ndarray, np.random.Generator], np.ndarray]
        | None = None,
        class_weights: np.ndarray | None = None,
        epoch: int = 0,
        prefetch: bool | None = None,
    ) -> None:
        super().__init__()
        check_whole("batch_size of Batches", batch_size, 1)
        check_whole("seed of Batches", seed, 0, 2**64 - 1)
        self.x = np.asarray(x)  # of a memory map a plain view, which is faster to index
        self.y, self.rows = np.asarray(y), np.asarray(rows)
        _check_rows(self.x, self.y, self.rows)
        if class_weights is not None:
            class_weights = np.asarray(class_weights, np.float32)
            _check_weights(class_weights, self.y[self.rows])
        self.batch_size, self.seed = int(batch_size), int(seed)
        self.shuffle, self.augmentation = shuffle, augmentation
        self.class_weights = class_weights
        self.prefetch = augmentation is not None if prefetch is None else prefetch
        self._ahead: _Background | None = None
        self.set_epoch(epoch)

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Let the batches be those of this epoch, counted from 0."""
        check_whole("epoch of Batches", epoch, 0)
        self.close()
        self.epoch = int(epoch)
        self._order = self.rows
        if self.shuffle:
            self._order = self._generator(_ORDER).permutation(self.rows)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch; `fit` calls this after the last batch."""
        self.set_epoch(self.epoch + 1)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        """Batch `index` of this epoch, in arrays of its own."""
        if not 0 <= index < len(self):
            raise IndexError(
                f"There is no batch {index}; they are numbered from 0 to "
                f"{len(self) - 1}."
            )
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.index == index:
            batch = ahead.result()
        else:
            batch = self._make(index)
        if self.prefetch and index + 1 < len(self):
            self._ahead = _Background(self._make, index + 1)
        return batch

    def close(self) -> None:
        """Wait for the batch that is being made ahead, if there is one, and drop it."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.wait()

    def _make(self, index: int) -> tuple[np.ndarray, ...]:
        start = index * self.batch_size
        rows = self._order[start : start + self.batch_size]  # (batch,)
        # Neighbours on disk are read one after the other, then put in their places.
        by_place = np.argsort(rows, kind="stable")
        x = np.empty((len(rows), *self.x.shape[1:]), self.x.dtype)
        x[by_place] = self.x[rows[by_place]]
        if self.augmentation is not None:
            x = self.augmentation(x, self._generator(_AUGMENTATION, index))
        y = self.y[rows]
        if self.class_weights is None:
            return x, y
        return x, y, self.class_weights[y]

    def _generator(self, purpose: int, index: int = 0) -> np.random.Generator:
        """Random numbers for one purpose in this epoch, the same in every run."""
        # Drawing counts up the counter's first word; the others keep streams apart.
        key = np.array([self.seed, self.epoch], np.uint64)
        counter = np.array([0, 0, purpose, index], np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=counter))


class _Background:
    """`function(index)`, computed in a thread that ends with it.

    A thread for each batch leaves nothing to stop when a loop over the batches is
    abandoned; to start one takes a twentieth of a millisecond.
    """

    def __init__(self, function: Callable[[int], Any], index: int) -> None:
        self.function, self.index = function, index
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"batch {index}", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self.function(self.index)
        except BaseException as error:  # noqa: BLE001 - raised where it is asked for
            self._error = error

    def wait(self) -> None:
        self._thread.join()

    def result(self) -> Any:
        """What the function returned, or raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._result


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Refuse what is no whole number, or one that is too small or too large.

    >>> check_whole("epochs", 0, least=1)
    Traceback (most recent call last):
        ...
    deepneuron.errors.ArgumentError: epochs must be a whole number, 1 or more; received
    0.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        allowed = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ArgumentError(
            f"{name} must be a whole number, {allowed}; received {value!r}."
        )


def _check_rows(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> None:
    if y.ndim != 1 or len(x) != len(y):
        raise DataError(
            "Batches takes one label for each picture; x has shape "
            f"{x.shape} and y {y.shape}."
        )
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise DataError(
            "rows of Batches must be whole numbers in one dimension; received an array "
            f"of {rows.dtype} with shape {rows.shape}."
        )
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(x):
        raise DataError(
            f"rows of Batches must lie between 0 and {len(x) - 1}, where x has "
            f"pictures; received {rows.min()} to {rows.max()}."
        )


def _check_weights(class_weights: np.ndarray, y: np.ndarray) -> None:
    most = int(y.max(initial=0))
    if class_weights.ndim != 1 or most >= len(class_weights):
        raise DataError(
            "class_weights must hold one number for each label; received shape "
            f"{class_weights.shape}, while the labels go up to {most}."
        )
