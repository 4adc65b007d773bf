"""ONNX's words for the elementwise operations: arithmetic, logic and activations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deepneuron.saving.onnx_graph import OnnxGraph
from deepneuron.saving.onnx_rules import is_whole, pointwise, rule
from deepneuron.saving.onnx_trace import Step

# Operations that ONNX has under another name, with the same meaning.
_SAME = {
    "absolute": "Abs",
    "add": "Add",
    "arccos": "Acos",
    "arcsin": "Asin",
    "arctan": "Atan",
    "cos": "Cos",
    "cosh": "Cosh",
    "divide": "Div",
    "equal": "Equal",
    "erf": "Erf",
    "exp": "Exp",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "isnan": "IsNaN",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "log": "Log",
    "logical_and": "And",
    "logical_not": "Not",
    "logical_or": "Or",
    "logical_xor": "Xor",
    "maximum": "Max",
    "minimum": "Min",
    "multiply": "Mul",
    "negative": "Neg",
    "power": "Pow",
    "reciprocal": "Reciprocal",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "sign": "Sign",
    "sin": "Sin",
    "sinh": "Sinh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "sqrt": "Sqrt",
    "subtract": "Sub",
    "tan": "Tan",
    "tanh": "Tanh",
}  # fmt: skip


@rule(*_SAME)
def _same(g: OnnxGraph, step: Step) -> None:
    pointwise(g, step, lambda *xs: g.emit(_SAME[step.op.name], *xs))


def _formula(*names: str) -> Callable[[Any], Any]:
    """Enter a function of (write, number, attributes, *names of the inputs).

    `write(kind, *names)` emits a node; `number(value)` is a constant of x's type.
    """

    def enter(function: Callable[..., str]) -> Callable[..., str]:
        def apply(g: OnnxGraph, step: Step) -> None:
            dtype = step.inputs[0].dtype

            def number(value: float) -> str:
                return g.number(value, dtype)

            pointwise(g, step, lambda *xs: function(g.emit, number, step.attrs, *xs))

        rule(*names)(apply)
        return function

    return enter


@rule("select")
def _select(g: OnnxGraph, step: Step) -> None:
    dtype = step.outputs[0].dtype
    # onnxruntime has no Where of truth values and small numbers.
    narrow = dtype in ("bool", "int8", "int16", "uint16")

    def formula(condition: str, x1: str, x2: str) -> str:
        if not narrow:
            return g.emit("Where", condition, x1, x2)
        wide = g.emit("Where", condition, g.cast(x1, "int32"), g.cast(x2, "int32"))
        return g.cast(wide, dtype)

    pointwise(g, step, formula)


@rule("floor", "ceil", "round")
def _rounding(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    scale = 10.0 ** step.attrs.get("decimals", 0)
    kind = step.op.name.capitalize()
    if is_whole(x) and scale >= 1:
        g.view(x, y)
    elif scale == 1:
        pointwise(g, step, lambda x: g.emit(kind, x))
    else:
        by = g.number(scale, x.dtype)
        pointwise(
            g, step, lambda x: g.emit("Div", g.emit(kind, g.emit("Mul", x, by)), by)
        )


@_formula("square")
def _square(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Mul", x, x)


@_formula("rsqrt")
def _rsqrt(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Reciprocal", write("Sqrt", x))


@_formula("exp2")
def _exp2(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Pow", number(2), x)


@_formula("expm1")
def _expm1(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Sub", write("Exp", x), number(1))


@_formula("log1p")
def _log1p(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Log", write("Add", x, number(1)))


@_formula("log2")
def _log2(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Div", write("Log", x), number(math.log(2)))


@_formula("log10")
def _log10(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Div", write("Log", x), number(math.log(10)))


@_formula("logaddexp")
def _logaddexp(write: Any, number: Any, attrs: Any, x1: str, x2: str) -> str:
    apart = write("Neg", write("Abs", write("Sub", x1, x2)))
    return write("Add", write("Max", x1, x2), write("Softplus", apart))


@_formula("not_equal")
def _not_equal(write: Any, number: Any, attrs: Any, x1: str, x2: str) -> str:
    return write("Not", write("Equal", x1, x2))


@rule("isinf", "isfinite")
def _finite(g: OnnxGraph, step: Step) -> None:
    def formula(x: str) -> str:
        if step.op.name == "isfinite":
            return g.emit("Not", g.emit("Or", g.emit("IsNaN", x), g.emit("IsInf", x)))
        return g.emit("IsInf", x)

    pointwise(g, step, formula)


@rule("mod", "floor_divide")
def _division(g: OnnxGraph, step: Step) -> None:
    dtype = step.inputs[0].dtype

    def formula(x1: str, x2: str) -> str:
        if step.op.name == "mod" and is_whole(step.inputs[0]):
            return g.emit("Mod", x1, x2)
        if is_whole(step.inputs[0]):
            x1, x2 = g.cast(x1, "float64"), g.cast(x2, "float64")
            return g.cast(g.emit("Floor", g.emit("Div", x1, x2)), dtype)
        times = g.emit("Floor", g.emit("Div", x1, x2))
        if step.op.name == "floor_divide":
            return times
        return g.emit("Sub", x1, g.emit("Mul", x2, times))

    pointwise(g, step, formula)


@_formula("clamp")
def _clamp(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Clip", x, number(attrs["least"]), number(attrs["most"]))


@rule("leaky_relu", "elu", "celu")
def _bent(g: OnnxGraph, step: Step) -> None:
    kind = {"leaky_relu": "LeakyRelu", "elu": "Elu", "celu": "Celu"}[step.op.name]
    (alpha,) = step.attrs.values()
    pointwise(g, step, lambda x: g.emit(kind, x, alpha=float(alpha)))


@_formula("silu")
def _silu(write: Any, number: Any, attrs: Any, x: str) -> str:
    return write("Mul", x, write("Sigmoid", x))


@_formula("gelu")
def _gelu(write: Any, number: Any, attrs: Any, x: str) -> str:
    if attrs["approximate"]:
        cube = write("Mul", write("Mul", x, x), x)
        inner = write("Add", x, write("Mul", cube, number(0.044715)))
        bell = write("Tanh", write("Mul", inner, number(math.sqrt(2 / math.pi))))
    else:
        bell = write("Erf", write("Mul", x, number(math.sqrt(0.5))))
    share = write("Add", bell, number(1))
    return write("Mul", write("Mul", x, share), number(0.5))


@rule("hard_shrink", "soft_shrink")
def _shrink(g: OnnxGraph, step: Step) -> None:
    limit = float(step.attrs["threshold"])
    bias = limit if step.op.name == "soft_shrink" else 0.0
    pointwise(g, step, lambda x: g.emit("Shrink", x, lambd=limit, bias=bias))


@_formula("sparse_plus")
def _sparse_plus(write: Any, number: Any, attrs: Any, x: str) -> str:
    above = write("Add", write("Max", x, number(-1)), number(1))
    bent = write("Div", write("Mul", above, above), number(4))
    return write("Where", write("GreaterOrEqual", x, number(1)), x, bent)


@rule("cast")
def _cast(g: OnnxGraph, step: Step) -> None:
    (x,), (y,) = step.inputs, step.outputs
    if x.dtype == y.dtype:
        g.view(x, y)
    else:
        pointwise(g, step, lambda x: g.cast(x, y.dtype))


@rule("identity_value", "stop_gradient")
def _identity(g: OnnxGraph, step: Step) -> None:
    g.view(step.inputs[0], step.outputs[0])


@rule("fill_like")
def _fill_like(g: OnnxGraph, step: Step) -> None:
    (y,) = step.outputs
    value = g.number(step.attrs["value"], y.dtype)
    g.store(y, g.emit("Expand", value, g.shape(y.dims)))
