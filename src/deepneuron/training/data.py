"""What `fit`, `evaluate` and `predict` are given, as batches of (x, y, sample_weight)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from deepneuron.engine.config import floatx
from deepneuron.engine.dtypes import is_float
from deepneuron.engine.nest import flatten, map_structure, pack
from deepneuron.errors import ArgumentError, DataError

Batch = tuple[Any, Any, Any]


class ArrayData:
    """Arrays in memory, cut into batches.

    Args:
        x, y, sample_weight: arrays, or lists and dictionaries of arrays, whose first
            axes count the same samples.
        batch_size: 32 by default; with `steps`, what makes so many batches.
        shuffle: a fresh order in every epoch; it depends on `random.seed` alone.
        steps: so many batches an epoch; once through the samples by default.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        shuffle: bool = False,
        steps: int | None = None,
    ) -> None:
        leaves, self.structure = flatten((x, y, sample_weight))
        self.arrays = leaves
        self.samples = len(leaves[0])
        if batch_size is None:
            batch_size = math.ceil(self.samples / steps) if steps else 32
        self.batch_size = batch_size
        if self.batch_size < 1 or int(self.batch_size) != self.batch_size:
            raise ArgumentError(
                f"batch_size must be a whole number from 1 on; received {batch_size!r}."
            )
        self.shuffle = bool(shuffle)
        self.seed = random.randint(0, 2**31 - 1) if shuffle else 0
        self.batches: int | None = steps or math.ceil(self.samples / self.batch_size)
        self._epoch = 0
        self._stream = self._endless()

    def epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch. A batch is good until the next one is asked for.

        With `steps` an epoch goes on where the last one stopped, as in Keras.
        """
        return islice(self._stream, self.batches)

    def _endless(self) -> Iterator[Batch]:
        while True:
            yield from self._once()

    def _once(self) -> Iterator[Batch]:
        order = None
        if self.shuffle:
            philox = np.random.Philox(key=(self._epoch << 64) + self.seed)
            order = np.random.Generator(philox).permutation(self.samples)
        self._epoch += 1
        buffers = [
            np.empty((min(self.batch_size, self.samples), *a.shape[1:]), a.dtype)
            for a in (self.arrays if self.shuffle else ())
        ]
        for i in range(math.ceil(self.samples / self.batch_size)):
            start, end = (
                i * self.batch_size,
                min((i + 1) * self.batch_size, self.samples),
            )
            if order is None:
                leaves = [a[start:end] for a in self.arrays]
            else:
                leaves = [
                    # "clip" lets NumPy write straight into the buffer
                    np.take(a, order[start:end], 0, out=b[: end - start], mode="clip")
                    for a, b in zip(self.arrays, buffers, strict=True)
                ]
            yield pack(self.structure, leaves)


class IterableData:
    """A generator, a PyDataset, a loader of another library: whatever yields batches.

    Args:
        source: yields x, (x, y) or (x, y, sample_weight), a batch each.
        steps: so many batches an epoch; needed where the source never ends.
    """

    def __init__(self, source: Any, *, steps: int | None = None) -> None:
        self.source, self.steps = source, steps
        self.batches = steps
        if steps is None:
            size = getattr(source, "num_batches", None)
            if size is None and hasattr(source, "__len__"):
                size = len(source)
            self.batches = size
        self._running: Iterator[Any] | None = None

    def epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch, converted to arrays."""
        if hasattr(self.source, "__getitem__") and self.batches is not None:
            items = (self.source[i] for i in range(self.batches))
            yield from map(self._convert, items)
            if hasattr(self.source, "on_epoch_end"):
                self.source.on_epoch_end()
            return
        if self._running is None or self.steps is None:
            self._running = iter(self.source)
        for count, item in enumerate(self._running, start=1):
            yield self._convert(item)
            if count == self.steps:
                return
        self._running = None

    @staticmethod
    def _convert(item: Any) -> Batch:
        x, y, sample_weight = unpack_x_y_sample_weight(item)
        return (
            _to_arrays(x, "x"),
            _to_arrays(y, "y"),
            _to_arrays(sample_weight, "sample_weight"),
        )


def make_data(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    steps: int | None = None,
    class_weight: dict[int, float] | None = None,
    check: bool = False,
) -> Any:
    """ArrayData or IterableData, after the checks that spare a training run.

    Args:
        x, y, sample_weight, batch_size, shuffle, steps: see ArrayData.
        class_weight: {class: weight}, multiplied into the sample weights.
        check: whether NaN in arrays is an error.
    """
    if _is_iterable_data(x):
        if y is not None or sample_weight is not None:
            raise ArgumentError(
                f"x is a {type(x).__name__}, which yields the targets as well; y and "
                "sample_weight must not be given beside it."
            )
        data = IterableData(x, steps=steps)
        if class_weight:
            data._convert = _weighted(data._convert, class_weight)  # type: ignore[method-assign]
        return data
    x, y = _to_arrays(x, "x"), _to_arrays(y, "y")
    sample_weight = _to_arrays(sample_weight, "sample_weight")
    _check_lengths(x, y, sample_weight)
    if check:
        _check_finite(x, "x")
        _check_finite(y, "y")
    if class_weight:
        sample_weight = apply_class_weight(y, sample_weight, class_weight)
    return ArrayData(
        x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, steps=steps
    )


