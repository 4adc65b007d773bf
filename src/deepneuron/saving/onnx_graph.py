"""An ONNX graph in the making: nodes, weights, and in which order axes are stored.

Layers here put the channels last, ONNX puts them second. A value may therefore be
stored under several orders of its axes. A rule asks for the order that it needs, and
says in which one it answers; a Transpose stands in the file only where the two do not
meet. In the same way a reshape is written down when its result is asked for, and not
before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepneuron.errors import SavingError
from deepneuron.saving.onnx_trace import Dim, Dims, Order, Unknown, Value

END = 2**63 - 1  # a slice up to here goes to the end


@dataclass
class OnnxNode:
    """One node of the file, as plain data."""

    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attrs: dict[str, Any] = field(default_factory=dict)


class OnnxGraph:
    """The nodes and weights written so far.

    Args:
        inputs: the model's inputs; they have their names.
        opset: the version of the operators.

    Attributes:
        nodes: in the order in which they run.
        weights: {name: array}
        dims: {name: sizes as stored}, where they are known.
        path: of the layer that is being written; nodes are named by it.
    """

    def __init__(self, inputs: Sequence[Value], opset: int) -> None:
        self.opset = opset
        self.nodes: list[OnnxNode] = []
        self.weights: dict[str, np.ndarray] = {}
        self.dims: dict[str, Dims] = {}
        self.path = ""
        self._used: set[str] = set()
        self._sizes: dict[Any, str] = {}
        self._constants: dict[Any, tuple[str, Any]] = {}
        self._reshaped: dict[Any, tuple[Value, Value]] = {}
        self._stored: list[Value] = []
        for x in inputs:
            self._used.add(x.label)
            self.store(x, x.label)

    # --- writing

    def unique(self, name: str) -> str:
        """The name, with a number behind it if it is taken."""
        tried, count = name, 1
        while tried in self._used:
            tried, count = f"{name}_{count}", count + 1
        self._used.add(tried)
        return tried

    def emit(self, kind: str, *inputs: str, outputs: int = 1, **attrs: Any) -> Any:
        """Write a node; the name of its output, or the names of several."""
        stem = f"{self.path}/{kind}" if self.path else kind
        names = [self.unique(stem) for _ in range(outputs)]
        self.nodes.append(OnnxNode(kind, names[0], list(inputs), names, attrs))
        return names[0] if outputs == 1 else names

    def weight(self, array: Any, label: str = "") -> str:
        """The name of a constant; equal small ones are written once."""
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        key: Any = (array.dtype.str, array.shape, label, array.tobytes())
        if array.size > 64:
            key = (id(array), label)
        if key not in self._constants:
            stem = label or f"{self.path or 'model'}/constant"
            name = self.unique(stem)
            self.weights[name] = array
            self.dims[name] = array.shape
            self._constants[key] = name, array  # kept, so that its id stays its own
        return self._constants[key][0]

    def number(self, value: Any, dtype: str) -> str:
        """The name of a constant without axes."""
        return self.weight(np.asarray(value, dtype), f"number/{value}/{dtype}")

    def whole(self, *values: int) -> str:
        """The name of a row of whole numbers, such as axes."""
        label = "_".join("end" if abs(n) >= END else str(n) for n in values)
        return self.weight(np.asarray(values, "int64"), f"row/{label}")

    # --- values, and the order of their axes

    def store(self, y: Value, name: str, order: Order | None = None) -> None:
        """y stands in the file under this name, its axes in this order."""
        order = y.identity if order is None else order
        y.names[order] = name
        self.dims[name] = tuple(y.dims[a] for a in order)
        self._stored.append(y)

    def read(self, x: Value, order: Order | None = None) -> str:
        """The name under which x stands with its axes in this order."""
        order = x.identity if order is None else order
        if x.array is not None:
            key = (id(x), order)
            if key not in self._constants:
                array = np.ascontiguousarray(x.array.transpose(order))
                array = array.reshape([x.array.shape[a] for a in order])
                self._constants[key] = self.weight(array, x.label), x
            return self._constants[key][0]
        self.settle(x)
        if order not in x.names:
            have, name = next(iter(x.names.items()))
            perm = [have.index(a) for a in order]
            self.store(x, self.emit("Transpose", name, perm=perm), order)
        return x.names[order]

    def orders(self, x: Value) -> list[Order]:
        """The orders in which x stands in the file."""
        self.settle(x)
        return list(x.names)

    def settle(self, x: Value) -> None:
        """Write down what was put off: x is to have a name."""
        if x.names:
            return
        if isinstance(x.spread, Unknown):
            size = self.emit("Squeeze", self.size(x.spread), self.whole(0))
            self.store(x, self.cast(size, x.dtype))
        elif x.spread is not None:
            small = self.weight(x.spread, x.label)
            self.store(x, self.emit("Expand", small, self.shape(x.dims)))
        elif x.origin is not None:
            self._reshape(x.origin, x)
        else:
            raise SavingError(
                "An output of an operation is used that ONNX does not have (such as "
                "the positions of the maxima in max_pool)."
            )

    def cast(self, name: str, dtype: str) -> str:
        return self.emit("Cast", name, to=dtype)

    # --- other shapes

    def reshaped(self, x: Value, dims: Dims) -> Value:
        """x under another shape; of a weight that several read, the same."""
        key = (id(x), dims)
        if key not in self._reshaped:
            y = Value(dims, x.dtype, label=x.label)
            if x.array is None:
                self.view(x, y)
            else:
                y.array = x.array.reshape(dims)
            self._reshaped[key] = y, x  # kept, so that its id stays its own
        return self._reshaped[key][0]

    def view(self, x: Value, y: Value) -> None:
        """y is x under another shape, to be written down when somebody reads it."""
        root = x.origin or x
        if root.dims == y.dims:
            y.names, y.origin = root.names, None
            if not root.names:
                self.settle(root)
                y.names = root.names
        else:
            y.origin = root

    def _reshape(self, x: Value, y: Value) -> None:
        """Write y = reshape(x) as shortly as it can be said."""
        self.settle(x)
        have, name = next(iter(x.names.items()))
        added, removed = _insertions(x.dims, y.dims), _insertions(y.dims, x.dims)
        if added:
            kept = [a for a in range(y.rank) if a not in added]
            order = [kept[a] for a in have]
            for a in added:  # before the axis that it stands before
                after = next((k for k in kept if k > a), None)
                order.insert(len(order) if after is None else order.index(after), a)
            axes = sorted(order.index(a) for a in added)
            self.store(y, self.unsqueeze(name, axes), tuple(order))
        elif removed:
            kept = [a for a in range(x.rank) if a not in removed]
            axes = sorted(have.index(a) for a in removed)
            order = [kept.index(a) for a in have if a in kept]
            self.store(y, self.squeeze(name, axes), tuple(order))
        elif y.rank == 2 and x.rank > 2 and x.dims[0] == y.dims[0]:
            self.store(y, self.emit("Flatten", self.read(x), axis=1))
        else:
            shape = self._new_shape(x.dims, y.dims)
            self.store(y, self.emit("Reshape", self.read(x), shape))

    def unsqueeze(self, name: str, axes: Sequence[int]) -> str:
        return self.emit("Unsqueeze", name, self.whole(*axes))

    def squeeze(self, name: str, axes: Sequence[int]) -> str:
        return self.emit("Squeeze", name, self.whole(*axes))

    def _new_shape(self, old: Dims, new: Dims) -> str:
        open_axes = [i for i, n in enumerate(new) if isinstance(n, Unknown)]
        if len(open_axes) > 1:  # 0 stands for: as it was
            same = {i for i in open_axes if i < len(old) and old[i] == new[i]}
        else:
            same = set()
        left = [i for i in open_axes if i not in same]
        if len(left) > 1 or 0 in new:
            return self.shape(new)
        return self.whole(
            *(
                0 if i in same else -1 if isinstance(n, Unknown) else n
                for i, n in enumerate(new)
            )
        )

    # --- sizes that are known when the file runs

    def shape(self, dims: Dims) -> str:
        """The name of a row with these sizes."""
        if all(isinstance(n, int) for n in dims):
            return self.whole(*dims)  # type: ignore[arg-type]  # they are all numbers
        if ("shape", dims) not in self._sizes:
            parts = [self.size(n) for n in dims]
            name = parts[0] if len(parts) == 1 else self.emit("Concat", *parts, axis=0)
            self._sizes["shape", dims] = name
        return self._sizes["shape", dims]

    def size(self, n: Dim) -> str:
        """The name of a row with this one size."""
        if isinstance(n, int):
            return self.whole(n)
        if n not in self._sizes:
            self._sizes[n] = self._ask(n)
        return self._sizes[n]

    def _ask(self, n: Unknown) -> str:
        for x in self._stored:
            order, name = next(iter(x.names.items()))
            for k, a in enumerate(order):
                if x.dims[a] == n:
                    return str(self.emit("Shape", name, start=k, end=k + 1))
        known = sorted(
            {m for x in self._stored for m in x.dims if isinstance(m, Unknown)}
        )
        for parts in [(m,) for m in known] + [(m, k) for m in known for k in known]:
            factor = n.first // math.prod(m.first for m in parts)
            times = [factor * math.prod(m[i] for m in parts) for i in (0, 1)]
            if factor and times == [*n]:
                name = self.whole(factor)
                for m in parts:
                    name = self.emit("Mul", name, self.size(m))
                return name
        raise SavingError(
            "A size within the model depends on that of its input in a way that an "
            "ONNX file cannot say (such as their difference). Fix the sizes with "
            "input_signature, all but the batch."
        )


def _insertions(short: Dims, long: Dims) -> list[int]:
    """Which axes of size 1 make `short` into `long`; [] if more is needed."""
    rest, added = list(short), []
    for a, n in enumerate(long):
        if rest and rest[0] == n:
            rest.pop(0)
        elif n == 1:
            added.append(a)
        else:
            return []
    return [] if rest else added
