"""Rewrites: another graph with the same values, that takes less time.

Where a network pools the output of a relu, the gradient passes the pooling and then the
relu's mask. The mask may as well be applied first, to the pooled values, of which there
are only a quarter: a window hands its gradient to its maximum, and that is positive
exactly if the pooled value is. The large output of the relu is then no longer needed on
the way back. The bias gradient behind it sums a quarter of the numbers, too. With
(y, where) = max_pool2d(x):

    relu_grad(max_pool2d_grad(dy, where), x) = max_pool2d_grad(relu_grad(dy, y), where)
    sum_to(max_pool2d_grad(dy, where)) = sum_to(dy)
"""

from __future__ import annotations

from deepneuron.engine import scope
from deepneuron.engine.graph import Graph, Node
from deepneuron.engine.registry import registry
from deepneuron.engine.tensor import Tensor


def rewrite(graph: Graph, exact: bool = False) -> Graph:
    """The graph with every rewrite applied; itself, if there is nothing to do.

    Args:
        graph: left as it is.
        exact: only those that leave every bit as it was; a sum over fewer numbers
            rounds in another way.
    """
    if not any(node.op.name == "max_pool2d_grad" for node in graph.nodes):
        return graph
    new: dict[Tensor, Tensor] = {}

    def now(tensor: Tensor) -> Tensor:
        return new.get(tensor, tensor)

    with scope.use(scope.Capture()):
        for node in graph.nodes:
            inputs = tuple(map(now, node.inputs))
            with scope.name_scope(node.path, node.source):
                y = _mask_first(node, inputs)
                if y is None and not exact:
                    y = _sum_first(node, inputs)
                if y is not None:
                    new[node.outputs[0]] = y
                elif inputs != node.inputs:
                    again = _again(node, inputs)
                    new.update(zip(node.outputs, again.outputs, strict=True))
    commits = {variable: now(value) for variable, value in graph.commits.items()}
    outputs, keep = map(now, graph.outputs), map(now, graph.keep)
    return Graph(graph.inputs, outputs, commits, keep)


def _again(node: Node, inputs: tuple[Tensor, ...]) -> Node:
    again = Node(node.op, inputs, node.attrs)
    again.path, again.source = node.path, node.source
    return again


def _pooling_behind(dx: Tensor) -> Node | None:
    """The max_pool2d_grad that made a tensor."""
    node = dx.node
    return node if node is not None and node.op.name == "max_pool2d_grad" else None


def _mask_first(node: Node, inputs: tuple[Tensor, ...]) -> Tensor | None:
    if node.op.name != "relu_grad" or (grad := _pooling_behind(inputs[0])) is None:
        return None
    dy, where = grad.inputs
    pool = where.node
    if pool is None or pool.op.name != "max_pool2d" or pool.inputs[0] is not inputs[1]:
        return None
    masked = registry["relu_grad"](dy, pool.outputs[0])
    return registry["max_pool2d_grad"](masked, where, **grad.attrs)


def _sum_first(node: Node, inputs: tuple[Tensor, ...]) -> Tensor | None:
    if node.op.name != "sum_to" or (grad := _pooling_behind(inputs[0])) is None:
        return None
    channels = inputs[0].shape[-1:]
    if node.attrs["shape"] != channels or grad.attrs["padding"] != "valid":
        return None  # in the padding, a gradient may get lost
    return registry["sum_to"](grad.inputs[0], shape=channels)


__all__: list[str] = ["rewrite"]
