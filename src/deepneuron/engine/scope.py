"""In what mode operations run now, inside which layer, and from which line of the user.

One mode holds in each context (thread, or task):

    Eager       arrays in, arrays out; nothing is remembered. The default.
    Recording   computes at once, and keeps the graph, so that gradients can be taken.
    Deferred    records, and computes later: a gradient is first drawn, then only the
                part of it that is needed is worked out.
    Capture     computes nothing: writes a graph down. Variables stay as they are; what
                would be assigned to them is kept aside, to be committed after the step.

In all of them a value that was read from a Variable stays what it was when the Variable
is assigned another, and no gradient flows back through an assignment.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deepneuron.engine.registry import registry
from deepneuron.engine.tensor import Tensor

if TYPE_CHECKING:
    from deepneuron.engine.variable import Variable

_PACKAGE = str(Path(__file__).resolve().parents[1])


class Eager:
    """Operations compute at once; a Variable is read as its array."""

    def read(self, variable: Variable) -> Any:
        return variable.array

    def write(self, variable: Variable, value: Any) -> None:
        variable.array[...] = value


class Recording(Eager):
    """Operations compute at once and are remembered; a Variable is read as a leaf."""

    def __init__(self) -> None:
        self.leaves: dict[Variable, Tensor] = {}

    def read(self, variable: Variable) -> Tensor:
        if variable not in self.leaves:
            self.leaves[variable] = Tensor(
                variable.shape,
                variable.dtype,
                value=variable.array,
                name=variable.name,
                variable=variable,
            )
        return self.leaves[variable]

    def write(self, variable: Variable, value: Any) -> None:
        leaf = self.leaves.pop(variable, None)
        if leaf is not None:  # the graph goes on seeing what it has read
            leaf.set_value(variable.array.copy())
        variable.array[...] = np.asarray(value)


class Deferred(Recording):
    """Nodes are made but not computed."""


class Capture(Eager):
    """Operations are written down; assignments become `updates` of the graph.

    In this graph the Variable itself stands for the value that it has before the step.
    """

    def __init__(self) -> None:
        self.updates: dict[Variable, Tensor] = {}
        self.leaves: dict[Variable, Tensor] = {}  # what is read after an assignment

    def read(self, variable: Variable) -> Tensor:
        return self.leaves.get(variable, variable)

    def write(self, variable: Variable, value: Any) -> None:
        if not isinstance(value, Tensor):
            value = Tensor(variable.shape, variable.dtype, value=np.asarray(value))
        # Noted now: if it is a Variable, that may be assigned to as well.
        leaf = registry["stop_gradient"](value)
        leaf.variable = variable
        self.leaves[variable], self.updates[variable] = leaf, value


_EAGER = Eager()
_mode: ContextVar[Eager] = ContextVar("mode", default=_EAGER)


def mode() -> Eager:
    """The mode that holds in this context."""
    return _mode.get()


@contextmanager
def use(new: Eager) -> Iterator[Any]:
    """Run a block in another mode."""
    token = _mode.set(new)
    try:
        yield new
    finally:
        _mode.reset(token)


def eager() -> Any:
    """Run a block eagerly, whatever surrounds it; initial weights are made so."""
    return use(_EAGER)


def recording() -> Any:
    """Run a block so that `gradients` can look back on it.

    >>> import numpy as np, deepneuron as dn
    >>> w = dn.Variable(3.0)
    >>> with dn.recording():
    ...     y = w * w
    >>> dn.gradients(y, [w])
    [array(6., dtype=float32)]
    """
    # A captured step remembers everything already.
    return use(mode() if capturing() else Recording())


def capturing() -> Any:
    """Whether a graph is being written down in this context."""
    return isinstance(_mode.get(), Capture)


# --- where we are: the path of names, and the line of the user's code


class _Place(NamedTuple):
    path: str
    source: str
    frame: FrameType | None


_place: ContextVar[_Place] = ContextVar("place", default=_Place("", "", None))  # noqa: B039 - a NamedTuple cannot change


@contextmanager
def name_scope(name: str, source: str = "") -> Iterator[None]:
    """Name what is recorded in this block; `source` is where its layer was made.

    Args:
        name: one part of the path, such as "dense_1".
        source: `file:line` to fall back on where no line of the user's own code stands
            between this block and the operation.
    """
    outer = _place.get()
    path = f"{outer.path}/{name}" if outer.path else name
    token = _place.set(_Place(path, source or outer.source, sys._getframe(2)))
    try:
        yield
    finally:
        _place.reset(token)


def current_path() -> str:
    """The path of the name scopes around us, such as "sequential/dense_1"."""
    return _place.get().path


def user_line() -> str:
    """`file:line` of the innermost frame that is the user's, not ours.

    Inside a name scope only frames within it count: a Dense layer is the user's line
    that made the layer, a custom layer the line in its `call`.
    """
    place = _place.get()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not place.frame:
        filename = frame.f_code.co_filename
        if not filename.startswith((_PACKAGE, "<frozen")):
            return f"{filename}:{frame.f_lineno}"
        frame = frame.f_back
    return place.source