def unpack_x_y_sample_weight(data: Any) -> Batch:
    """(x, y, sample_weight) of x, (x,), (x, y) or (x, y, sample_weight)."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            "Data must be x, (x, y) or (x, y, sample_weight); received a tuple of "
            f"{len(data)}."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def train_validation_split(data: Batch, validation_split: float) -> tuple[Batch, Batch]:
    """The first part of the samples, and the last, `validation_split` of them."""
    if not 0.0 < validation_split < 1.0:
        raise ArgumentError(
            f"validation_split must lie between 0 and 1; received {validation_split!r}."
        )
    if _is_iterable_data(data[0]):
        raise ArgumentError(
            "validation_split cuts arrays; for a "
            f"{type(data[0]).__name__}, pass validation_data instead."
        )
    names = ("x", "y", "sample_weight")
    arrays = tuple(_to_arrays(d, n) for d, n in zip(data, names, strict=True))
    _check_lengths(*arrays)
    samples = len(flatten(arrays)[0][0])
    split = math.floor(samples * (1.0 - validation_split))
    if split in (0, samples):
        raise ArgumentError(
            f"{samples} samples cannot be cut with validation_split={validation_split}: "
            "one of the parts would be empty."
        )
    first = tuple(map_structure(lambda a: a[:split], d) for d in arrays)
    last = tuple(map_structure(lambda a: a[split:], d) for d in arrays)
    return first, last  # type: ignore[return-value]  # tuples of three


def apply_class_weight(
    y: Any, sample_weight: Any, class_weight: dict[int, float]
) -> np.ndarray:
    """The weight of every sample's class, times its own weight."""
    leaves = flatten(y)[0]
    if len(leaves) != 1:
        raise ArgumentError(
            f"class_weight needs one array of targets; y holds {len(leaves)}."
        )
    labels = leaves[0]
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    labels = labels.astype("int64")
    weights = np.ones(labels.shape, floatx())
    for cls, weight in class_weight.items():
        weights[labels == int(cls)] = weight
    return weights if sample_weight is None else weights * np.asarray(sample_weight)


def _weighted(
    convert: Callable[[Any], Batch], class_weight: dict[int, float]
) -> Callable[[Any], Batch]:
    def wrapped(item: Any) -> Batch:
        x, y, sample_weight = convert(item)
        return x, y, apply_class_weight(y, sample_weight, class_weight)

    return wrapped


def _is_iterable_data(x: Any) -> bool:
    if hasattr(x, "__array__") or isinstance(x, (list, tuple, dict, str)):
        return False
    if not isinstance(x, Iterable) and not hasattr(x, "__getitem__"):
        raise DataError(
            f"Data must be arrays, lists or dictionaries of arrays, or something that "
            f"yields batches; received {type(x).__name__}: {x!r}."
        )
    return True


def _to_arrays(tree: Any, name: str) -> Any:
    """Every leaf as an array of numbers; a list of numbers is one array."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {k: _to_arrays(v, f"{name}[{k!r}]") for k, v in tree.items()}
    if isinstance(tree, (list, tuple)) and any(hasattr(t, "__array__") for t in tree):
        if all(np.ndim(t) for t in tree):
            parts = [_to_arrays(t, f"{name}[{i}]") for i, t in enumerate(tree)]
            return tuple(parts) if isinstance(tree, tuple) else parts
    try:
        array = np.asarray(tree)
    except ValueError as error:
        raise DataError(f"{name} is no array of numbers: {error}.") from None
    if array.dtype.kind in "USO":
        raise DataError(_not_numbers(array, name))
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds values of type {array.dtype}, not numbers.")
    if array.ndim == 0:
        raise DataError(
            f"{name} is the single number {array}; it needs an axis of samples."
        )
    if is_float(array.dtype.name) and array.dtype.name != floatx():
        array = array.astype(floatx())
    return array


def _not_numbers(array: np.ndarray, name: str) -> str:
    first = array.reshape(-1)[0] if array.size else ""
    if isinstance(first, str):
        return (
            f"{name} holds text (the first value is {str(first)!r}), but a network "
            "computes with numbers. For class names: "
            "names, y = np.unique(y, return_inverse=True)."
        )
    return (
        f"{name} is an array of Python objects (the first is {first!r}), not of numbers. "
        "Rows of different lengths become such an array; make them equally long."
    )


def _check_lengths(x: Any, y: Any, sample_weight: Any) -> None:
    named = {"x": x, "y": y, "sample_weight": sample_weight}
    lengths = {n: [len(a) for a in flatten(t)[0]] for n, t in named.items()}
    sizes = {size for all_of in lengths.values() for size in all_of}
    if not sizes:
        raise DataError("There is no data: x is empty or None.")
    if len(sizes) > 1:
        listed = ", ".join(
            f"{n}: {s[0] if len(s) == 1 else s}" for n, s in lengths.items() if s
        )
        raise DataError(
            f"The numbers of samples differ ({listed}); every x needs exactly one y."
        )
    if sizes == {0}:
        raise DataError("There is no data: x has 0 samples.")


def _check_finite(tree: Any, name: str) -> None:
    for array in flatten(tree)[0]:
        if not is_float(array.dtype.name):
            continue
        # One pass without a temporary array: any NaN makes the sum NaN.
        with np.errstate(all="ignore"):
            if not np.isnan(array.sum()):
                continue
        where = np.argwhere(np.isnan(array))
        if len(where):
            position = tuple(int(i) for i in where[0])
            raise DataError(
                f"{name} contains NaN: {len(where)} of {array.size} values, the first at "
                f"{name}{list(position)}. Drop those samples or fill the gaps "
                "(np.nan_to_num), for one NaN turns every weight into NaN."
            )
