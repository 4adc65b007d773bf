"""Fusion: pointwise instructions in one region become one.

    t = x + bias               y = relu(x + bias)
    y = relu(t)

Values between two that nobody else reads are then never stored: they live in a block
of a few hundred values, in the cache nearest to the core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.formula import (
    Unknown,
    Value,
    decode,
    encode,
    inputs_of,
    tensor_of,
)
from deepneuron.kernels.native.program import Instruction, Rows

if TYPE_CHECKING:
    from deepneuron.kernels.native.schedule import Schedule

_BY_ROWS = 7  # which of a program's ints says so


def join(
    first: Instruction,
    second: Instruction,
    wanted: Callable[[Tensor], bool],
    root: Callable[[Any], Any] = lambda value: value,
    in_place: dict[Tensor, Any] | None = None,
) -> Instruction | None:
    """One instruction that does what two do; None if that cannot be.

    Args:
        first, second: pointwise instructions; the second reads what the first writes.
        wanted: whether anybody but `second` wants to see an output of the first.
        root: the tensor whose memory another one is a view of.
        in_place: {output: the Variable that it is written to}.
    """
    if not _alike(first, second):
        return None
    inputs: list[Any] = []
    number: dict[tuple[Tensor, bool], int] = {}

    def numbered(operand: Any) -> int:
        key = tensor_of(operand), isinstance(operand, Rows)
        if key not in number:
            number[key] = len(inputs)
            inputs.append(operand)
        return number[key]

    handed_on = False
    renamed: dict[Value, Value] = {}
    first_values, second_values = _values(first), _values(second)
    made = dict(zip(map(tensor_of, first.outputs), first_values, strict=True))
    for i, leaves in inputs_of(first_values).items():
        for leaf in leaves:
            renamed[leaf] = Value.input(numbered(first.inputs[i]), leaf.dtype)
    for i, leaves in inputs_of(second_values).items():
        operand = second.inputs[i]
        tensor, home = tensor_of(operand), root(tensor_of(operand))
        value = made.get(home) if tensor.shape == home.shape else None
        same_rows = isinstance(operand, Rows) == isinstance(first.outputs[0], Rows)
        for leaf in leaves:
            if value is not None and same_rows:
                renamed[leaf] = value.args[0] if value.step == "copy" else value
                handed_on = True
            else:
                renamed[leaf] = Value.input(numbered(operand), leaf.dtype)
    if not handed_on or any(root(t) in made for t, _ in number):
        return None
    pairs = zip(first.outputs, first_values, strict=True)
    kept = [(o, v) for o, v in pairs if wanted(tensor_of(o))]
    kept += zip(second.outputs, second_values, strict=True)
    outputs = [o for o, _ in kept]
    values = _replaced([v for _, v in kept], renamed)
    shape = tensor_of(outputs[0]).shape
    homes = [root(tensor_of(x)) for x in inputs]
    written = {
        i: in_place[tensor_of(o)]
        for i, o in enumerate(outputs)
        if in_place and tensor_of(o) in in_place
    }
    preferred = {i: homes.index(v) for i, v in written.items() if v in homes}
    try:
        ints, floats, inplace = encode(
            values, shape, bool(second.ints[_BY_ROWS]), inputs, preferred
        )
    except Unknown:
        return None
    if len(set(homes)) < len(homes):
        inplace = {}
    if any(inplace.get(i) != n for i, n in preferred.items()):
        return None  # a Variable would be read after it was written
    return Instruction(
        "pointwise",
        second.kind,
        inputs,
        outputs,
        ints,
        floats,
        (*first.nodes, *second.nodes),
        inplace,
        max(first.chunk, second.chunk),
    )


def _alike(first: Instruction, second: Instruction) -> bool:
    if not first.kernel == second.kernel == "pointwise" or first.kind != second.kind:
        return False
    one, two = tensor_of(first.outputs[0]), tensor_of(second.outputs[0])
    return one.shape == two.shape and first.ints[_BY_ROWS] == second.ints[_BY_ROWS]


def _values(instruction: Instruction) -> list[Value]:
    return decode(instruction.ints, instruction.floats)


def _replaced(outputs: list[Value], renamed: dict[Value, Value]) -> list[Value]:
    """The same values, with others in the place of some of their inputs."""
    done: dict[Value, Value] = {}

    def new(value: Value) -> Value:
        if value not in done:
            if value in renamed:
                target = renamed[value]
                done[value] = new(target)
            else:
                args = tuple(map(new, value.args))
                done[value] = Value(value.dtype, value.step, args, value.number)
        return done[value]

    return [new(value) for value in outputs]


# --- the pass


def fuse(schedule: Schedule, visible: set[Any]) -> None:
    """Join what can be joined, within every region of a schedule.

    Args:
        schedule: changed in place.
        visible: tensors that somebody wants to see when the step is over.
    """
    readers: dict[Any, set[Instruction]] = {}
    for region in schedule.regions:
        for instruction in region.instructions:
            for value, _ in instruction.reads():
                readers.setdefault(schedule.root(value), set()).add(instruction)
    for region in schedule.regions:
        done: list[Instruction] = []
        for second in region.instructions:
            joined = second
            while one := _join_into(done, joined, schedule, visible, readers):
                joined = one
            done.append(joined)
        region.instructions = done


def _join_into(
    done: list[Instruction],
    second: Instruction,
    schedule: Schedule,
    visible: set[Any],
    readers: dict[Any, set[Instruction]],
) -> Instruction | None:
    """The second instruction with one of those before it, which is taken from them."""
    if second.kernel != "pointwise":
        return None
    read = {schedule.root(value) for value, _ in second.reads()}

    def wanted(tensor: Tensor) -> bool:
        known = tensor in visible or tensor in schedule.in_place
        return known or bool(readers.get(tensor, set()) - {second})

    for at in range(len(done) - 1, -1, -1):
        first = done[at]
        if first.kernel != "pointwise":
            continue
        made = {value for value, _ in first.writes()}
        if not made & read or not _may_wait(first, done[at + 1 :], schedule):
            continue
        one = join(first, second, wanted, schedule.root, schedule.in_place)
        if one is None:
            continue
        del done[at]
        for value, _ in one.writes():
            schedule.maker[value] = one
        for value in made - {value for value, _ in one.writes()}:
            del schedule.maker[value]
        schedule.epoch[one] = schedule.epoch[second]
        for some in readers.values():
            if first in some or second in some:
                some -= {first, second}
                some.add(one)
        for value in made:  # what is handed on within is read no more
            if not any(schedule.root(x) is value for x, _ in one.reads()):
                readers.get(value, set()).discard(one)
        return one
    return None


def _may_wait(
    first: Instruction, between: list[Instruction], schedule: Schedule
) -> bool:
    """Whether an instruction may as well run after some others."""
    root = schedule.root
    made = {root(value) for value, _ in first.writes()}
    read = {root(value) for value, _ in first.reads()}
    written = {schedule.in_place.get(t) for t in made} - {None}
    for i in between:
        if any(root(value) in made | written for value, _ in i.reads()):
            return False
        if any(schedule.in_place.get(value) in read for value, _ in i.writes()):
            return False
    return True


__all__ = ["fuse", "join"]
