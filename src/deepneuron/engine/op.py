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

`forward` computes on NumPy arrays. `gradient` is written with other operations: it says
how the loss changes with each input, given how it changes with the output, and since it
emits operations, the way back is more graph of the same kind.

In the rules' signatures arrays stand before the `/` (or are `*xs`), attributes after.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from deepneuron.engine import scope
from deepneuron.engine.dtypes import result_type, standardize_dtype
from deepneuron.engine.graph import Node, Spec
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable
from deepneuron.errors import GradientError

registry: dict[str, Op] = {}
"""Every operation by its name."""


class Case:
    """Inputs on which an operation is tested: every `@op` brings at least one.

    Args:
        *inputs: a shape, for normal random numbers; or an array, taken as it is.
        between: (low, high), where the random numbers have to lie in an interval.
        smooth: False at a kink, where finite differences say nothing of the gradient.
        **attrs: the attributes.
    """

    def __init__(
        self,
        *inputs: Any,
        between: tuple[float, float] | None = None,
        smooth: bool = True,
        **attrs: Any,
    ) -> None:
        self.inputs, self.attrs = inputs, attrs
        self.between, self.smooth = between, smooth

    def arrays(self, seed: int = 0, dtype: str = "float64") -> list[np.ndarray]:
        """The inputs as arrays; those given as shapes get random numbers."""
        rng = np.random.default_rng(seed)

        def fill(shape: Any) -> np.ndarray:
            if not isinstance(shape, tuple):
                return np.array(shape)
            values = rng.uniform(*self.between, shape) if self.between else None
            values = rng.normal(size=shape) if values is None else values
            return np.asarray(values).astype(dtype)

        return [fill(shape) for shape in self.inputs]


class Op:
    """One operation. See the head of this file for what a subclass writes.

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

    infer: Any
    forward: Any

    def __init__(self) -> None:
        self.name = type(self).__name__
        parameters = list(inspect.signature(self.forward).parameters.values())
        self._arrays = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        self._attrs = {
            p.name: p.default
            for p in parameters
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "out"
        }
        self.__doc__ = type(self).__doc__
        self.__name__ = self.name
        self.__signature__ = inspect.Signature(
            [
                p.replace(kind=p.POSITIONAL_OR_KEYWORD)
                if p.kind is p.POSITIONAL_ONLY
                else p
                for p in parameters
                if p.name != "out"
            ]
        )

    def gradient(self, node: Node, *dys: Any) -> Sequence[Any]:
        """dL/dx for each input x (or None), given dL/dy for each output y (or None)."""
        raise GradientError(
            f"{self.name} has no gradient rule, but a gradient through it was asked for"
            f" (recorded at {node.source or 'an unknown line'})."
        )

    def prepare(self, inputs: list[Any]) -> list[Any]:
        """What to do to the inputs first; elementwise operations promote types."""
        return inputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on arrays; record on tensors."""
        inputs, attrs = self._bind(args, kwargs)
        mode = scope.mode()
        inputs = self.prepare(
            [mode.read(x) if isinstance(x, Variable) else as_array(x) for x in inputs]
        )
        if not any(isinstance(x, Tensor) for x in inputs):
            with np.errstate(all="ignore"):  # NaN and Inf are values like others
                y = self.forward(*inputs, **attrs)
            # An eager result may go anywhere: it must not be a window on an input.
            return np.array(y) if self.view else y
        node = Node(self, tuple(as_tensor(x) for x in inputs), attrs)
        compute(node)
        return node.outputs[0] if len(node.outputs) == 1 else node.outputs

    def _bind(self, args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
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
    """Fill in a node's outputs where the values of its inputs are known."""
    if isinstance(scope.mode(), Deferred):
        return
    values = [
        None if isinstance(x, Variable) else x.value_or_none() for x in node.inputs
    ]
    if any(v is None for v in values):
        return
    with np.errstate(all="ignore"):
        results = node.op.forward(*values, **node.attrs)
    results = results if isinstance(results, tuple) else (results,)
    for y, value in zip(node.outputs, results, strict=True):
        # A view of a variable must not change when the variable does.
        y.set_value(np.array(value) if node.op.view else np.asarray(value))


class Deferred(scope.Recording):
    """Nodes are made but not computed.

    A gradient is first drawn, then only its needed part is worked out.
    """


def as_array(x: Any) -> Any:
    """Numbers and lists become arrays; tensors, arrays and Python scalars stay."""
    if isinstance(x, (Tensor, np.ndarray, int, float)):
        return x
    if isinstance(x, np.generic):
        return np.asarray(x)
    if isinstance(x, (list, tuple)) and any(isinstance(part, Tensor) for part in x):
        return registry["stack_all"](*x)
    array = np.asarray(x)
    if array.dtype == object:
        raise TypeError(f"An array of numbers is needed; received {type(x)}: {x!r}.")
    if hasattr(x, "dtype") or array.dtype.kind not in "fi":
        return array
    weak = {"f": float, "i": int}[array.dtype.kind]
    return array.astype(standardize_dtype(weak))


def as_tensor(x: Any) -> Tensor:
    """A tensor as it is; anything else becomes a constant leaf."""
    if isinstance(x, Tensor):
        return x
    dtype = result_type(type(x)) if isinstance(x, (int, float)) else None
    array = np.asarray(x, dtype)
    return Tensor(array.shape, array.dtype.name, value=array)


def promote(inputs: list[Any], dtype: str | None = None) -> list[Any]:
    """Cast all inputs to `dtype`, or to the type that their mixture has in Keras."""
    if dtype is None:
        kinds = [type(x) if isinstance(x, (int, float)) else x.dtype for x in inputs]
        dtype = result_type(*kinds)
    cast = registry["cast"]
    return [
        np.asarray(x, dtype)
        if isinstance(x, (int, float))
        else x
        if x.dtype == dtype
        else cast(x, dtype)
        for x in inputs
    ]


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
    from deepneuron.engine.op import registry  # of the package, not of this script

    for name, known in sorted(registry.items()):
        equation = " ".join((known.__doc__ or "").split("\n\n")[0].split())
        mark = " " if known.differentiable else "-"
        print(f"{mark} {name:<36} {equation}")
    print(f"{len(registry)} operations; - has no gradient")


if __name__ == "__main__":
    _demo()
