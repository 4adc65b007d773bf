"""The table: for every operation that ONNX can say, the function that says it.

    @rule("softsign")
    def _softsign(g, step): ...

A rule reads `step.inputs` from the graph g, emits nodes, and stores `step.outputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepneuron.saving.onnx_graph import OnnxGraph
from deepneuron.saving.onnx_trace import Order, Step, Value

Rule = Callable[[OnnxGraph, Step], None]

RULES: dict[str, Rule] = {}
# Whose attributes may hold sizes that are not known yet.
SIZED: set[str] = set()


def rule(*names: str, sized: bool = False) -> Callable[[Rule], Rule]:
    """Enter a function into the table, for the operations of these names."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        if sized:
            SIZED.update(names)
        return function

    return enter


def pointwise(
    g: OnnxGraph, step: Step, formula: Callable[..., str], inputs: Any = None
) -> None:
    """y = formula(*names of the inputs), in the order of axes that suits the inputs."""
    xs, y = step.inputs if inputs is None else inputs, step.outputs[0]
    order = _common_order(g, xs, y)
    g.store(y, formula(*(_operand(g, x, y, order) for x in xs)), order)


def _common_order(g: OnnxGraph, xs: Sequence[Value], y: Value) -> Order:
    """The order in which most inputs are stored; a convolution's before the model's."""
    full = [x for x in xs if x.array is None and x.rank == y.rank]
    if any(x.array is None and 0 < x.rank < y.rank for x in xs) or not full:
        return y.identity
    votes = [order for x in full for order in g.orders(x)]
    return max(votes, key=lambda order: (votes.count(order), order != y.identity))


def _operand(g: OnnxGraph, x: Value, y: Value, order: Order) -> str:
    if x.array is None:
        return g.read(x, order if x.rank == y.rank else None)
    if order == y.identity:
        return g.read(x)
    array = x.array.reshape((1,) * (y.rank - x.rank) + x.array.shape).transpose(order)
    while array.ndim and array.shape[0] == 1:  # as short as it broadcasts
        array = array[0]
    key = (id(x), order, "operand")
    if key not in g._constants:
        g._constants[key] = g.weight(array, x.label), x
    return g._constants[key][0]


def is_whole(x: Value) -> bool:
    """Whether its type is one of whole numbers (or true and false)."""
    return np.dtype(x.dtype).kind in "iub"
