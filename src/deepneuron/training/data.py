"""What fit, evaluate and predict are given, as batches of (x, y, sample_weight)."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterable, Iterator
from numbers import Integral, Number
from typing import Any

import numpy as np

from deepneuron.engine.config import floatx
from deepneuron.engine.dtypes import is_float
from deepneuron.engine.nest import flatten, map_structure, pack
from deepneuron.errors import ArgumentError, DataError, DTypeError

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
        self.batch_size = whole_number("batch_size", batch_size, 1)
        self.shuffle = bool(shuffle)
        self.seed = _seed() if shuffle else 0
        self.steps = steps
        self.batches: int | None = steps or math.ceil(self.samples / self.batch_size)
        self._epoch = 0
        self._left = 0  # samples that this pass has still to yield
        self._rest: Iterator[Batch] | None = None

    def epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch. One is good until the next is asked for.

        With `steps` an epoch goes on where the last one stopped, and ends, with a
        warning, where the samples do; as in Keras.
        """
        rest = self._rest if self._rest and self.steps else self._once()
        count = 0
        for count, batch in enumerate(rest, start=1):
            yield batch
            if count == self.steps:
                break
        self._rest = rest if self._left else None
        if self.steps and count < self.steps:
            _warn_of_the_end(count, self.steps)

    def epoch_order(self) -> Any:
        """The samples of the next epoch in their order, (samples,) int64.

        It stands for `epoch`, for whoever takes rows out of `arrays` himself.
        """
        return np.arange(self.samples) if not self.shuffle else self._shuffled()

    def restart(self) -> None:
        """Let the next epoch begin with the first batch."""
        self._rest = None

    def _shuffled(self) -> Any:
        philox = np.random.Philox(key=(self._epoch << 64) + self.seed)
        self._epoch += 1
        return np.random.Generator(philox).permutation(self.samples)

    def _once(self) -> Iterator[Batch]:
        order = self._shuffled() if self.shuffle else None
        buffers = [
            np.empty((min(self.batch_size, self.samples), *a.shape[1:]), a.dtype)
            for a in (self.arrays if self.shuffle else ())
        ]
        for start in range(0, self.samples, self.batch_size):
            end = min(start + self.batch_size, self.samples)
            self._left = self.samples - end
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
        shuffle: a fresh order of the batches in every epoch, where they have numbers.
        class_weight: {class: weight}, multiplied into the sample weights.
        check: whether NaN in a batch is an error.
    """

    def __init__(
        self,
        source: Any,
        *,
        steps: int | None = None,
        shuffle: bool = False,
        class_weight: dict[int, float] | None = None,
        check: bool = False,
    ) -> None:
        self.source, self.steps = source, steps
        self.shuffle, self.class_weight, self.check = shuffle, class_weight, check
        self.length = _length(source)
        if steps is None and self.length is None and hasattr(source, "num_batches"):
            raise ArgumentError(
                f"A {type(source).__name__} without a length never ends: write its "
                "__len__, or say how many batches to take (steps_per_epoch of fit, "
                "steps of evaluate and predict)."
            )
        self.batches = steps or self.length
        self._rest: Iterator[Any] | None = None
        self._seen = 0  # batches of this pass through the source

    def epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch, converted to arrays.

        With `steps` an epoch goes on where the last one stopped.
        """
        if hasattr(self.source, "on_epoch_begin"):
            self.source.on_epoch_begin()
        rest = self._rest if self._rest and self.steps else self._once()
        count, wanted, item = 0, self.steps or self.length, None
        while count != wanted:
            item = next(rest, _END)
            if item is _END:
                break
            count, self._seen = count + 1, self._seen + 1
            yield self._convert(item)
        all_seen = item is _END or self._seen == self.length
        self._rest = None if all_seen else rest
        if item is _END and (self.steps or count == 0):
            _warn_of_the_end(count, wanted)
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def restart(self) -> None:
        """Let the next epoch begin with the first batch."""
        self._rest = None

    def _once(self) -> Iterator[Any]:
        self._seen = 0
        if not hasattr(self.source, "__getitem__") or self.length is None:
            return iter(self.source)
        order = list(range(self.length))
        if self.shuffle:
            random.shuffle(order)
        return (self.source[i] for i in order)

    def _convert(self, item: Any) -> Batch:
        x, y, sample_weight = unpack_x_y_sample_weight(item)
        x, y = _to_arrays(x, "x"), _to_arrays(y, "y")
        sample_weight = _to_arrays(sample_weight, "sample_weight")
        if self.check:
            _check(x, y, sample_weight)
        if self.class_weight:
            sample_weight = apply_class_weight(y, sample_weight, self.class_weight)
        return x, y, sample_weight


_END = object()


def _length(source: Any) -> int | None:
    """How many batches a source has, where it tells."""
    if hasattr(source, "num_batches"):
        return source.num_batches  # type: ignore[no-any-return]
    try:
        return len(source)
    except (TypeError, NotImplementedError):  # a stream
        return None


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
    if steps is not None:
        steps = whole_number("steps", steps, 1)
    if _is_iterable_data(x):
        if y is not None or sample_weight is not None:
            raise ArgumentError(
                f"x is a {type(x).__name__}, which yields the targets as well; y and "
                "sample_weight must not be given beside it."
            )
        return IterableData(
            x, steps=steps, shuffle=shuffle, class_weight=class_weight, check=check
        )
    x, y = _to_arrays(x, "x"), _to_arrays(y, "y")
    sample_weight = _to_arrays(sample_weight, "sample_weight")
    _check_lengths(x, y, sample_weight)
    if check:
        _check(x, y, sample_weight)
    if class_weight:
        sample_weight = apply_class_weight(y, sample_weight, class_weight)
    return ArrayData(
        x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, steps=steps
    )


