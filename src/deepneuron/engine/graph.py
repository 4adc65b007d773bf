"""Nodes and graphs: which operation was applied to what, and nothing else.

A Graph is pure: it holds no assignment. What a step changes (weights, moving
statistics, seeds, counters) leaves it as extra outputs, the `commits`, written when the
step is over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from deepneuron.engine.scope import current_path, user_line
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.errors import DeepneuronError

if TYPE_CHECKING:
    from deepneuron.engine.op import Op


class Spec(NamedTuple):
    """Shape and type of a value: what `infer` returns for each output."""

    shape: tuple[Any, ...]
    dtype: str


_serial = count()


class Node:
    """One application of an operation.

    Attributes:
        op: the operation; in the graph of a functional model, it may be a layer.
        inputs: the tensors that went in.
        attrs: everything else that the operation was told, such as `axis=1`.
        outputs: the tensors that came out.
        path: the names of the layers around it, such as "sequential/dense".
        source: `file:line` of the user's code that made it.
        serial: grows from node to node, so that inputs always have smaller ones.
    """

    __slots__ = ("attrs", "inputs", "op", "outputs", "path", "serial", "source")

    def __init__(
        self, op: Op, inputs: tuple[Tensor, ...], attrs: dict[str, Any]
    ) -> None:
        self.op, self.inputs, self.attrs = op, inputs, attrs
        self.path, self.source, self.serial = current_path(), user_line(), next(_serial)
        try:
            specs = infer(op, inputs, attrs)
        except DeepneuronError as error:
            where = f"layer {self.path!r}, " if self.path else ""
            error.add_note(f"in {op.name} ({where}{self.source})")
            raise
        self.outputs = tuple(
            Tensor(shape, dtype, node=self, index=i)
            for i, (shape, dtype) in enumerate(specs)
        )

    def __repr__(self) -> str:
        def edges(tensors: Iterable[Tensor]) -> str:
            return ", ".join(f"{t.name or ''}{t.shape}" for t in tensors)

        attrs = "".join(f", {k}={v!r}" for k, v in self.attrs.items() if v)
        return f"{self.op.name}({edges(self.inputs)}{attrs}) -> {edges(self.outputs)}"


# Two sizes to put in the place of an unknown one; both can be divided by most numbers.
_UNKNOWN = (720720, 1441440)


def infer(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[Spec, ...]:
    """The shapes and types of an operation's outputs, for known and unknown sizes.

    No operation has to think about unknown sizes: its rule is asked twice, with two
    different sizes in their place, and what differs between the answers is unknown.
    (Broadcasting does think about them: None goes together with every size.)
    """
    # A new shape such as (-1, 17) must divide the sizes.
    divisor = math.prod(
        n
        for name, value in attrs.items()
        if isinstance(value, tuple) and name != "key"
        for n in value
        if isinstance(n, int) and n > 0
    )
    sizes = [divisor * size for size in _UNKNOWN]

    def ask(size: int) -> tuple[Spec, ...]:
        known = (
            x
            if None not in x.shape
            else Tensor(tuple(size if n is None else n for n in x.shape), x.dtype)
            for x in inputs
        )
        sized = {  # such as the newshape (-1, None, 3); in a key None is a new axis
            name: tuple(size if n is None else n for n in value)
            if isinstance(value, tuple) and name != "key"
            else value
            for name, value in attrs.items()
        }
        specs = op.infer(*known, **sized)
        return (specs,) if isinstance(specs, Spec) else tuple(specs)

    if op.pointwise or all(None not in x.shape for x in inputs):
        specs = op.infer(*inputs, **attrs)
        return (specs,) if isinstance(specs, Spec) else tuple(specs)
    return tuple(
        Spec(
            tuple(n if n == m else None for n, m in zip(a.shape, b.shape, strict=True)),
            a.dtype,
        )
        for a, b in zip(*map(ask, sizes), strict=True)
    )


def topological(tensors: Iterable[Tensor]) -> list[Node]:
    """The nodes that `tensors` depend on, producers first."""
    seen: set[Node] = set()
    waiting = [t.node for t in tensors]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting.extend(x.node for x in node.inputs)
    return sorted(seen, key=lambda node: node.serial)


def _assignments_last(nodes: list[Node], assigned: set[Tensor]) -> list[Node]:
    """What assigns, and what reads the assigned, after all the rest.

    A plan writes assignments straight into the Variables. An operation that finds fault
    with its input (a class that does not exist) has then spoken up before.
    """
    late: set[Tensor] = set()
    for node in nodes:
        if assigned.intersection(node.outputs) or late.intersection(node.inputs):
            late.update(node.outputs)
    return sorted(nodes, key=lambda node: node.outputs[0] in late)


class Graph:
    """What a captured step computes.

    Args:
        inputs: the leaves that every run is given anew.
        outputs: the values that every run hands out.
        commits: Variable -> the value that it has after the step.
        keep: further values that someone wants to see; they are not overwritten.
    """

    def __init__(
        self,
        inputs: Iterable[Tensor],
        outputs: Iterable[Tensor],
        commits: dict[Variable, Tensor] | None = None,
        keep: Iterable[Tensor] = (),
    ) -> None:
        self.inputs, self.outputs = list(inputs), list(outputs)
        self.commits, self.keep = dict(commits or {}), list(keep)
        ends = [*self.outputs, *self.commits.values(), *self.keep]
        self.nodes = _assignments_last(topological(ends), set(self.commits.values()))

    def tensors(self) -> Iterator[Tensor]:
        """Every value, leaves included, each once."""
        ends = (*self.outputs, *self.commits.values(), *self.keep)
        edges = (t for node in self.nodes for t in (*node.inputs, *node.outputs))
        yield from dict.fromkeys((*self.inputs, *edges, *ends))

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.nodes))
