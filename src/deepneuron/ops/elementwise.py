"""What all elementwise operations have in common: broadcasting and promotion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Op, Spec, promote
from deepneuron.errors import ShapeError
from deepneuron.ops.pieces import LARGE


class Elementwise(Op):
    """y[i] = f(x1[i], x2[i], ...), after broadcasting shapes and promoting types.

    A rule need not undo the broadcasting: `gradients` sums over the axes that an input
    was spread along.

    Attributes:
        ufunc: NumPy's function that is just this operation, if there is one.
        result: the type of y: "same" as the promoted inputs, "number" (booleans become
            "int32"), "float" (integers become `floatx()`), or "bool".
    """

    pointwise = True
    ufunc: ClassVar[Any] = None
    result: ClassVar[str] = "same"

    def __init__(self) -> None:
        super().__init__()
        # NumPy's elementwise functions may write over any of their inputs.
        self.inplace = {0: tuple(range(len(self._arrays)))}  # type: ignore[misc]

    def prepare(self, inputs: list[Any]) -> list[Any]:
        kinds = [type(x) if isinstance(x, (int, float)) else x.dtype for x in inputs]
        dtype = result_type(*kinds)
        if self.result == "float" and not is_float(dtype):
            dtype = result_type(dtype, float)
        if self.result == "number" and dtype == "bool":
            dtype = "int32"
        return promote(inputs, dtype)

    def bind(self, *arrays: Any, out: Any, **attrs: Any) -> Callable[[], Any]:
        if self.ufunc is None or out.size >= LARGE:
            return super().bind(*arrays, out=out, **attrs)
        return partial(self.ufunc, *arrays, out=out)

    def infer(self, *xs: Any, **attrs: Any) -> Spec:
        dtype = "bool" if self.result == "bool" else xs[0].dtype
        return Spec(broadcast_shapes(self.name, *(x.shape for x in xs)), dtype)


def broadcast_shapes(name: str, *shapes: Any) -> tuple[Any, ...]:
    """The common shape, or an error that says which operation could not be done.

    Sizes may be None, which is any size: beside another one than 1 it is that one.
    (NumPy's own rule knows no None, and refuses sizes whose product is huge.)
    """
    rank = max(map(len, shapes), default=0)
    axes = zip(*((1,) * (rank - len(s)) + tuple(s) for s in shapes), strict=True)
    common = []
    for sizes in axes:
        known = {n for n in sizes if n not in (1, None)}
        if len(known) > 1:
            listed = " and ".join(str(tuple(s)) for s in shapes)
            raise ShapeError(
                f"{name}: shapes {listed} do not go together. Counted from the right, "
                "two axes must be equal or one of them 1."
            )
        common.append(known.pop() if known else None if None in sizes else 1)
    return tuple(common)
