"""What a model computes in inference, as plain steps, and which sizes are open.

The model is captured twice, with two sizes in the place of every unknown one, such as
the batch. What differs between the two graphs depends on an unknown size; everything
else is as fixed as a weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from deepneuron.engine.capture import capture
from deepneuron.engine.graph import Graph, Node
from deepneuron.engine.nest import flatten, pack
from deepneuron.engine.op import Op
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, NotBuiltError, SavingError, ShapeError


class Unknown(NamedTuple):
    """A size that is not known yet: what it was in the first and second graph."""

    first: int
    second: int


Dim = int | Unknown
Dims = tuple[Dim, ...]
Order = tuple[int, ...]

BATCH = Unknown(60, 90)
# Many numbers divide them, and no two are multiples of one another by the same factor.
_OTHERS = [
    Unknown(96 * a, 96 * b)
    for a, b in ((5, 7), (11, 13), (17, 19), (23, 29), (31, 37), (41, 43), (47, 53))
]


class Input(NamedTuple):
    """An input of the model: None in the shape is a size that is not known yet."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(eq=False)
class Value:
    """What one step hands to the next.

    Attributes:
        dims: its sizes, Unknown where they are open.
        dtype: the name of its type.
        array: what it is, where that is known: a weight, or computed from weights.
        label: how an array is called in the file.
        spread: an array to be repeated along the axes whose size is open.
        names: {order of axes: name in the file}; one value may be stored in several
            orders. Values that are the same share the dictionary.
        origin: it is this value under another shape.
    """

    dims: Dims
    dtype: str
    array: Any = None
    label: str = ""
    spread: Any = None
    names: dict[Order, str] = field(default_factory=dict)
    origin: Value | None = None

    @property
    def rank(self) -> int:
        return len(self.dims)

    @property
    def identity(self) -> Order:
        """The order in which the axes stand in the model."""
        return tuple(range(self.rank))


@dataclass(eq=False)
class Step:
    """One operation: what it was told in both graphs, and where it comes from."""

    op: Op
    attrs: dict[str, Any]
    attrs_again: dict[str, Any]
    inputs: list[Value]
    outputs: list[Value]
    path: str
    source: str

    @property
    def where(self) -> str:
        layer = f" of layer {self.path!r}" if self.path else ""
        line = f" ({self.source})" if self.source else ""
        return f"{self.op.name!r}{layer}{line}"


@dataclass
class Trace:
    """A model's inference.

    Attributes:
        inputs, outputs: of the model, from left to right.
        steps: what happens between them, in order.
        sizes: the names of the unknown sizes.
    """

    inputs: list[Value]
    outputs: list[Value]
    steps: list[Step]
    sizes: dict[Unknown, str]


# --- what goes in


def inputs_of(model: Any, input_signature: Any = None) -> tuple[list[Input], Any]:
    """(the inputs of a model from left to right, their structure).

    Args:
        model: a built model.
        input_signature: anything with shapes, and types, to take instead.

    Raises:
        NotBuiltError: nobody knows the shapes yet.
        ArgumentError: the signature has another number of inputs than the model.
    """
    network = getattr(model, "_network", None)
    own = [] if network is None else network.flat_inputs
    if input_signature is None and network is None:
        return _as_called(model)
    given = own if input_signature is None else _leaves(input_signature)
    if network is not None and len(given) != len(own):
        raise ArgumentError(
            f"Model {model.name!r} has {len(own)} inputs; input_signature describes "
            f"{len(given)}."
        )
    names = [x.name for x in own] or [getattr(x, "name", None) for x in given]
    inputs = [
        Input(name or f"input_{i}", tuple(x.shape), str(x.dtype or "float32"))
        for i, (x, name) in enumerate(zip(given, names, strict=True))
    ]
    if network is not None:
        return inputs, network.input_structure
    only = len(given) == 1 and isinstance(input_signature, (list, tuple))
    return inputs, flatten(input_signature[0] if only else input_signature)[1]


def _leaves(input_signature: Any) -> list[Any]:
    leaves = flatten(input_signature)[0]
    for x in leaves:
        if getattr(x, "shape", None) is None:
            raise ArgumentError(
                "input_signature holds InputSpec(shape=..., dtype=...), tensors or "
                f"arrays; received {x!r}."
            )
    return leaves


def _as_called(model: Any) -> tuple[list[Input], Any]:
    """A subclassed model takes what it was built with."""
    shapes = getattr(model, "_build_shapes", None) or {}
    shape = next((s for s in shapes.values() if s is not None), None)
    if shape is None:
        raise NotBuiltError(
            f"Model {model.name!r} has not been called yet, so the shapes of its "
            "inputs are unknown. Call it on data first, or give input_signature="
            "[InputSpec(shape=(None, ...), dtype=...)]."
        )
    found: list[tuple[int | None, ...]] = []

    def collect(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: collect(tree[key]) for key in sorted(tree, key=str)}
        if tree and isinstance(tree[0], (tuple, list, dict)):
            return [collect(part) for part in tree]
        found.append((None, *tree[1:]))
        return 0

    structure = flatten(collect(shape))[1]
    inputs = [Input(f"input_{i}", s, "float32") for i, s in enumerate(found)]
    return inputs, structure


# --- what happens


def trace(model: Any, inputs: Sequence[Input], structure: Any) -> Trace:
    """The steps of `model(inputs, training=False)`.

    Raises:
        SavingError: what the model does depends on the size of the batch, it draws
            random numbers, or changes its own variables.
    """
    try:
        return _trace(model, inputs, structure, together=False)
    except ShapeError:
        # Perhaps two inputs must have the same unknown length.
        if sum(x.shape[1:].count(None) for x in inputs) < 2:
            raise
        return _trace(model, inputs, structure, together=True)


