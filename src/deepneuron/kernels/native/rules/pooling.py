"""Pooling: windows, and the mean over whole pictures."""

from __future__ import annotations

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, Lowering, Rows, lowers
from deepneuron.ops.window import windows

POSITIONS = 256  # that fit one byte


def _windows(node: Node, picture: tuple[int, ...]) -> list[int]:
    """Windows over pictures (height, width, channels), as kernels are told of them."""
    height, width, channels = picture
    attrs = node.attrs
    w = windows(
        node.op.name,
        (height, width),
        attrs["size"],
        attrs["strides"],
        attrs["padding"],
    )
    (above, _), (left, _) = w.padding
    return [height, width, channels, *w.size, *w.strides, above, left, *w.places]


def _are_pictures(low: Lowering, *tensors: Tensor) -> bool:
    return low.batched(*tensors) and all(
        t.ndim == 4 and t.dtype == "float32" for t in tensors
    )


def _positions_fit(node: Node) -> bool:
    rows, columns = node.attrs["size"]
    return rows * columns <= POSITIONS


def _bias_of(node: Node, x: Tensor) -> Tensor | None:
    """The other input of an add, if it has one value for each channel of x."""
    others = [t for t in node.inputs if t is not x]
    if node.op.name != "add" or len(others) != 1:
        return None
    bias = others[0]
    is_bias = bias.shape == x.shape[-1:] and bias.dtype == "float32"
    return bias if is_bias else None


# --- the maximum


@lowers("max_pool2d")
def max_pool2d(low: Lowering, node: Node) -> bool:
    """The pooling, and a bias and a relu behind it."""
    (x,), y = node.inputs, node.outputs[0]
    if not _are_pictures(low, x) or not _positions_fit(node):
        return False
    nodes, bias, result = [node], None, y
    add = low.sole_user(y, "add")
    if add is not None and (found := _bias_of(add, y)) is not None:
        bias, result = found, add.outputs[0]
        nodes.append(add)
    relu = low.sole_user(result, "relu")
    if relu is not None:
        result = relu.outputs[0]
        nodes.append(relu)
    _emit_pooling(low, node, x, bias, result, nodes, first=False)
    return True


@lowers("add", "relu")
def before_max_pool2d(low: Lowering, node: Node) -> bool:
    """relu(x + bias), relu(x) or x + bias, which nobody wants but the pooling behind.

    The maximum of the relu is the relu of the maximum. Only where the maximum is 0, its
    position may differ; so nobody may ask for it there.
    """
    x, bias, last, nodes = node.inputs[0], None, node, [node]
    if node.op.name == "add":
        for candidate in node.inputs:
            if (bias := _bias_of(node, candidate)) is not None:
                x = candidate
                break
        if bias is None:
            return False
        relu = low.sole_user(node.outputs[0], "relu")
        if relu is not None:
            last = relu
            nodes.append(relu)
    if not _are_pictures(low, x):
        return False
    pool = low.sole_user(last.outputs[0], "max_pool2d")
    if pool is None or not _positions_fit(pool):
        return False
    if last.op.name == "relu" and not _masked(low, pool):
        return False
    nodes.append(pool)
    _emit_pooling(low, pool, x, bias, pool.outputs[0], nodes, first=True)
    return True


def _masked(low: Lowering, pool: Node) -> bool:
    """Whether positions are asked for only where the pooled value is positive."""
    y, where = pool.outputs
    if low.kept(where):
        return False
    for user in low.users(where):
        mask = user.inputs[0].node
        if user.op.name != "max_pool2d_grad" or mask is None:
            return False
        if mask.op.name != "relu_grad" or mask.inputs[1] is not y:
            return False
    return True


def _emit_pooling(
    low: Lowering,
    node: Node,
    x: Tensor,
    bias: Tensor | None,
    y: Tensor,
    nodes: list[Node],
    first: bool,
) -> None:
    where = node.outputs[1]
    unread = not low.users(where) and not low.kept(where)
    relu = any(n.op.name == "relu" for n in nodes)
    low.emit(
        "max_pool2d",
        MAP,
        [Rows(x), bias],
        [Rows(y), None if unread else Rows(where)],
        [*_windows(node, x.shape[1:]), relu, first],
        nodes=nodes,
    )


