"""Cross-entropies, the values of classes, and how many predictions are right."""

from __future__ import annotations

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, Lowering, Rows, lowers
from deepneuron.kernels.native.rules.softmax import lines_of

LABELS = ("int32", "int64")
NUMBERS = (*LABELS, "float32")


def _is_unread(low: Lowering, x: Tensor) -> bool:
    return not low.users(x) and not low.kept(x)


def _are_floats(*tensors: Tensor) -> bool:
    return all(t.dtype == "float32" for t in tensors)


# --- one of several classes, given as its number


@lowers(
    "sparse_softmax_cross_entropy",
    "sparse_softmax_cross_entropy_grad",
    "pick",
    "pick_grad",
)
def with_labels(low: Lowering, node: Node) -> bool:
    """Kernels that meet a label, and find fault with one that does not exist."""
    name = node.op.name
    labels = node.inputs[1 if name.endswith("_grad") else 0]
    values = [x for x in node.inputs if x is not labels]
    whole = node.outputs[0] if name.endswith("_grad") else values[0]
    if labels.dtype not in LABELS or not low.batched(*node.inputs):
        return False
    sizes = lines_of(whole)
    if not _are_floats(*values) or sizes is None or labels.shape != whole.shape[:-1]:
        return False
    low.emit(
        f"{name}_{labels.dtype}",
        MAP,
        [Rows(x) for x in node.inputs],
        [
            None if _is_second_and_unread(low, node, y) else Rows(y)
            for y in node.outputs
        ],
        sizes,
        nodes=[node],
        inplace={0: 2} if name == "sparse_softmax_cross_entropy_grad" else {},
        faults=True,
    )
    return True


def _is_second_and_unread(low: Lowering, node: Node, y: Tensor) -> bool:
    """The probabilities, which only a gradient reads."""
    return y is not node.outputs[0] and _is_unread(low, y)


# --- one of several classes, given as shares


@lowers("softmax_cross_entropy", "softmax_cross_entropy_grad")
def with_shares(low: Lowering, node: Node) -> bool:
    """Cross-entropy with one share for each class."""
    whole = node.inputs[-1]
    sizes = lines_of(whole, node.attrs["axis"])
    if not low.batched(*node.inputs) or not _are_floats(*node.inputs):
        return False
    if sizes is None or node.inputs[-2].shape != whole.shape:
        return False
    if node.op.name.endswith("_grad") and node.inputs[0].shape[:-1] != whole.shape[:-1]:
        return False
    low.emit(
        node.op.name,
        MAP,
        [Rows(x) for x in node.inputs],
        [
            None if _is_second_and_unread(low, node, y) else Rows(y)
            for y in node.outputs
        ],
        sizes,
        nodes=[node],
    )
    return True


# --- yes or no


@lowers("sigmoid_cross_entropy", "sigmoid_cross_entropy_grad")
def sigmoid_cross_entropy(low: Lowering, node: Node) -> bool:
    """Value by value."""
    (y,) = node.outputs
    if not low.batched(*node.inputs) or not _are_floats(*node.inputs):
        return False
    if any(x.shape != y.shape for x in node.inputs):
        return False
    size = 1
    for n in y.shape[1:]:
        size *= n
    inputs = [Rows(x) for x in node.inputs]
    inplace = {0: len(inputs) - 1}
    low.emit(
        node.op.name, MAP, inputs, [Rows(y)], [size], nodes=[node], inplace=inplace
    )
    return True


# --- accuracy


@lowers("argmax")
def argmax(low: Lowering, node: Node) -> bool:
    """The class with the largest value, as the type in which it is compared."""
    (x,), (y,), axis = node.inputs, node.outputs, node.attrs["axis"]
    if not low.batched(x) or not _are_floats(x) or axis is None:
        return False
    sizes = lines_of(x, axis)
    if sizes is None:
        return False
    nodes = [node]
    cast = low.sole_user(y, "cast")
    if cast is not None and cast.outputs[0].dtype in NUMBERS:
        (y,) = cast.outputs
        nodes.append(cast)
    low.emit(f"argmax_{y.dtype}", MAP, [Rows(x)], [Rows(y)], sizes, nodes=nodes)
    return True


@lowers("equal")
def count_equal(low: Lowering, node: Node) -> bool:
    """equal -> cast -> sum: how many predictions are right."""
    a, b = node.inputs
    if a.dtype not in NUMBERS or (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    if not low.batched(a, b):
        return False
    cast = low.sole_user(node.outputs[0], "cast")
    if cast is None or not _are_floats(*cast.outputs):
        return False
    total = low.sole_user(cast.outputs[0], "sum")
    if total is None or total.outputs[0].size != 1:
        return False
    size = 1
    for n in a.shape[1:]:
        size *= n
    sums = low.accumulator(4)
    low.emit(
        f"count_equal_{a.dtype}",
        MAP,
        [Rows(a), Rows(b)],
        [sums],
        [size],
        nodes=[node, cast, total],
    )
    low.sum_shards(sums, total.outputs[0])
    return True
