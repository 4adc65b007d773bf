"""Random expressions of operations: values, first and second gradients as in JAX.

An expression is a list of instructions on numbered values, the same for
`deepneuron.ops` and `keras.ops`; JAX differentiates the latter. Kinks are hit by chance
only, poles are avoided, and a step that lets the values grow large is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

import deepneuron as dn
from tests.conformance.random_parts import flags
from tests.peers import keras

pytestmark = pytest.mark.filterwarnings("ignore")  # such as for a softmax of one value

# Compiling is slow, so a failure is shown as it was drawn, and not shrunk.
few = settings(
    phases=[Phase.generate],
    max_examples=40, derandomize=True, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
many = settings(few, max_examples=1500, derandomize=False)

UNARY = [
    "tanh", "sigmoid", "softplus", "sin", "cos", "arctan", "erf", "square", "negative",
    "silu", "gelu", "softsign", "log_sigmoid", "exp", "expm1", "squareplus",
    "tanh_shrink", "celu", "elu", "selu", "relu", "leaky_relu", "abs", "sinh", "cosh",
    "exp2", "hard_tanh", "relu6", "sparse_sigmoid", "stop_gradient",
]  # fmt: skip
POSITIVE = [
    "log",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "log1p",
    "log2",
    "log10",
]  # of x^2 + 1
BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "logaddexp", "arctan2"]
OVER_AXES = ["sum", "mean", "max", "min", "logsumexp", "var", "std", "prod"]
ALONG_AXIS = ["softmax", "log_softmax", "cumsum", "flip", "sort", "normalize"]
SHAPES = [(), (3,), (1,), (2, 3), (3, 1), (1, 3), (2, 1, 3), (4, 2, 3), (2, 2)]

Rule = Callable[[Any, list[Any]], Any]  # (ops of a library, values) -> a new value


@dataclass
class Expression:
    """The instructions, each with what it looks like."""

    rules: list[tuple[str, Rule]] = field(default_factory=list)

    def __call__(self, ops: Any, xs: list[Any]) -> Any:
        values = list(xs)
        for _, rule in self.rules:
            values.append(rule(ops, values))
        return values[-1]

    def __repr__(self) -> str:
        return "; ".join(text for text, _ in self.rules)


@st.composite
def instructions(draw: Any, shapes: list[tuple[int, ...]]) -> tuple[str, Rule]:
    """One operation on values of these shapes (which may not fit)."""
    at = draw(st.sampled_from([len(shapes) - 1] * 3 + list(range(len(shapes)))))
    other = draw(st.integers(0, len(shapes) - 1))
    rank = len(shapes[at])
    kind = draw(
        st.sampled_from(["unary", "unary", "binary", "binary", "positive", "divide",
                         "reduce", "along", "shape", "matmul", "join", "pick"])
    )  # fmt: skip
    axis = draw(st.integers(-rank, rank - 1)) if rank else None
    keepdims = draw(flags)
    if kind == "unary":
        name = draw(st.sampled_from(UNARY))
        return f"{name}({at})", lambda o, v: getattr(o, name)(v[at])
    if kind == "positive":
        name = draw(st.sampled_from(POSITIVE))
        return (
            f"{name}({at}^2 + 1)",
            lambda o, v: getattr(o, name)(o.add(o.square(v[at]), 1.0)),
        )
    if kind == "binary":
        name = draw(st.sampled_from(BINARY))
        return f"{name}({at}, {other})", lambda o, v: getattr(o, name)(v[at], v[other])
    if kind == "divide":
        return (
            f"{at} / ({other}^2 + 1)",
            lambda o, v: o.divide(v[at], o.add(o.square(v[other]), 1.0)),
        )
    if kind == "reduce":
        name = draw(st.sampled_from(OVER_AXES))
        if name == "std":  # has no gradient where all values are equal
            return (
                f"sqrt(var({at}, {axis}) + 1)",
                lambda o, v: o.sqrt(
                    o.add(o.var(v[at], axis=axis, keepdims=keepdims), 1.0)
                ),
            )
        return (
            f"{name}({at}, axis={axis}, keepdims={keepdims})",
            lambda o, v: getattr(o, name)(v[at], axis=axis, keepdims=keepdims),
        )
    if kind == "along" and rank:
        name = draw(st.sampled_from(ALONG_AXIS))
        return (
            f"{name}({at}, axis={axis})",
            lambda o, v: getattr(o, name)(v[at], axis=axis),
        )
    if kind == "matmul":
        return (
            f"matmul({at}, {other}^T)",
            lambda o, v: o.matmul(v[at], o.swapaxes(v[other], -1, -2)),
        )
    if kind == "join":
        name = draw(st.sampled_from(["concatenate", "stack"]))
        return (
            f"{name}([{at}, {other}, {at}], axis={axis or 0})",
            lambda o, v: getattr(o, name)([v[at], v[other], v[at]], axis=axis or 0),
        )
    if kind == "pick":
        return draw(picks(at, other, rank))
    return draw(reshapings(at, shapes[at]))


@st.composite
def picks(draw: Any, at: int, other: int, rank: int) -> tuple[str, Rule]:
    """A part of a value, or parts of two."""
    name = draw(st.sampled_from(["where", "take", "clip", "slice", "tril", "roll"]))
    axis = draw(st.integers(0, rank - 1)) if rank else None
    rules: dict[str, Rule] = {
        "where": lambda o, v: o.where(o.greater(v[at], 0.1), v[at], v[other]),
        "take": lambda o, v: o.take(v[at], np.array([0, 1, 0]), axis=axis),
        "clip": lambda o, v: o.clip(v[at], -0.5, 1.5),
        "slice": lambda o, v: v[at][..., 1:] if rank else o.multiply(v[at], 2.0),
        "tril": lambda o, v: o.tril(v[at]) if rank > 1 else o.sin(v[at]),
        "roll": lambda o, v: o.roll(v[at], 1, axis=axis),
    }
    return f"{name}({at}, {other}, axis={axis})", rules[name]


@st.composite
def reshapings(draw: Any, at: int, shape: tuple[int, ...]) -> tuple[str, Rule]:
    """The same numbers in another order or shape, or repeated."""
    rank = len(shape)
    name = draw(
        st.sampled_from(["reshape", "transpose", "expand_dims", "tile", "repeat", "pad",
                         "broadcast_to", "squeeze", "moveaxis"])
    )  # fmt: skip
    axis = draw(st.integers(0, rank - 1)) if rank else 0
    order = draw(st.permutations(range(rank)))
    padding = [(1, 0)] * rank
    rules: dict[str, Rule] = {
        "reshape": lambda o, v: o.reshape(v[at], (-1, 1)),
        "transpose": lambda o, v: o.transpose(v[at], axes=tuple(order)),
        "expand_dims": lambda o, v: o.expand_dims(v[at], axis),
        "tile": lambda o, v: o.tile(v[at], (2, 1)),
        "repeat": lambda o, v: o.repeat(v[at], 2, axis=axis),
        "pad": lambda o, v: o.pad(v[at], padding) if rank else o.multiply(v[at], 1.0),
        "broadcast_to": lambda o, v: o.broadcast_to(v[at], (2, *shape)),
        "squeeze": lambda o, v: o.squeeze(v[at]),
        "moveaxis": lambda o, v: o.moveaxis(v[at], axis, -1),
    }
    return f"{name}({at}, axis={axis}, order={order})", rules[name]


def draw_expression(data: st.DataObject) -> tuple[Expression, list[np.ndarray]]:
    """An expression, and inputs; those that are not float32 are constants."""
    draw, ops = data.draw, keras().ops
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    xs = [np.asarray(rng.normal(size=s), "float32") for s in shapes]
    if draw(st.integers(0, 3)) == 0:
        dtype = draw(st.sampled_from(["int32", "bool", "uint8"]))
        whole = rng.integers(0, 3, draw(st.sampled_from(SHAPES)))
        xs.append(np.asarray(whole).astype(dtype))
    expression = Expression()
    theirs = [ops.convert_to_tensor(x) for x in xs]
    ours = list(xs)
    for _ in range(draw(st.integers(5, 15))):
        text, rule = draw(instructions([tuple(v.shape) for v in theirs]))
        real, error = attempt(rule, ops, theirs)
        if error is not None:  # one that does not fit (of types we take more)
            mixed = any(x.dtype != np.float32 for x in xs)
            refused = isinstance(
                attempt(rule, dn.ops, ours)[1], (ValueError, TypeError)
            )
            assert mixed or refused, f"only Keras refuses {text}: {error}"
            continue
        values = np.asarray(real)
        large = values.size and not np.abs(values.astype("float64")).max() < 50
        if large or values.size > 300 or values.size == 0:
            continue
        mine = np.asarray(rule(dn.ops, ours))
        where = f"{expression}; {text} (inputs {[(x.shape, str(x.dtype)) for x in xs]})"
        assert mine.shape == values.shape, where
        assert str(mine.dtype) == str(real.dtype), f"{where}: {mine.dtype} {real.dtype}"
        np.testing.assert_allclose(mine, values, rtol=2e-4, atol=2e-4, err_msg=where)
        expression.rules.append((text, rule))
        theirs.append(real)
        ours.append(values)  # from here on the same numbers
    return expression, xs


def attempt(rule: Rule, ops: Any, xs: list[Any]) -> tuple[Any, Exception | None]:
    try:
        return rule(ops, xs), None
    except Exception as error:  # noqa: BLE001 - judged by the caller
        return None, error


def close(ours: Any, theirs: Any, tolerance: float, what: str) -> None:
    for mine, real in zip(ours, map(np.asarray, theirs), strict=True):
        scale = max(1.0, float(np.abs(real).max(initial=0)))
        np.testing.assert_allclose(
            np.zeros(real.shape) if mine is None else mine,
            real, rtol=tolerance, atol=tolerance * scale, err_msg=what,
        )  # fmt: skip


def check_expression(data: st.DataObject) -> None:
    import jax

    expression, xs = draw_expression(data)
    learn = [i for i, x in enumerate(xs) if x.dtype == np.float32]
    note(f"{expression} for inputs {[(x.shape, str(x.dtype)) for x in xs]}")
    rng = np.random.default_rng(5)
    y = expression(keras().ops, [keras().ops.convert_to_tensor(x) for x in xs])
    weights = rng.uniform(0.5, 1.5, y.shape).astype("float32")
    directions = [rng.normal(size=xs[i].shape).astype("float32") for i in learn]

    def loss(ops: Any) -> Any:
        def function(*ws: Any) -> Any:
            values = [ops.convert_to_tensor(x) for x in xs]
            for i, w in zip(learn, ws, strict=True):
                values[i] = w
            return ops.sum(ops.multiply(expression(ops, values), weights))

        return function

    ws = [xs[i] for i in learn]
    theirs = jax.grad(loss(keras().ops), tuple(range(len(ws))))
    first = theirs(*ws)
    if not all(np.abs(g).max(initial=0) < 1e3 for g in first):  # also not NaN
        return
    close(dn.gradients(loss(dn.ops), ws), first, 5e-4, f"first: {expression}")

    def steepness(ops: Any, gradient: Callable[..., Any]) -> Any:
        def function(*ws: Any) -> Any:
            pairs = zip(gradient(*ws), directions, strict=True)
            return sum(ops.sum(g * d) for g, d in pairs if g is not None)

        return function

    second = jax.grad(steepness(keras().ops, theirs), tuple(range(len(ws))))(*ws)
    if not all(np.abs(g).max(initial=0) < 1e3 for g in second):
        return
    of_ours = steepness(dn.ops, lambda *ws: dn.gradients(loss(dn.ops), list(ws)))
    close(dn.gradients(of_ours, ws), second, 2e-3, f"second: {expression}")


@few
@given(st.data())
def test_random_expressions_and_their_gradients_are_those_of_jax(data):
    check_expression(data)


@pytest.mark.slow
@many
@given(st.data())
def test_many_random_expressions_and_their_gradients_are_those_of_jax(data):
    check_expression(data)
