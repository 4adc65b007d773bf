"""Formula: what a pointwise instruction computes, as values made of values.

    x, bias = Value.input(0, "float32"), Value.input(1, "float32")
    formula = Formula([maximum(x + bias, 0.0)])

`encode` writes formulas down as the ints and floats that the kernel `pointwise` reads
(cpp/pointwise.h says how), `decode` reads them again, so that two instructions can be
joined to one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.program import Rows

# In the order in which cpp/pointwise.h has them.
TYPES = ("float32", "int32", "int64", "uint32", "int8", "uint8", "bool")
STEPS = (
    "copy", "to_float32", "to_int32", "to_int64", "to_uint32", "to_int8", "to_uint8",
    "to_bool", "add", "subtract", "multiply", "divide", "maximum", "minimum",
    "negative", "absolute", "sign", "floor_divide", "mod", "equal", "not_equal",
    "greater", "greater_equal", "less", "less_equal", "select", "logical_and",
    "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite", "relu",
    "relu_grad", "floor", "ceil", "rint", "sqrt", "power", "exp", "expm1", "log",
    "log1p", "tanh", "sigmoid", "softplus", "erf", "erfc", "exp2", "log2", "log10",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh",
)  # fmt: skip
SIZE = {"float32": 4, "int32": 4, "int64": 8, "uint32": 4, "int8": 1, "uint8": 1}
SIZE["bool"] = 1
BLOCK = 512  # values that the kernel works on at a time
MOST_VALUES = 64
_ROW = 8  # operations are numbered in rows of so many types

_CASTS = {f"to_{dtype}": dtype for dtype in TYPES}
_COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
_TRUTHS = ("logical_and", "logical_or", "logical_xor", "logical_not")
_TESTS = ("isnan", "isinf", "isfinite")
_WHOLE = ("floor_divide", "mod")
_NUMBERS = ("add", "subtract", "multiply", "negative", "absolute", "sign", *_WHOLE)
_ANY = ("copy", "maximum", "minimum", "select", *_CASTS, *_COMPARISONS)


class Unknown(Exception):  # noqa: N818 - not a fault: NumPy computes it then
    """The kernel cannot do this: a step, a type, a size."""


@dataclass(eq=False, slots=True)
class Value:
    """One value of a formula.

    Attributes:
        dtype: its type.
        step: how it is made of `args`; or "input", "constant".
        number: of a constant its value, of an input which one it is.
    """

    dtype: str
    step: str
    args: tuple[Value, ...] = ()
    number: float = 0

    @staticmethod
    def input(number: int, dtype: str) -> Value:
        return Value(dtype, "input", (), number)

    def __add__(self, x: Any) -> Value:
        return step("add", self, x)

    def __sub__(self, x: Any) -> Value:
        return step("subtract", self, x)

    def __mul__(self, x: Any) -> Value:
        return step("multiply", self, x)

    def __truediv__(self, x: Any) -> Value:
        return step("divide", self, x)

    def __radd__(self, x: Any) -> Value:
        return step("add", _like(self, x), self)

    def __rsub__(self, x: Any) -> Value:
        return step("subtract", _like(self, x), self)

    def __rmul__(self, x: Any) -> Value:
        return step("multiply", _like(self, x), self)

    def __rtruediv__(self, x: Any) -> Value:
        return step("divide", _like(self, x), self)

    def __neg__(self) -> Value:
        return step("negative", self)

    def __gt__(self, x: Any) -> Value:
        return step("greater", self, x)

    def __ge__(self, x: Any) -> Value:
        return step("greater_equal", self, x)

    def __lt__(self, x: Any) -> Value:
        return step("less", self, x)

    def __and__(self, x: Any) -> Value:
        return step("logical_and", self, x)


def _like(value: Value, x: Any) -> Value:
    return x if isinstance(x, Value) else Value(value.dtype, "constant", (), x)


def step(name: str, *args: Any) -> Value:
    """The value that a step makes; numbers take the type of the values beside them.

    Raises:
        Unknown: the kernel cannot do that.
    """
    typed = args[1:] if name == "select" else args
    beside = next(x for x in typed if isinstance(x, Value))
    known = tuple(_like(beside, x) for x in args)
    dtype = beside.dtype
    _check(name, dtype)
    if name in _CASTS:
        return Value(_CASTS[name], name, known)
    truth = name in _COMPARISONS or name in _TESTS
    return Value("bool" if truth else dtype, name, known)


def _check(name: str, dtype: str) -> None:
    if name in _ANY:
        known = dtype in TYPES
    elif name in _NUMBERS:
        known = dtype in TYPES and dtype != "bool"
    else:
        known = dtype == ("bool" if name in _TRUTHS else "float32")
    if not known:
        raise Unknown(f"{name} of {dtype}")


def inputs_of(results: Sequence[Value]) -> dict[int, list[Value]]:
    """{number: the values that are this input}, in the order of the numbers."""
    found: dict[int, list[Value]] = {}
    seen: set[Value] = set()
    waiting = list(results)
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        waiting += value.args
        if value.step == "input":
            found.setdefault(int(value.number), []).append(value)
    return dict(sorted(found.items()))


# --- how inputs are spread over the output


def spread(
    shape: tuple[int, ...], by_rows: bool, inputs: Sequence[Any]
) -> tuple[list[int], list[list[int]], list[int]]:
    """(4 sizes, 4 strides for each input, a period for each input).

    Args:
        shape: of the output.
        by_rows: whether its first axis is that of the batch; then the sizes are those
            of a row.
        inputs: operands: `Rows`, or tensors that all rows share.
    """
    strides, whole = [], []
    for operand in inputs:
        has_rows = isinstance(operand, Rows)
        x = (operand.tensor if has_rows else operand).shape
        x = (1,) * (len(shape) - len(x)) + tuple(x)
        x, y = (x[1:], shape[1:]) if by_rows else (x, shape)
        step_, steps = 1, []
        for n in reversed(x):
            steps.append(0 if n == 1 else step_)
            step_ *= n
        strides.append(steps[::-1])
        whole.append(math.prod(x) == math.prod(y) and (has_rows or not by_rows))
    sizes, strides = _collapsed(shape[1:] if by_rows else shape, strides)
    if len(sizes) > 4:
        raise Unknown(f"{len(sizes)} axes")
    lead = 4 - len(sizes)
    sizes, strides = [1] * lead + sizes, [[0] * lead + s for s in strides]
    periods = [
        0 if full else -1 if isinstance(operand, Rows) else _period(sizes, s)
        for full, operand, s in zip(whole, inputs, strides, strict=True)
    ]
    while _common(periods) > BLOCK:  # too long to be written out once
        longest = max(periods)
        periods = [-1 if p == longest else p for p in periods]
    return sizes, strides, periods


def _collapsed(
    shape: tuple[int, ...], strides: list[list[int]]
) -> tuple[list[int], list[list[int]]]:
    """Neighbouring axes that every input walks through in one go become one."""
    sizes: list[int] = []
    merged: list[list[int]] = [[] for _ in strides]
    for axis in range(len(shape) - 1, -1, -1):
        n = shape[axis]
        if n == 1:
            continue
        if sizes and all(
            s[axis] == m[0] * sizes[0] for s, m in zip(strides, merged, strict=True)
        ):
            sizes[0] *= n
            continue
        sizes.insert(0, n)
        for s, m in zip(strides, merged, strict=True):
            m.insert(0, s[axis])
    return sizes, merged


def _period(sizes: list[int], strides: list[int]) -> int:
    """After how many values an input begins anew; -1 if it is not that simple."""
    length = 1
    axes = list(zip(sizes, strides, strict=True))[::-1]
    while axes and axes[0][1] in (length, 0) and (axes[0][1] or axes[0][0] == 1):
        length *= axes.pop(0)[0]
    return length if all(stride == 0 for _, stride in axes) else -1


def _common(periods: list[int]) -> int:
    return math.lcm(*(p for p in periods if p > 0))


# --- as plain data


def encode(
    outputs: Sequence[Value],
    shape: tuple[int, ...],
    by_rows: bool,
    inputs: Sequence[Any],
    preferred: dict[int, int] | None = None,
) -> tuple[list[int], list[float], dict[int, int]]:
    """(ints, floats, inplace) of a pointwise instruction.

    Args:
        outputs: the value of each output.
        shape: of every output.
        by_rows: whether the first axis is that of the batch.
        inputs: operands.
        preferred: {output: the input that it should best be written over}.

    Raises:
        Unknown: it is more than the kernel can take.
    """
    sizes, strides, periods = spread(shape, by_rows, inputs)
    values = _in_order(outputs)
    code: list[tuple[Value, int]] = []  # (what is made, of which output; -1: of none)
    place_of: dict[Value, int] = {}
    copies = []
    for number, y in enumerate(outputs):
        if y.step in ("input", "constant") or y in place_of:
            copies.append((step("copy", y), number))
        else:
            place_of[y] = number
    made = (v for v in values if v.step not in ("input", "constant"))
    code += [(value, place_of.get(value, -1)) for value in made]
    code += copies

    constants: dict[tuple[str, float, float], int] = {}
    for value in values:
        if value.step == "constant":
            constants.setdefault(_key(value), len(constants))
    first_constant = len(inputs) + len(outputs)
    first_temporary = first_constant + len(constants)

    room = _Room()
    dtypes = {int(v.number): v.dtype for v in values if v.step == "input"}
    described = []
    for number, (period, stride) in enumerate(zip(periods, strides, strict=True)):
        dtype = dtypes.get(number, "float32")
        place = room.new(SIZE[dtype]) if period else 0
        described += [TYPES.index(dtype), period, place, *stride]
    constant_places = [(TYPES.index(t), room.new(SIZE[t])) for t, *_ in constants]

    last_read: dict[Value, int] = {}
    for at, (value, _) in enumerate(code):
        last_read.update(dict.fromkeys(value.args, at))
    temporaries: list[tuple[int, int]] = []
    free: dict[str, list[int]] = {}
    number_of: dict[Value, int] = {}

    def named(value: Value) -> int:
        if value.step == "input":
            return int(value.number)
        if value.step == "constant":
            return first_constant + constants[_key(value)]
        return number_of[value]

    steps: list[int] = []
    for at, (value, output) in enumerate(code):
        arguments = [named(x) for x in value.args]
        for x in dict.fromkeys(value.args):
            number = number_of.get(x, -1)
            if last_read[x] == at and number >= first_temporary:
                free.setdefault(x.dtype, []).append(number)
        if output >= 0:
            result = len(inputs) + output
        elif free.get(value.dtype):
            result = free[value.dtype].pop()
        else:
            result = first_temporary + len(temporaries)
            temporaries.append((TYPES.index(value.dtype), room.new(SIZE[value.dtype])))
        number_of[value] = result
        made_of = value.args[1 if value.step == "select" else 0].dtype
        operation = STEPS.index(value.step) * _ROW + TYPES.index(made_of)
        steps += [operation, result, *[*arguments, 0, 0][:3]]

    if first_temporary + len(temporaries) > MOST_VALUES:
        raise Unknown("too many values")
    block = BLOCK // _common(periods) * _common(periods)
    counts = [len(inputs), len(outputs), len(constants), len(temporaries), len(code)]
    ints = [
        *(*counts, block, room.size, int(by_rows), *sizes, *described),
        *(TYPES.index(y.dtype) for y in outputs),
        *(i for pair in (*constant_places, *temporaries) for i in pair),
        *steps,
    ]
    inplace = _inplace(code, periods, dtypes, preferred or {})
    return ints, [number for _, number, _ in constants], inplace


def _key(constant: Value) -> tuple[str, float, float]:
    """What makes two constants the same: 0 and -0 are not."""
    number = float(constant.number)
    if constant.dtype != "float32" and number != constant.number:
        raise Unknown(f"the constant {constant.number}")
    return constant.dtype, number, math.copysign(1.0, number)


class _Room:
    """Scratch: bytes for one value of a block after those that are taken."""

    def __init__(self) -> None:
        self.size = 0

    def new(self, size: int) -> int:
        self.size += size
        return self.size - size


def _in_order(outputs: Sequence[Value]) -> list[Value]:
    """All values, each after what it is made of."""
    order: dict[Value, None] = {}
    waiting = [(y, False) for y in reversed(outputs)]
    while waiting:
        value, ready = waiting.pop()
        if ready:
            order.setdefault(value)
        elif value not in order:
            waiting.append((value, True))
            waiting += [(x, False) for x in reversed(value.args)]
    return list(order)


def _inplace(
    code: list[tuple[Value, int]],
    periods: list[int],
    dtypes: dict[int, str],
    preferred: dict[int, int],
) -> dict[int, int]:
    """{output: an input that is read for the last time no later than it is written}"""
    last = {}
    for at, (value, _) in enumerate(code):
        for x in value.args:
            if x.step == "input":
                last[int(x.number)] = at
    inplace: dict[int, int] = {}
    for at, (value, output) in enumerate(code):
        if output < 0:
            continue
        first = preferred.get(output, -1)
        for number in sorted(range(len(periods)), key=lambda n: n != first):
            fits = (
                periods[number] == 0
                and SIZE[dtypes.get(number, "bool")] == SIZE[value.dtype]
            )
            if fits and last.get(number, at) <= at and number not in inplace.values():
                inplace[output] = number
                break
    return inplace


def decode(ints: Sequence[int], floats: Sequence[float]) -> list[Value]:
    """The values of the outputs again."""
    n_inputs, n_outputs, n_constants, n_temporaries, n_steps = ints[:5]
    at = 12
    values: dict[int, Value] = {}
    for number in range(n_inputs):
        values[number] = Value.input(number, TYPES[ints[at]])
        at += 7
    at += n_outputs
    first = n_inputs + n_outputs
    for i in range(n_constants):
        dtype = TYPES[ints[at + 2 * i]]
        values[first + i] = Value(dtype, "constant", (), floats[i])
    at += 2 * (n_constants + n_temporaries)
    for _ in range(n_steps):
        operation, result, *arguments = ints[at : at + 5]
        name = STEPS[operation // _ROW]
        count = _arguments(name)
        values[result] = step(name, *(values[a] for a in arguments[:count]))
        at += 5
    return [values[n_inputs + i] for i in range(n_outputs)]


_TWO = {
    *("add", "subtract", "multiply", "divide", "maximum", "minimum", *_WHOLE),
    *("logical_and", "logical_or", "logical_xor", "relu_grad", "power", "arctan2"),
    *_COMPARISONS,
}


def _arguments(name: str) -> int:
    return 3 if name == "select" else 2 if name in _TWO else 1


def tensor_of(operand: Any) -> Tensor:
    """The tensor of an operand, with or without rows."""
    tensor: Tensor = operand.tensor if isinstance(operand, Rows) else operand
    return tensor