@lowers("max_pool2d_grad")
def max_pool2d_grad(low: Lowering, node: Node) -> bool:
    """Every window's dy to where its maximum was found."""
    dy, where = node.inputs
    if not _are_pictures(low, dy) or not low.batched(where):
        return False
    if where.dtype != "uint8":
        return False
    _emit_gradient(low, node, dy, None, None, [node])
    return True


@lowers("relu_grad")
def masked_max_pool2d_grad(low: Lowering, node: Node) -> bool:
    """A relu's mask in front of the pooling's gradient, and the bias gradient too."""
    (dy, y), (masked,) = node.inputs, node.outputs
    users = low.users(masked)
    names = sorted(user.op.name for user in users)
    if names not in (["max_pool2d_grad"], ["max_pool2d_grad", "sum_to"]):
        return False
    if low.kept(masked) or not _are_pictures(low, dy, y) or dy.shape != y.shape:
        return False
    grad = next(u for u in users if u.op.name == "max_pool2d_grad")
    where = grad.inputs[1]
    if where is masked or not low.batched(where) or where.dtype != "uint8":
        return False
    total = next((u for u in users if u.op.name == "sum_to"), None)
    if total is not None and total.outputs[0].shape != dy.shape[-1:]:
        return False
    _emit_gradient(low, grad, dy, y, total, [n for n in (node, grad, total) if n])
    return True


def _emit_gradient(
    low: Lowering,
    node: Node,
    dy: Tensor,
    y: Tensor | None,
    total: Node | None,
    nodes: list[Node],
) -> None:
    dx = node.outputs[0]
    sums = None if total is None else low.accumulator(4 * dx.shape[-1])
    low.emit(
        "max_pool2d_grad",
        MAP,
        [Rows(dy), Rows(node.inputs[1]), None if y is None else Rows(y)],
        [Rows(dx), sums],
        _windows(node, dx.shape[1:]),
        nodes=nodes,
    )
    if total is not None and sums is not None:
        low.sum_shards(sums, total.outputs[0])


# --- the mean


@lowers("average_pool2d", "average_pool2d_grad")
def average_pool2d(low: Lowering, node: Node) -> bool:
    """The mean over each window, and its gradient."""
    (x,), (y,) = node.inputs, node.outputs
    if not _are_pictures(low, x):
        return False
    picture = (x if node.op.name == "average_pool2d" else y).shape[1:]
    low.emit(
        node.op.name, MAP, [Rows(x)], [Rows(y)], _windows(node, picture), nodes=[node]
    )
    return True


@lowers("mean")
def mean_of_pixels(low: Lowering, node: Node) -> bool:
    """Global average pooling: the mean over everything between batch and channels."""
    (x,), (y,), axis = node.inputs, node.outputs, node.attrs["axis"]
    if not low.batched(x) or x.ndim < 3 or x.dtype != "float32":
        return False
    axes = axis if isinstance(axis, tuple | list) else [axis]
    if axis is None or sorted(a % x.ndim for a in axes) != [*range(1, x.ndim - 1)]:
        return False
    channels = x.shape[-1]
    pixels = _size(x) // channels if channels else 1
    low.emit(
        "mean_of_pixels", MAP, [Rows(x)], [Rows(y)], [pixels, channels], nodes=[node]
    )
    return True


@lowers("broadcast_to")
def spread_over_pixels(low: Lowering, node: Node) -> bool:
    """What comes back through a mean of pixels: the same to each of them."""
    (x,), (y,) = node.inputs, node.outputs
    if not low.batched(x) or x.ndim < 3 or x.ndim != y.ndim or x.dtype != "float32":
        return False
    channels = x.shape[-1]
    if _size(x) != channels or y.shape[-1] != channels or not channels:
        return False
    ints = [_size(y) // channels, channels]
    low.emit("spread_over_pixels", MAP, [Rows(x)], [Rows(y)], ints, nodes=[node])
    return True


def _size(x: Tensor) -> int:
    """Values of one row."""
    size = 1
    for n in x.shape[1:]:
        size *= n
    return size
