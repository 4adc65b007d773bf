"""An Op is one operation: its equation, and three short rules that stand below it.

    @op
    class square(Op):
        '''y = x^2'''                                    # the equation

        def infer(self, x, /):                           # which shape and type y has
            return Spec(x.shape, x.dtype)

        def forward(self, x, /, out=None):               # arrays in, array out
            return np.square(x, out=out)

        def gradient(self, node, dy):                    # tensors in, tensors out
            (x,) = node.inputs
            return (2 * x * dy,)                         # dy is dL/dy; this is dL/dx

A network is many operations one after the other, and at its end stands one number, the
loss L. `forward` computes. `gradient` answers one question: if L changes by dy for each
small change of y, by how much does it change for each small change of x? By the chain
rule that is dL/dx = dL/dy * dy/dx, and since an operation knows its own dy/dx, it needs
to know nothing of the others. `gradients.py` asks them one after the other, from the
loss back to the weights: that is backpropagation.

A gradient is written with other operations, so the way back is more graph of the same
kind: it can be looked at, run, and differentiated once more.

In the rules' signatures arrays stand before the `/` (or are `*xs`), attributes after.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

import numpy as np

from deepneuron.engine import scope
from deepneuron.engine.case import Case
from deepneuron.engine.convert import as_array, as_tensor, promote
from deepneuron.engine.graph import Node, Spec, infer
from deepneuron.engine.registry import registry
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.errors import GradientError


class Op:
    """One operation. A subclass writes `infer`, `forward` and `gradient`.

    Attributes:
        cases: inputs on which it is tested.
        view: the output is the first input's memory under another shape.
        inplace: {output: inputs} that may share memory, because the rule reads such an
            input no more once it writes the output.
        pointwise: values at one position depend on those at the same position only, and
            on inputs without axes; several of it on neighbouring memory are one.
        differentiable: False where no gradient exists (comparisons, argmax ...).
    """

    cases: ClassVar[Sequence[Case]] = ()
    view: ClassVar[bool] = False
    inplace: ClassVar[dict[int, tuple[int, ...]]] = {}
    pointwise: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True

    # --- the three rules

    infer: Any
    """(x, /, attribute=...) -> Spec of y; of x it may ask the shape and the type."""

    forward: Any
    """(x, /, attribute=..., out=None) -> y; written into `out`, where that is given."""

    def gradient(self, node: Node, *dys: Any) -> Sequence[Any]:
        """dL/dx for each input x (or None), given dL/dy for each output y (or None).

        Args:
            node: what was computed: `node.inputs`, `node.outputs`, `node.attrs`.
            *dys: how the loss changes with each output.
        """
        raise GradientError(
            f"{self.name} has no gradient rule, but a gradient through it was asked for"
            f" (recorded at {node.source or 'an unknown line'})."
        )

    def prepare(self, inputs: list[Any]) -> list[Any]:
        """What to do to the inputs first; elementwise operations promote types."""
        return inputs

    # --- applying it

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """y = op(x): computed where x is an array, recorded where x is a tensor."""
        inputs, attrs = self._bind(args, kwargs)
        mode = scope.mode()
        inputs = self.prepare(
            [mode.read(x) if isinstance(x, Variable) else as_array(x) for x in inputs]
        )
        if not any(isinstance(x, Tensor) for x in inputs):
            return self.evaluate(inputs, attrs)
        node = Node(self, tuple(as_tensor(x) for x in inputs), attrs)
        compute(node)
        return node.outputs[0] if len(node.outputs) == 1 else node.outputs

    def evaluate(self, arrays: Sequence[Any], attrs: dict[str, Any]) -> Any:
        """`forward`, where NaN and Inf are values like others."""
        with np.errstate(all="ignore"):
            try:
                y = self.forward(*arrays, **attrs)
            except (ValueError, IndexError):
                infer(self, tuple(map(as_tensor, arrays)), attrs)  # may know better why
                raise
        # A result may go anywhere: it must not be a window on an input.
        return np.array(y) if self.view else y

    def bind(self, *arrays: Any, out: Any, **attrs: Any) -> Callable[[], Any]:
        """`forward` on these arrays, to be called in every step of a plan.

        A rule that is one call of NumPy may return just that call.
        """
        return partial(self.forward, *arrays, **attrs, out=out)

    # --- its signature, which is that of `forward`

    def __init__(self) -> None:
        self.name = self.__name__ = type(self).__name__
        self.__doc__ = type(self).__doc__
        parameters = [
            p
            for p in inspect.signature(self.forward).parameters.values()
            if p.name != "out"
        ]
        self._arrays = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        self._attrs = {
            p.name: p.default
            for p in parameters
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        }
        self.__signature__ = inspect.Signature(
            [  # whoever calls it may name the arrays
                p.replace(kind=p.POSITIONAL_OR_KEYWORD)
                if p.kind is p.POSITIONAL_ONLY
                else p
                for p in parameters
            ]
        )

    def _bind(self, args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """(arrays, attributes) of a call."""
        if not self._arrays:  # *xs
            return list(args), {**self._attrs, **kwargs}
        if not kwargs and len(args) == len(self._arrays):
            return list(args), dict(self._attrs)
        bound = self.__signature__.bind(*args, **kwargs).arguments
        inputs = [bound[name] for name in self._arrays]
        return inputs, {name: bound.get(name, d) for name, d in self._attrs.items()}

    def __repr__(self) -> str:
        return f"<op {self.name}>"


AnyOp = TypeVar("AnyOp", bound=Op)


def op(cls: type[AnyOp]) -> AnyOp:
    """Register an operation; its name becomes the function that applies it."""
    instance = cls()
    registry[instance.name] = instance
    return instance


def compute(node: Node) -> None:
    """Fill in a node's outputs, where the values of all its inputs are known."""
    if isinstance(scope.mode(), scope.Deferred):
        return
    values = [
        None if isinstance(x, Variable) else x.value_or_none() for x in node.inputs
    ]
    if any(v is None for v in values):
        return
    results = node.op.evaluate(values, node.attrs)
    results = results if isinstance(results, tuple) else (results,)
    for y, value in zip(node.outputs, results, strict=True):
        y.set_value(np.asarray(value))


# What the files of `ops` need, in one place.
__all__ = [
    "Case",
    "Node",
    "Op",
    "Spec",
    "as_array",
    "as_tensor",
    "compute",
    "op",
    "promote",
    "registry",
]


def _demo() -> None:
    import deepneuron as dn

    dn.ops.add(1.0, 1.0)  # now all of them have registered themselves
    for name, known in sorted(registry.items()):
        equation = " ".join((known.__doc__ or "").split("\n\n")[0].split())
        mark = " " if known.differentiable else "-"
        print(f"{mark} {name:<36} {equation}")
    print(f"{len(registry)} operations; - has no gradient")


if __name__ == "__main__":
    _demo()
