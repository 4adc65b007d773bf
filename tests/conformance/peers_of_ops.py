"""What each operation is called in PyTorch and in Keras, for `test_ops.py`.

A peer in TORCH is a function of the torch module, the op's inputs as tensors, and the
op's attributes by name; it returns None for an output that torch does not have, or
counts differently. One in KERAS takes the inputs and the attributes. An op that
keras.ops has under the same name and with the same arguments needs no entry there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.peers import keras


def _named(*names: str) -> dict[str, Callable[..., Any]]:
    """Ops that are called the same in torch and have no attributes."""

    def peer(name: str) -> Callable[..., Any]:
        return lambda t, *xs: getattr(t, name)(*xs)

    return {name: peer(name) for name in names}


def _at(name: str) -> Callable[..., Any]:
    """An op by its path in torch, such as nn.functional.silu."""

    def peer(t: Any, *xs: Any, **attrs: Any) -> Any:
        for part in name.split("."):
            t = getattr(t, part)
        return t(*xs, **attrs)

    return peer


# --- shapes and reductions


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def _reduced(name: str) -> Callable[..., Any]:
    def peer(t: Any, x: Any, axis: Any, keepdims: bool) -> Any:
        return getattr(t, name)(x, dim=_axes(axis, x.ndim), keepdim=keepdims)

    return peer


def _one_by_one(name: str) -> Callable[..., Any]:
    """A reduction that torch does along one axis only."""

    def peer(t: Any, x: Any, axis: Any, keepdims: bool) -> Any:
        for a in sorted((a % x.ndim for a in _axes(axis, x.ndim)), reverse=True):
            x = getattr(t, name)(x, dim=a, keepdim=keepdims)
        return x

    return peer


def _flattened_arg(name: str) -> Callable[..., Any]:
    def peer(t: Any, x: Any, axis: Any, keepdims: bool) -> Any:
        y = getattr(t, name)(x, dim=axis, keepdim=keepdims and axis is not None)
        return y.reshape((1,) * x.ndim) if keepdims and axis is None else y

    return peer


def _along(name: str) -> Callable[..., Any]:
    """softmax and its kind over several axes: over one that holds them all."""

    def peer(t: Any, x: Any, axis: Any) -> Any:
        axes = [a % x.ndim for a in _axes(axis, x.ndim)]
        rest = [a for a in range(x.ndim) if a not in axes]
        turned = x.permute(*rest, *axes)
        flat = turned.reshape(*(x.shape[a] for a in rest), -1)
        y = getattr(t, name)(flat, dim=-1).reshape(turned.shape)
        return y.permute(*np.argsort([*rest, *axes]).tolist())

    return peer


def _sum_to(t: Any, x: Any, shape: Any) -> Any:
    return x.sum_to_size(shape)


def _transpose(t: Any, x: Any, axes: Any) -> Any:
    return x.permute(*(axes or range(x.ndim)[::-1]))


def _pad(t: Any, x: Any, widths: Any, value: Any) -> Any:
    flat = [n for pair in reversed(widths) for n in pair]
    return t.nn.functional.pad(x, flat, value=value)


def _getitem(t: Any, x: Any, key: Any) -> Any:
    parts = key if isinstance(key, tuple) else (key,)
    for part in parts:
        if isinstance(part, slice) and (part.step or 1) < 0:  # torch has no such slices
            assert len(parts) == 1
            return x[t.arange(*part.indices(len(x)))]
    return x[key]


def _setitem_zeros(t: Any, x: Any, shape: Any, key: Any) -> Any:
    y = t.zeros(shape, dtype=x.dtype)
    y[key] = x
    return y


def _setitem(t: Any, x: Any, update: Any, key: Any) -> Any:
    y = x.clone()
    y[key] = update
    return y


def _with_arrays(key: Any, arrays: Any) -> Any:
    rest = iter(arrays)
    return tuple(next(rest) if isinstance(k, str) else k for k in key)


def _setitem_at(t: Any, x: Any, *arrays: Any, shape: Any, key: Any) -> Any:
    zeros = t.zeros(shape, dtype=x.dtype)
    return zeros.index_put(_with_arrays(key, arrays), x, accumulate=True)


def _gather(t: Any, x: Any, indices: Any, axis: int) -> Any:
    rows = t.index_select(x, axis, indices.reshape(-1) % x.shape[axis])
    return rows.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def _scatter_add(t: Any, x: Any, indices: Any, size: int, axis: int) -> Any:
    flat = x.reshape(*x.shape[:axis], -1, *x.shape[axis + indices.ndim :])
    zeros = t.zeros(*flat.shape[:axis], size, *flat.shape[axis + 1 :], dtype=x.dtype)
    return zeros.index_add(axis, indices.reshape(-1) % size, flat)


def _one_hot(t: Any, x: Any, classes: int, axis: int, dtype: str) -> Any:
    inside = (x >= 0) & (x < classes)
    y = t.nn.functional.one_hot(t.where(inside, x, 0).long(), classes)
    y = (y * inside[..., None]).to(getattr(t, dtype))
    return y.movedim(-1, axis)


# --- activations


def _leaky_relu(t: Any, x: Any, negative_slope: float) -> Any:
    return t.nn.functional.leaky_relu(x, negative_slope)


def _gelu(t: Any, x: Any, approximate: bool) -> Any:
    return t.nn.functional.gelu(x, approximate="tanh" if approximate else "none")


# --- losses


def _softmax_cross_entropy(t: Any, target: Any, logits: Any, axis: int) -> Any:
    y = -(target * t.log_softmax(logits, dim=axis)).sum(dim=axis)
    return y, t.softmax(logits, dim=axis)


def _sparse_softmax_cross_entropy(t: Any, target: Any, logits: Any) -> Any:
    flat = logits.reshape(-1, logits.shape[-1])
    y = t.nn.functional.cross_entropy(flat, target.reshape(-1), reduction="none")
    return y.reshape(target.shape), t.softmax(logits, dim=-1)


def _sigmoid_cross_entropy(t: Any, target: Any, logits: Any) -> Any:
    loss = t.nn.functional.binary_cross_entropy_with_logits
    return loss(logits, target, reduction="none")


# --- convolution, pooling, normalization


def _padded(
    t: Any,
    x: Any,
    size: Any,
    strides: Any,
    padding: Any,
    dilation: Any,
    value: float = 0,
) -> Any:
    """(n, height, width, channels) -> (n, channels, height, width) with its padding."""
    x = x.permute(0, 3, 1, 2)
    if padding == "valid":
        return x
    if padding == "same":
        padding = []
        for n, k, s, d in zip(x.shape[2:], size, strides, dilation, strict=True):
            missing = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            padding.append((missing // 2, missing - missing // 2))
    (top, bottom), (left, right) = padding
    return t.nn.functional.pad(x, (left, right, top, bottom), value=value)


def _conv2d(
    t: Any, x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    x = _padded(t, x, kernel.shape[:2], strides, padding, dilation)
    y = t.nn.functional.conv2d(
        x, kernel.permute(3, 2, 0, 1), None, strides, 0, dilation, groups
    )
    return y.permute(0, 2, 3, 1)


def _depthwise_conv2d(
    t: Any, x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any
) -> Any:
    *size, channels, multiplier = kernel.shape
    grouped = kernel.reshape(*size, 1, channels * multiplier)
    return _conv2d(t, x, grouped, strides, padding, dilation, channels)


def _average_pool2d(t: Any, x: Any, size: Any, strides: Any, padding: Any) -> Any:
    def pool(x: Any) -> Any:
        padded = _padded(t, x, size, strides, padding, (1, 1))
        return t.nn.functional.avg_pool2d(padded, size, strides)

    return (pool(x) / pool(t.ones_like(x))).permute(0, 2, 3, 1)


def _max_pool2d(t: Any, x: Any, size: Any, strides: Any, padding: Any) -> Any:
    padded = _padded(t, x, size, strides, padding, (1, 1), value=-np.inf)
    y = t.nn.functional.max_pool2d(padded, size, strides).permute(0, 2, 3, 1)
    return y, None  # torch counts positions in the whole picture


def _batch_norm(t: Any, x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    variance, mean = t.var_mean(x, dim=tuple(range(x.ndim - 1)), correction=0)
    moved = x.movedim(-1, 1)
    norm = t.nn.functional.batch_norm
    y = norm(moved, None, None, gamma, beta, training=True, eps=epsilon)
    return y.movedim(1, -1), mean, variance


def _layer_norm(t: Any, x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    variance, mean = t.var_mean(x, dim=-1, correction=0, keepdim=True)
    y = t.nn.functional.layer_norm(x, x.shape[-1:], gamma, beta, epsilon)
    return y, mean, variance


TORCH: dict[str, Callable[..., Any]] = {
    **_named(
        "absolute",
        "add",
        "arccos",
        "arcsin",
        "arctan",
        "arctan2",
        "ceil",
        "cos",
        "cosh",
        "divide",
        "erf",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "floor_divide",
        "isfinite",
        "isinf",
        "isnan",
        "log",
        "log10",
        "log1p",
        "log2",
        "logaddexp",
        "logical_and",
        "logical_not",
        "logical_or",
        "logical_xor",
        "maximum",
        "minimum",
        "multiply",
        "negative",
        "not_equal",
        "greater",
        "greater_equal",
        "less",
        "less_equal",
        "reciprocal",
        "relu",
        "rsqrt",
        "sigmoid",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "subtract",
        "tan",
        "tanh",
    ),
    "all": _one_by_one("all"),
    "any": _one_by_one("any"),
    "argmax": _flattened_arg("argmax"),
    "argmin": _flattened_arg("argmin"),
    "argsort_along": lambda t, x, axis, descending: t.argsort(
        x, dim=axis, descending=descending, stable=True
    ),
    "average_pool2d": _average_pool2d,
    "batch_norm": _batch_norm,
    "broadcast_to": lambda t, x, shape: x.expand(shape),
    "cast": lambda t, x, dtype: x.to(getattr(t, dtype)),
    "celu": lambda t, x, alpha: t.nn.functional.celu(x, alpha),
    "clamp": lambda t, x, least, most: t.clamp(x, least, most),
    "concatenate_all": lambda t, *xs, axis: t.cat(xs, dim=axis),
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "cumulative_sum": lambda t, x, axis: t.cumsum(x, dim=axis),
    "einstein_sum": lambda t, *xs, subscripts: t.einsum(subscripts, *xs),
    "elu": lambda t, x, alpha: t.nn.functional.elu(x, alpha),
    "equal": _at("eq"),
    "fill_like": lambda t, x, value, dtype: t.full_like(
        x, value, dtype=getattr(t, dtype or "float64")
    ),
    "gather": _gather,
    "gather_along": lambda t, x, indices, axis: t.gather(
        x, axis, indices % x.shape[axis]
    ),
    "gelu": _gelu,
    "gemm": lambda t, a, b, ta, tb: (a.mT if ta else a) @ (b.mT if tb else b),
    "getitem": _getitem,
    "getitem_at": lambda t, x, *arrays, key: x[_with_arrays(key, arrays)],
    "hard_shrink": lambda t, x, threshold: t.nn.functional.hardshrink(x, threshold),
    "identity_value": lambda t, x: x.clone(),
    "largest": _reduced("amax"),
    "layer_norm": _layer_norm,
    "leaky_relu": _leaky_relu,
    "log_softmax": _along("log_softmax"),
    "max_pool2d": _max_pool2d,
    "mean": _reduced("mean"),
    "mod": _at("remainder"),
    "one_hot_value": _one_hot,
    "pad_constant": _pad,
    "pick": lambda t, target, x: t.gather(x, -1, target[..., None])[..., 0],
    "power": _at("pow"),
    "prod": lambda t, x, axis, keepdims, dtype: _one_by_one("prod")(
        t, x, axis, keepdims
    ),
    "repeat_each": lambda t, x, repeats, axis: t.repeat_interleave(
        x, repeats, dim=axis
    ),
    "repeat_blocks": lambda t, x, repeats: t.tile(x, repeats),
    "reshape": lambda t, x, newshape: x.reshape(newshape),
    "round": lambda t, x, decimals: t.round(x, decimals=decimals),
    "scatter_add": _scatter_add,
    "scatter_along": lambda t, x, indices, shape, axis: t.zeros(
        shape, dtype=x.dtype
    ).scatter_add(axis, indices % shape[axis], x),
    "select": lambda t, condition, a, b: t.where(condition, a, b),
    "setitem": _setitem,
    "setitem_at": _setitem_at,
    "setitem_zeros": _setitem_zeros,
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
    "silu": _at("nn.functional.silu"),
    "smallest": _reduced("amin"),
    "soft_shrink": lambda t, x, threshold: t.nn.functional.softshrink(x, threshold),
    "softmax": _along("softmax"),
    "softmax_cross_entropy": _softmax_cross_entropy,
    "softplus": lambda t, x: t.nn.functional.softplus(x, threshold=700),
    "softsign": _at("nn.functional.softsign"),
    "sparse_softmax_cross_entropy": _sparse_softmax_cross_entropy,
    "stack_all": lambda t, *xs, axis: t.stack(xs, dim=axis),
    "stop_gradient": lambda t, x: x.detach(),
    "sum": _reduced("sum"),
    "sum_to": _sum_to,
    "transpose": _transpose,
}

_OURS = "torch has no such function; finite differences and tests of its own judge it"
NOT_IN_TORCH: dict[str, str] = {
    "sparse_plus": _OURS,
    "sparsemax": _OURS,
    "product_of_others": _OURS,
    "affine": "torch counts pixels from -1 to 1; tests/layers compare with Keras",
    "max_pool2d_pick": "part of the second gradient of max_pool2d only",
}

# The values are compared, the gradients are not.
NOT_TORCHS_GRADIENT: dict[str, str] = {}


def _keras(name: str) -> Callable[..., Any]:
    """A function of keras.ops, with the values of the attributes in their order."""
    return lambda *xs, **attrs: getattr(keras().ops, name)(*xs, *attrs.values())


KERAS: dict[str, Callable[..., Any]] = {
    "argsort_along": lambda x, axis, descending: keras().ops.argsort(
        -x if descending else x, axis=axis
    ),
    "clamp": _keras("clip"),
    "concatenate_all": lambda *xs, axis: keras().ops.concatenate(xs, axis=axis),
    "cumulative_sum": lambda x, axis: keras().ops.cumsum(x, axis=axis),
    "einstein_sum": lambda *xs, subscripts: keras().ops.einsum(subscripts, *xs),
    "gather": lambda x, indices, axis: keras().ops.take(x, indices, axis=axis),
    "gather_along": lambda x, indices, axis: keras().ops.take_along_axis(
        x, indices, axis=axis
    ),
    "largest": _keras("max"),
    "pad_constant": lambda x, widths, value: keras().ops.pad(
        x, widths, constant_values=value
    ),
    "repeat_each": lambda x, repeats, axis: keras().ops.repeat(x, repeats, axis=axis),
    "select": _keras("where"),
    "smallest": _keras("min"),
    "stack_all": lambda *xs, axis: keras().ops.stack(xs, axis=axis),
}

NOT_IN_KERAS: dict[str, str] = {
    "sparsemax": "Keras 3.15 adds up the wrong numbers: its rows do not sum to 1",
}
