"""Backpropagation: one walk through the graph in reverse.

One neuron, its loss, and how the loss changes with every value on the way. Down on the
left the values are computed; then up on the right their gradients, each from the one
below it:

    z = w x            dw = x dz
    e = z - target     dz = de
    L = e^2            de = 2 e dL,  and dL = 1

So every node hands the gradient of its outputs to its rule, and gets back the gradient
of its inputs (the chain rule). A value that was used twice sums what comes back to it
(the multivariate chain rule). That is all.

`python -m deepneuron.engine.gradients` shows the rules at work on this neuron.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepneuron.engine import scope
from deepneuron.engine.convert import as_array, as_tensor
from deepneuron.engine.dtypes import is_float
from deepneuron.engine.graph import topological
from deepneuron.engine.op import compute
from deepneuron.engine.registry import registry
from deepneuron.engine.tensor import Tensor
from deepneuron.engine.variable import Variable


def backpropagate(
    y: Tensor, wrt: Sequence[Tensor], dy: Tensor | None = None
) -> list[Tensor | None]:
    """d sum(y * dy) / d w  for every w in `wrt`; None where y does not depend on w.

    Args:
        y: the value to differentiate, usually a loss of shape ().
        wrt: the tensors to differentiate with respect to.
        dy: the gradient that arrives at y; ones by default.
    """
    # Forward: which values change with a w, and through which nodes. The others need
    # no gradient, and integers have none.
    changing = {w for w in wrt if is_float(w.dtype)}
    path = []
    for node in topological([y]):
        if node.op.differentiable and changing.intersection(node.inputs):
            path.append(node)
            changing.update(out for out in node.outputs if is_float(out.dtype))

    if y not in changing:
        return [None for _ in wrt]
    gradient: dict[Tensor, Any] = {y: np.ones(y.shape, y.dtype) if dy is None else dy}

    # Backward: when a node's turn comes, all that read its outputs have had theirs.
    for node in reversed(path):
        dys = [gradient.get(out) for out in node.outputs]
        if all(dy is None for dy in dys):
            continue  # nothing came back this way: a rule further on returned None
        with scope.name_scope(f"{node.path}/gradient".lstrip("/"), node.source):
            dxs = node.op.gradient(node, *dys)
            for x, dx in zip(node.inputs, dxs, strict=True):
                if dx is not None and x in changing:
                    share = _fit(dx, x)
                    gradient[x] = gradient[x] + share if x in gradient else share

    return [as_tensor(gradient[w]) if w in gradient else None for w in wrt]


def _fit(dx: Any, x: Tensor) -> Any:
    """Where x was broadcast or cast on its way in, its gradient goes the way back."""
    if dx.dtype != x.dtype:
        dx = registry["cast"](dx, x.dtype)
    if tuple(dx.shape) != x.shape:
        dx = registry["sum_to"](dx, shape=x.shape)
    return dx


# --- the public functions


def gradients(fn_or_loss: Any, wrt: Any, *args: Any) -> Any:
    """dL/dw for every w: how much the loss L grows when w grows a little.

    Args:
        fn_or_loss: a loss that was computed inside `with deepneuron.recording():` or
            while a step is captured; or a function that computes it.
        wrt: a Variable, an array (for a function, which is then called with it), or a
            list of them.
        *args: further arguments of the function.

    Returns:
        One gradient for each w, of w's shape, in a list if `wrt` is one. None where the
        loss does not depend on w.

    A Variable may have been assigned another value on the way. What was computed before
    keeps the old one, and each value counts; but how the new value was computed is
    forgotten: no gradient flows back through an assignment.

    >>> import deepneuron as dn
    >>> w = dn.Variable([1.0, 2.0])
    >>> dn.gradients(lambda: dn.ops.sum(w**2), w)  # d(w1^2 + w2^2) = (2 w1, 2 w2)
    array([2., 4.], dtype=float32)
    """
    if callable(fn_or_loss) and not isinstance(fn_or_loss, Tensor):
        return value_and_grad(fn_or_loss, wrt, *args)[1]
    return _differentiate(fn_or_loss, wrt)


def value_and_grad(fn: Callable[..., Any], wrt: Any, *args: Any) -> Any:
    """(L, dL/dw) of a function that returns a loss L.

    Args:
        fn: called as `fn(*args)` if `wrt` holds Variables, else as `fn(*wrt, *args)`.
        wrt: a Variable or an array, or a list of either.
        *args: further arguments of the function.

    Returns:
        The value of the loss, and its gradients as `gradients` returns them.

    >>> import numpy as np, deepneuron as dn
    >>> dn.value_and_grad(lambda x: dn.ops.sum(3.0 * x), np.ones(2, "float32"))
    (array(6., dtype=float32), array([3., 3.], dtype=float32))
    """
    nested = isinstance(scope.mode(), (scope.Recording, scope.Capture))
    with scope.use(scope.mode() if nested else scope.Recording()):
        many = isinstance(wrt, (list, tuple))
        ws = list(wrt) if many else [wrt]
        if all(isinstance(w, Variable) for w in ws):
            loss = fn(*args)
        else:
            ws = [w if isinstance(w, Variable) else _leaf(w) for w in ws]
            loss = fn(*(w for w in ws if not isinstance(w, Variable)), *args)
        loss = as_tensor(loss)
        grads = _differentiate(loss, ws)
    if not nested:  # nested, the gradients are part of what is differentiated outside
        loss, grads = plain(loss), [plain(g) for g in grads]
    return loss, grads if many else grads[0]


def _leaf(w: Any) -> Tensor:
    """w under an identity of its own, so that the same array may be given twice."""
    if isinstance(w, Tensor):
        return registry["identity_value"](w)
    array = np.array(as_array(w))
    return Tensor(array.shape, array.dtype.name, value=array)


def _differentiate(loss: Any, wrt: Any) -> Any:
    """`backpropagate`, with Variables looked up, and eager gradients worked out."""
    many = isinstance(wrt, (list, tuple))
    loss = as_tensor(loss)
    symbolic = loss.value_or_none() is None
    # In a mode of their own, rules see the Variables as the forward pass saw them.
    with scope.use(scope.Capture() if symbolic else scope.Deferred()):
        grads = _gradients_of_readings(loss, list(wrt) if many else [wrt])
    if not symbolic:
        for node in topological(g for g in grads if g is not None):
            if node.outputs[0].value_or_none() is None:
                compute(node)
        if not isinstance(scope.mode(), (scope.Recording, scope.Capture)):
            grads = [plain(g) for g in grads]
    return grads if many else grads[0]


def _gradients_of_readings(loss: Tensor, ws: list[Tensor]) -> list[Tensor | None]:
    """`backpropagate`; a Variable's gradient is the sum over the times it was read."""
    readings = {w: {w: None} for w in ws}  # in order, each once
    for x in (loss, *(x for node in topological([loss]) for x in node.inputs)):
        if x.variable in readings:
            readings[x.variable][x] = None
    leaves = [x for some in readings.values() for x in some]
    gradient = dict(zip(leaves, backpropagate(loss, leaves), strict=True))

    def total(w: Tensor) -> Tensor | None:
        some: list[Any] = [gradient[x] for x in readings[w] if gradient[x] is not None]
        return sum(some[1:], some[0]) if some else None

    return [total(w) for w in ws]


def plain(x: Any) -> Any:
    """An eager tensor's array; anything else as it is."""
    value = x.value_or_none() if isinstance(x, Tensor) else None
    if value is None:
        return x
    return np.array(value) if x.node is None else value  # no window on a variable


def _demo() -> None:
    import deepneuron as dn

    w: Any = dn.Variable(3.0, name="w")
    b = dn.Variable(-1.0, name="b")
    with dn.recording():
        loss = (w * 2.0 + b - 4.0) ** 2.0  # one neuron, x = 2, target 4
    print("forward: loss = (w x + b - target)^2, w = 3, x = 2, b = -1, target = 4")
    forward = topological([loss])
    for node in forward:
        print(f"  {node.op.name:<10} -> {node.outputs[0].numpy()}")
    with dn.recording():
        grads = dn.gradients(loss, [w, b])
    print("backward: what the rules wrote, in the order in which it is computed")
    for node in topological(grads):
        if node not in forward:
            value = node.outputs[0].numpy()
            print(f"  {node.op.name:<10} -> {value}   # {node.path}")
    print(f"d loss / d w = {grads[0].numpy()}, d loss / d b = {grads[1].numpy()}")


if __name__ == "__main__":
    _demo()