def whole_number(name: str, value: Any, least: int) -> int:
    """The value, which must be a whole number and not below `least`.

    >>> whole_number("epochs", np.int64(3), 0)
    3
    """
    if isinstance(value, Integral):
        if int(value) >= least:
            return int(value)
        raise ArgumentError(f"{name} must be at least {least}; received {value!r}.")
    raise DTypeError(
        f"{name} must be a whole number; received {value!r} of type "
        f"{type(value).__name__}."
    )


def no_batches(data: Any) -> DataError:
    """The error for data that yielded nothing."""
    kind = type(getattr(data, "source", data)).__name__
    return DataError(
        f"There is no data: the {kind} yielded no batch at all. A generator can be "
        "used only once; make a new one for each call, or a PyDataset."
    )


def _warn_of_the_end(count: int, steps: int | None) -> None:
    wanted = "more batches" if steps is None else f"{steps} batches for an epoch"
    warnings.warn(
        f"The data ran out: {wanted} were asked for, but after {count} there was "
        "nothing left. Give it more, or ask for fewer steps.",
        stacklevel=4,
    )


def _seed() -> int:
    # `utils.set_random_seed` seeds this generator, so that it decides the order.
    return random.randint(0, 2**31 - 1)  # noqa: S311 - no secret hangs on it


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
            f"{samples} samples cannot be cut with validation_split="
            f"{validation_split}: one of the parts would be empty."
        )
    first = tuple(map_structure(lambda a: a[:split], d) for d in arrays)
    last = tuple(map_structure(lambda a: a[split:], d) for d in arrays)
    return first, last  # type: ignore[return-value]  # tuples of three


def apply_class_weight(
    y: Any, sample_weight: Any, class_weight: dict[int, float]
) -> np.ndarray:
    """The weight of every sample's class, times its own weight."""
    if not isinstance(class_weight, dict) or not all(
        isinstance(cls, Integral) for cls in class_weight
    ):
        raise ArgumentError(
            "class_weight must be a dictionary {number of the class: weight}; received "
            f"{class_weight!r}."
        )
    leaves = flatten(y)[0]
    if len(leaves) != 1:
        raise ArgumentError(
            f"class_weight needs one array of targets; y holds {len(leaves)}."
        )
    labels = leaves[0]
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    labels = np.rint(labels).astype("int64")
    weights = np.ones(labels.shape, floatx())
    for cls, weight in class_weight.items():
        weights[labels == int(cls)] = weight
    return weights if sample_weight is None else weights * np.asarray(sample_weight)


def _is_iterable_data(x: Any) -> bool:
    if x is None or hasattr(x, "__array__"):
        return False
    if isinstance(x, (list, tuple, dict, str)):
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
    if isinstance(tree, (list, tuple)) and any(np.ndim(t) for t in _arrays_in(tree)):
        parts = [_to_arrays(t, f"{name}[{i}]") for i, t in enumerate(tree)]
        return tuple(parts) if isinstance(tree, tuple) else parts
    try:
        array = np.asarray(tree)
    except ValueError:
        raise DataError(
            f"{name} is no array of numbers: its rows are of different lengths. Make "
            "them equally long (cut them, or fill them up with 0)."
        ) from None
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
    odd = [i for i, v in enumerate(array.reshape(-1)) if not isinstance(v, Number)]
    first = array.reshape(-1)[odd[0]] if odd else None
    position = list(map(int, np.unravel_index(odd[0], array.shape))) if odd else []
    if isinstance(first, (str, bytes)):
        return (
            f"{name} holds text (the first value is {str(first)!r}), but a network "
            "computes with numbers. For class names: "
            "names, y = np.unique(y, return_inverse=True)."
        )
    if not odd:
        return (
            f"{name} holds numbers as Python objects (dtype=object); write "
            f"{name}.astype('float32')."
        )
    if first is None:
        return (
            f"{name} holds None at {name}{position}, where a number is needed. Drop "
            "those samples or fill the gaps."
        )
    return (
        f"{name} is an array of Python objects, not of numbers: {name}{position} is a "
        f"{type(first).__name__}. Rows of different lengths become such an array; make "
        "them equally long."
    )


def _arrays_in(tree: Any) -> list[Any]:
    return [t for t in tree if hasattr(t, "__array__")]


def _check(x: Any, y: Any, sample_weight: Any) -> None:
    for name, tree in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        _check_finite(tree, name)


def _check_lengths(x: Any, y: Any, sample_weight: Any) -> None:
    named = {"x": x, "y": y, "sample_weight": sample_weight}
    lengths = {n: [len(a) for a in flatten(t)[0]] for n, t in named.items()}
    sizes = {size for all_of in lengths.values() for size in all_of}
    if not lengths["x"]:
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
            if np.isfinite(array.sum()):
                continue
        where = np.argwhere(~np.isfinite(array))  # none, if only the sum overflowed
        if len(where):
            position = [int(i) for i in where[0]]
            value = array[tuple(position)]
            kind = "NaN" if np.isnan(value) else "infinite values"
            raise DataError(
                f"{name} contains {kind}: {len(where)} of {array.size} values are not "
                f"finite, the first is {name}{position} = {value}. Drop those samples "
                "or fill the gaps (np.nan_to_num): one of them turns every weight into "
                "NaN."
            )
