"""Elementwise operations: their formulas, all computed by one kernel, `pointwise`.

A formula here is that of `forward`, over `Value`s instead of arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.kernels.native.formula import (
    SIZE,
    Unknown,
    Value,
    encode,
    inputs_of,
    step,
)
from deepneuron.kernels.native.lowering import (
    MAP,
    SERIAL,
    TEAM,
    Lowering,
    Rows,
    lowers,
)

SMALL = 1 << 14  # values; so few are quicker done than shared among threads
_formulas: dict[str, Callable[..., Value]] = {}


def formula(rule: Callable[..., Value]) -> Callable[..., Value]:
    """Register the formula of the operation of that name."""
    name = rule.__name__.rstrip("_")
    _formulas[name] = rule
    lowers(name)(_lower)
    return rule


def _same_steps(*names: str) -> None:
    """Operations that the kernel has as steps, under the same name."""
    for name in names:
        _formulas[name] = lambda *xs, name=name: step(name, *xs)
        lowers(name)(_lower)


# --- from a node to an instruction


def _lower(low: Lowering, node: Node) -> bool:
    """One pointwise instruction for one node."""
    dtypes = [t.dtype for t in (*node.inputs, *node.outputs)]
    if any(dtype not in SIZE for dtype in dtypes):
        return False
    (y,) = node.outputs
    tensors = list(dict.fromkeys(node.inputs))
    values = {t: Value.input(i, t.dtype) for i, t in enumerate(tensors)}
    rule = _formulas[node.op.name]
    xs = [_number(x) if _is_number(x) else values[x] for x in node.inputs]
    if not any(isinstance(x, Value) and x.step == "input" for x in xs):
        xs = [values[x] for x in node.inputs]
    try:
        result = rule(*xs, **node.attrs)
        if result.dtype != y.dtype:
            result = step(f"to_{y.dtype}", result)
        return emit(low, [result], tensors, [y], [node])
    except Unknown:
        return False


def _is_number(x: Tensor) -> bool:
    """Whether x is a constant without axes; it may then stand in the program."""
    known = x.node is None and not isinstance(x, Variable) and x.shape == ()
    return known and x.value_or_none() is not None


def _number(x: Tensor) -> Value:
    return Value(x.dtype, "constant", (), np.asarray(x.value_or_none()).item())


def emit(
    low: Lowering,
    results: list[Value],
    tensors: list[Tensor],
    outputs: list[Tensor],
    nodes: list[Node],
) -> bool:
    """A pointwise instruction: by rows where the batch runs through it."""
    y = outputs[0]
    by_rows = bool(y.shape) and any(
        low.batched(x) and len(x.shape) == len(y.shape) and y.shape[0] == low.rows
        for x in tensors
    )
    # Whatever fills a batch is made row by row, be it out of one number.
    if nodes[0].op.name == "broadcast_to" and y.shape[:1] == (low.rows,):
        by_rows = True
    used = inputs_of(results)
    renumbered = {n: i for i, n in enumerate(used)}
    for value in used.values():
        for v in value:
            v.number = renumbered[int(v.number)]
    tensors = [tensors[n] for n in used]
    inputs = [Rows(x) if by_rows and _has_rows(x, y) else x for x in tensors]
    commits = low.graph.commits
    preferred = {
        number: i
        for number, output in enumerate(outputs)
        for i, x in enumerate(tensors)
        if isinstance(x, Variable) and commits.get(x) is output
    }
    ints, floats, inplace = encode(results, y.shape, by_rows, inputs, preferred)
    if len({low.home(x) for x in tensors}) < len(tensors):
        inplace = {}  # of two views of one memory, the other may be read later
    kind = MAP if by_rows else SERIAL if math.prod(y.shape) <= SMALL else TEAM
    written = [Rows(t) if by_rows else t for t in outputs]
    low.emit("pointwise", kind, inputs, written, ints, floats, nodes, inplace)
    return True


def _has_rows(x: Tensor, y: Tensor) -> bool:
    return len(x.shape) == len(y.shape) and x.shape[0] == y.shape[0]


# --- arithmetic

_same_steps(
    *("subtract", "divide", "maximum", "minimum", "negative", "absolute", "sign"),
    *("floor_divide", "mod", "sqrt", "relu_grad"),
    *("equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "select"),
    *("logical_and", "logical_or", "logical_xor", "logical_not"),
    *("isnan", "isinf", "isfinite"),
    *("exp", "expm1", "log", "log1p", "exp2", "log2", "log10"),
    *("tanh", "sigmoid", "softplus", "erf"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh"),
)


def where(condition: Value, x1: Any, x2: Any) -> Value:
    return step("select", condition, x1, x2)


def maximum(x1: Value, x2: Any) -> Value:
    return step("maximum", x1, x2)


def minimum(x1: Value, x2: Any) -> Value:
    return step("minimum", x1, x2)


def exp(x: Value) -> Value:
    return step("exp", x)


def absolute(x: Value) -> Value:
    return step("absolute", x)


@formula
def add(x1: Value, x2: Value) -> Value:
    return step("logical_or" if x1.dtype == "bool" else "add", x1, x2)


@formula
def multiply(x1: Value, x2: Value) -> Value:
    return step("logical_and" if x1.dtype == "bool" else "multiply", x1, x2)


@formula
def square(x: Value) -> Value:
    return x * x


_PRODUCTS: dict[float, Callable[[Value], Value]] = {
    1: lambda x: step("copy", x),
    2: lambda x: x * x,
    3: lambda x: x * x * x,
    4: lambda x: square(x * x),
}


@formula
def power(x1: Value, x2: Value) -> Value:
    if x2.step == "constant" and x2.number in _PRODUCTS:
        return _PRODUCTS[x2.number](x1)
    return step("power", x1, x2)


@formula
def reciprocal(x: Value) -> Value:
    return 1.0 / x


@formula
def rsqrt(x: Value) -> Value:
    return 1.0 / step("sqrt", x)


@formula
def floor(x: Value) -> Value:
    return step("floor", x)


@formula
def ceil(x: Value) -> Value:
    return step("ceil", x)


@formula
def round_(x: Value, decimals: int) -> Value:
    if x.dtype != "float32" and decimals >= 0:
        return x
    if decimals == 0:
        return step("rint", x)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return step("rint", x * scale) / scale
    return step("rint", x / scale) * scale


@formula
def logaddexp(x1: Value, x2: Value) -> Value:
    distance = absolute(x1 - x2)
    far = maximum(x1, x2) + step("log1p", exp(-distance))
    return where(step("equal", x1, x2), x1 + math.log(2.0), far)


@formula
def moving_average(average: Value, x: Value, momentum: Value) -> Value:
    return average * momentum + x * (1.0 - momentum)


# --- types and shapes


@formula
def cast(x: Value, dtype: Any) -> Value:
    name = np.dtype(dtype).name
    if name not in SIZE:
        raise Unknown(f"cast to {name}")
    return step("copy", x) if name == x.dtype else step(f"to_{name}", x)


@formula
def identity_value(x: Value) -> Value:
    return step("copy", x)


@formula
def broadcast_to(x: Value, shape: Any) -> Value:
    return step("copy", x)


# --- rectifiers


@formula
def relu(x: Value) -> Value:
    return step("relu", x) if x.dtype == "float32" else maximum(x, 0)


@formula
def leaky_relu(x: Value, negative_slope: float) -> Value:
    return where(x >= 0.0, x, negative_slope * x)


@formula
def leaky_relu_grad(dy: Value, x: Value, negative_slope: float) -> Value:
    return where(x >= 0.0, dy, negative_slope * dy)


@formula
def clamp(x: Value, least: float, most: float) -> Value:
    return minimum(maximum(x, least), most)


@formula
def clamp_grad(dy: Value, y: Value, least: float, most: float) -> Value:
    return where((y > least) & (y < most), dy, 0.0)


@formula
def soft_shrink(x: Value, threshold: float) -> Value:
    return x - clamp(x, -threshold, threshold)


@formula
def hard_shrink(x: Value, threshold: float) -> Value:
    return where(absolute(x) > threshold, x, 0.0)


@formula
def shrink_grad(dy: Value, y: Value) -> Value:
    return where(step("not_equal", y, 0.0), dy, 0.0)


# --- sigmoids


@formula
def sigmoid_grad(dy: Value, y: Value) -> Value:
    return dy * y * (1.0 - y)


@formula
def tanh_grad(dy: Value, y: Value) -> Value:
    return dy * (1.0 - y * y)


@formula
def softsign(x: Value) -> Value:
    return x / (1.0 + absolute(x))


@formula
def softsign_grad(dy: Value, x: Value) -> Value:
    return dy / square(1.0 + absolute(x))


# --- between a straight line and nothing


@formula
def softplus_grad(dy: Value, y: Value) -> Value:
    return -dy * step("expm1", -y)


@formula
def sparse_plus(x: Value) -> Value:
    return where(x >= 1.0, x, square(maximum(x, -1.0) + 1.0) / 4.0)


@formula
def elu(x: Value, alpha: float) -> Value:
    return where(x > 0.0, x, alpha * step("expm1", minimum(x, 0.0)))


@formula
def celu(x: Value, alpha: float) -> Value:
    return where(x > 0.0, x, alpha * step("expm1", minimum(x, 0.0) / alpha))


@formula
def exponential_unit_grad(dy: Value, x: Value, factor: float, scale: float) -> Value:
    return dy * where(x > 0.0, 1.0, factor * exp(minimum(x, 0.0) / scale))


@formula
def silu(x: Value) -> Value:
    return x / (1.0 + exp(-x))


@formula
def silu_grad(dy: Value, x: Value) -> Value:
    s = step("sigmoid", x)
    return dy * s * (1.0 + x * (1.0 - s))


# --- the bell curve

_INNER, _CUBIC = math.sqrt(2 / math.pi), 0.044715


@formula
def gelu(x: Value, approximate: bool) -> Value:
    if approximate:
        return 0.5 * x * (1.0 + step("tanh", _inner(x)))
    return x * _normal_cdf(x)


@formula
def gelu_grad(dy: Value, x: Value, approximate: bool) -> Value:
    if approximate:
        t = step("tanh", _inner(x))
        slope = _INNER * (1.0 + 3 * _CUBIC * x * x)
        return dy * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope)
    bell = exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return dy * (_normal_cdf(x) + x * bell)


def _inner(x: Value) -> Value:
    return _INNER * (x + _CUBIC * x * x * x)


def _normal_cdf(x: Value) -> Value:
    return 0.5 * step("erfc", x * (-1 / math.sqrt(2)))


# --- losses


@formula
def sigmoid_cross_entropy(target: Value, logits: Value) -> Value:
    softplus = step("log1p", exp(-absolute(logits)))
    return maximum(logits, 0.0) - logits * target + softplus


@formula
def sigmoid_cross_entropy_grad(dy: Value, target: Value, logits: Value) -> Value:
    return dy * (step("sigmoid", logits) - target)


@formula
def fill_like(x: Value, value: float, dtype: Any) -> Value:
    return Value(np.dtype(dtype).name, "constant", (), value)


__all__ = ["SMALL", "emit", "formula"]