def _trace(
    model: Any, inputs: Sequence[Input], structure: Any, together: bool
) -> Trace:
    sizes, dims = _name_sizes(inputs, together)

    def run(*xs: Any) -> Any:
        return model(pack(structure, list(xs)), training=False)

    graphs = []
    for i in range(2):
        xs = [
            Tensor([n if isinstance(n, int) else n[i] for n in known], x.dtype)
            for x, known in zip(inputs, dims, strict=True)
        ]
        graph, _ = capture(run, *xs)
        pure = Graph(graph.inputs, graph.outputs)
        _refuse_chance(pure)
        _refuse_state(model, pure, graph)
        graphs.append(pure)
    return _Pairing(*graphs).trace(model, sizes)


def _name_sizes(
    inputs: Sequence[Input], together: bool
) -> tuple[dict[Unknown, str], list[Dims]]:
    """The names of the unknown sizes, and each input's shape with them."""
    sizes: dict[Unknown, str] = {}
    by_key: dict[Any, Unknown] = {}
    rest = iter(_OTHERS)
    dims = []
    for x in inputs:
        known: list[Dim] = []
        for axis, n in enumerate(x.shape):
            key = "batch" if axis == 0 else axis if together else (x.name, axis)
            if n is None and key not in by_key:
                unknown = BATCH if axis == 0 else next(rest, None)
                if unknown is None:
                    raise SavingError(
                        f"More than {len(_OTHERS)} sizes of the inputs are unknown; "
                        "give input_signature with fewer None."
                    )
                by_key[key] = unknown
                sizes[unknown] = "batch" if axis == 0 else f"{x.name}_size_{axis}"
            known.append(by_key[key] if n is None else n)
        dims.append(tuple(known))
    return sizes, dims


def _refuse_chance(pure: Graph) -> None:
    for node in pure.nodes:
        if type(node.op).__module__.startswith("deepneuron.ops.random"):
            raise SavingError(
                f"Layer {node.path!r} draws random numbers in inference"
                f"{f' ({node.source})' if node.source else ''}, and an ONNX file "
                "computes the same every time. Let it draw only where training is true."
            )


def _refuse_state(model: Any, pure: Graph, graph: Graph) -> None:
    read = {x for node in pure.nodes for x in node.inputs if isinstance(x, Variable)}
    changed = next((v for v in graph.commits if v in read), None)
    if changed is not None:
        raise SavingError(
            f"Model {model.name!r} changes its variable {changed.path!r} while it "
            "predicts, and reads it; an ONNX file computes the same every time. "
            "Let the layer change it only where training is true."
        )


class _Pairing:
    """Two graphs of the same model, walked side by side."""

    def __init__(self, first: Graph, second: Graph) -> None:
        self.first, self.second = first, second
        self.values: dict[Tensor, Value] = {}

    def trace(self, model: Any, sizes: dict[Unknown, str]) -> Trace:
        nodes, again = self.first.nodes, self.second.nodes
        if [n.op.name for n in nodes] != [n.op.name for n in again]:
            raise SavingError(
                f"Model {model.name!r} does other operations for another size of its "
                "input, which an ONNX file cannot. Write the layer so that it does "
                "the same for every size, or fix the sizes with input_signature."
            )
        inputs = [
            self._value(x, y)
            for x, y in zip(self.first.inputs, self.second.inputs, strict=True)
        ]
        steps = [self._step(n, m) for n, m in zip(nodes, again, strict=True)]
        outputs = [
            self._leaf(x, y, f"output_{i}", model.name)
            for i, (x, y) in enumerate(
                zip(self.first.outputs, self.second.outputs, strict=True)
            )
        ]
        return Trace(inputs, outputs, steps, sizes)

    def _step(self, node: Node, again: Node) -> Step:
        where = f"{node.op.name!r} of layer {node.path!r}"
        label = f"{node.path or 'model'}/constant"
        inputs = [
            self._leaf(x, y, label, where)
            for x, y in zip(node.inputs, again.inputs, strict=True)
        ]
        outputs = [
            self._value(x, y) for x, y in zip(node.outputs, again.outputs, strict=True)
        ]
        return Step(
            node.op, node.attrs, again.attrs, inputs, outputs, node.path, node.source
        )

    def _value(self, x: Tensor, y: Tensor) -> Value:
        dims = tuple(
            n if n == m else Unknown(n, m)
            for n, m in zip(x.shape, y.shape, strict=True)
        )
        return self.values.setdefault(x, Value(dims, x.dtype))

    def _leaf(self, x: Tensor, y: Tensor, label: str, where: str) -> Value:
        """A value that was met already, a weight, or a constant."""
        if x in self.values:
            return self.values[x]
        value = self._value(x, y)
        value.label = x.path if isinstance(x, Variable) else label
        a, b = _known(x), _known(y)
        if a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            value.array = a
            return value
        # It was made with the size of the batch, as zeros((batch, units)) are.
        at = tuple(
            slice(None) if isinstance(n, int) else slice(0, 1) for n in value.dims
        )
        small = a[at]
        if a.shape != b.shape and all(
            np.array_equal(np.broadcast_to(small, c.shape), c) for c in (a, b)
        ):
            value.spread = small
        elif a.ndim == 0 and a == int(a) and b == int(b):
            value.spread = Unknown(int(a), int(b))
        else:
            raise SavingError(
                f"{where} uses an array whose values depend on the size of the input; "
                "it cannot be written into an ONNX file."
            )
        return value


def _known(x: Tensor) -> np.ndarray:
    value = x.array if isinstance(x, Variable) else x.value_or_none()
    if value is None:
        raise SavingError(f"{x!r} comes from outside of the model.")
    return np.asarray(value)
