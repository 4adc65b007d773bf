"""Products of matrices, and what stands around them in a dense layer.

    relu(x @ kernel + bias)                 one instruction
    dx = relu_grad(dy @ kernel^T, y)        one
    x^T @ dy and the sum of dy              one, and the kernel's update as well

A product of two tensors is described by letters, as einsum does it: m is an axis of a
and y, n of b and y, k of a and b, and l of all three. So one rule serves matmul and
einsum.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from deepneuron.engine.graph import Node
from deepneuron.engine.tensor import Tensor
from deepneuron.kernels.native.lowering import MAP, TEAM, Lowering, Rows, lowers
from deepneuron.kernels.native.rules.optimizer import update_by_product

LARGE = 1 << 16  # numbers of a kernel; fewer stay in a core's cache, whoever uses them
ROWS = 48  # of a chunk; fewer do not pay for packing the kernel
STRIPS = (12, 32, 256)  # a gradient of so many rows and columns at least, terms at most


@dataclass
class Product:
    """y = op(a) @ op(b) for every l; sizes, and steps in numbers."""

    a: Tensor
    b: Tensor
    y: Tensor
    m: int
    n: int
    k: int
    ta: bool
    tb: bool
    lda: int  # numbers from one row to the next
    ldb: int
    ldc: int
    l: tuple[int, int]  # the first of these axes, and all others
    steps: tuple[int, ...]  # in a, b, y from one of these others to the next
    lead: str  # the letters of the first axes of a, b, y

    def sizes(self) -> list[int]:
        return [self.m, self.n, self.k, self.ta, self.tb]


# --- from nodes to products


def product(node: Node) -> Product | None:
    """The product that a node computes, if the kernels know it."""
    if len(node.inputs) != 2:
        return None
    (a, b), (y,) = node.inputs, node.outputs
    if any(t.dtype != "float32" for t in (a, b, y)) or 0 in (*a.shape, *b.shape):
        return None
    if node.op.name == "gemm":
        terms = _letters_of_gemm(node)
    else:
        left, _, result = node.attrs["subscripts"].partition("->")
        terms = (*left.split(","), result)
    return _arrange((a, b, y), terms) or _arrange(
        (b, a, y), (terms[1], terms[0], terms[2])
    )


def _letters_of_gemm(node: Node) -> tuple[str, str, str]:
    a, b = node.inputs
    lead = string.ascii_uppercase[: len(node.outputs[0].shape) - 2]
    first = lead[len(lead) - a.ndim + 2 :] + ("km" if node.attrs["ta"] else "mk")
    second = lead[len(lead) - b.ndim + 2 :] + ("nk" if node.attrs["tb"] else "kn")
    return first, second, lead + "mn"


def _arrange(tensors: Sequence[Tensor], terms: Sequence[str]) -> Product | None:
    """Group the letters; None where a group is not one axis of equal steps."""
    sizes: dict[str, int] = {}
    for tensor, term in zip(tensors, terms, strict=True):
        for c, size in zip(term, tensor.shape, strict=True):
            sizes[c] = max(size, sizes.get(c, 1))
    axes = [_axes(t, term, sizes) for t, term in zip(tensors, terms, strict=True)]
    in_a, in_b, in_y = axes
    groups = {
        "l": [c for c in in_y if c in in_a and c in in_b],
        "m": [c for c in in_y if c in in_a and c not in in_b],
        "n": [c for c in in_y if c in in_b and c not in in_a],
        "k": [c for c in in_a if c in in_b and c not in in_y],
    }
    names = {c: name for name, group in groups.items() for c in group}
    if {*in_a, *in_b, *in_y} != {*names}:
        return None  # a letter that only one of them has
    letters = [groups["m"], groups["n"], groups["k"], groups["l"][:1], groups["l"][1:]]
    merged = [found for group in letters if (found := _merge(group, axes))]
    if len(merged) < len(letters):
        return None
    (m, am, _, ym), (n, _, bn, yn), (k, ak, bk, _), (batch, *_), (l, *steps) = merged
    ta, tb = k > 1 and ak > 1, n > 1 and bn > 1
    fits = (n == 1 or yn == 1) and not (ta and am > 1) and not (tb and bk > 1)
    if not fits:
        return None
    return Product(
        a=tensors[0],
        b=tensors[1],
        y=tensors[2],
        m=m,
        n=n,
        k=k,
        ta=ta,
        tb=tb,
        lda=ak if ta else am,
        ldb=bn if tb else bk,
        ldc=ym,
        l=(batch, l),
        steps=tuple(steps),
        lead="".join(names.get(term[:1], " ") for term in terms),
    )


Axes = dict[str, tuple[int, int]]


def _axes(tensor: Tensor, term: str, sizes: dict[str, int]) -> Axes:
    """{letter: (size, step)}; an axis of size 1 that is broadcast counts as absent."""
    steps = [prod(tensor.shape[i + 1 :]) for i in range(len(term))]
    axes = zip(term, tensor.shape, steps, strict=True)
    return {c: (size, step) for c, size, step in axes if size == sizes[c]}


def _merge(letters: Sequence[str], tensors: Sequence[Axes]) -> tuple[int, ...] | None:
    """(size, step in a, in b, in y) of letters as one axis; 0 where it has none."""
    size, steps = 1, []
    for axes in tensors:
        here = [axes[c] for c in letters if c in axes and axes[c][0] > 1]
        for (_, outer), (inner, step) in pairwise(here):
            if outer != inner * step:
                return None
        steps.append(here[-1][1] if here else 0)
        size = max(size, prod(n for n, _ in here))
    return size, *steps


# --- from products to instructions


@lowers("gemm", "einstein_sum")
def gemm(low: Lowering, node: Node) -> bool:
    """y = op(a) @ op(b), with what follows"""
    p = product(node)
    if p is None:
        return False
    if p.lead.startswith("l"):
        return _each(low, node, p)
    if prod(p.l) > 1:
        return False
    if _is_of_rows(low, p):
        _rows(low, node, p)
    elif _sums_over_batch(low, p):
        _over_batch(low, p, None, [node])
    else:
        ints = [*p.sizes(), p.lda, p.ldb, p.ldc]
        low.emit("gemm_whole", TEAM, [p.a, p.b], [p.y], ints, nodes=[node])
    return True


def _is_of_rows(low: Lowering, p: Product) -> bool:
    """Whether each sample has rows of a, which give its rows of y."""
    plain = not p.ta and p.ldc in (0, p.n)
    return plain and low.in_rows(p.a) and (p.lead[0], p.lead[2]) == ("m", "m")


def _rows(low: Lowering, node: Node, p: Product) -> None:
    """c = relu(a @ b + bias), or relu_grad(a @ b, y)"""
    nodes, bias, mask, relu = [node], None, None, False
    if (masking := _next(low, nodes, "relu_grad")) and _is_mask(low, masking):
        nodes, mask = masking, Rows(masking[-1].inputs[1])
    else:
        if adding := _next(low, nodes, "add"):
            bias = _bias(adding, p.n)
            nodes = nodes if bias is None else adding
        if activating := _next(low, nodes, "relu"):
            nodes, relu = activating, True
    (y,) = nodes[-1].outputs
    low.emit(
        "gemm",
        MAP if p.n * p.k < LARGE else TEAM,
        [Rows(p.a), p.b, bias, mask],
        [Rows(y)],
        [p.n, p.k, p.m // low.rows, p.tb, relu],
        nodes=nodes,
        chunk=max(1, ROWS * low.rows // p.m),
    )


def _next(low: Lowering, nodes: list[Node], operation: str) -> list[Node] | None:
    """nodes, and the one of that name that alone reads the last's output.

    A reshape in between, as from (batch * time, units) to (batch, time, units), is a
    further node.
    """
    (y,) = nodes[-1].outputs
    if found := low.sole_user(y, operation):
        return [*nodes, found]
    view = low.sole_user(y, "reshape")
    if view is None or view.outputs[0].shape[-1:] != y.shape[-1:]:
        return None
    found = low.sole_user(view.outputs[0], operation)
    return [*nodes, view, found] if found else None


def _is_mask(low: Lowering, nodes: list[Node]) -> bool:
    """Whether the last node masks the output of the one before, row by row."""
    dy, y = nodes[-1].inputs
    same = y.shape == dy.shape and y.dtype == dy.dtype
    return dy is nodes[-2].outputs[0] and same and low.in_rows(y)


def _bias(nodes: list[Node], n: int) -> Tensor | None:
    """What the last node adds to the output of the one before, if that is a vector."""
    before, add = nodes[-2:]
    others = [x for x in add.inputs if x is not before.outputs[0]]
    if len(others) != 1 or others[0].shape != (n,) or others[0].dtype != "float32":
        return None
    return others[0]


def _sums_over_batch(low: Lowering, p: Product) -> bool:
    """Whether it is a^T b, where a and b have rows for each sample."""
    plain = (p.ta or 1 in (p.m, p.k)) and not p.tb and p.ldc in (0, p.n)
    return plain and p.lead[:2] == "kk" and low.in_rows(p.a) and low.in_rows(p.b)


def _over_batch(
    low: Lowering, p: Product, total: Tensor | None, nodes: list[Node]
) -> None:
    """y = a^T @ b, total = the sum of b; and the update of a kernel by y"""
    sizes = [p.m, p.n, p.k // low.rows]
    rows, columns, terms = STRIPS
    fits = p.m >= rows and p.n >= columns and p.k <= terms
    if not (fits and update_by_product(low, p.a, p.b, p.y, total, sizes, nodes)):
        low.emit(
            "gemm_over_batch",
            TEAM,
            [Rows(p.a), Rows(p.b)],
            [p.y, total],
            [*sizes, 0],
            nodes=nodes,
        )


@lowers("sum_to")
def bias_gradient(low: Lowering, node: Node) -> bool:
    """dbias = the sum of dy, on the way of dkernel = x^T @ dy"""
    (dy,), (total,) = node.inputs, node.outputs
    seen = [dy, *(u.outputs[0] for u in low.users(dy) if u.op.view)]
    for user in (u for t in seen for u in low.users(t)):
        if user.op.name not in ("gemm", "einstein_sum") or low.done(user):
            continue
        p = product(user)
        if p and p.b in seen and _sums_over_batch(low, p) and total.shape == (p.n,):
            _over_batch(low, p, total, [node, user])
            return True
    return False


def _each(low: Lowering, node: Node, p: Product) -> bool:
    """One product, or several, for each sample"""
    batch, count = p.l
    if batch != low.rows or not any(map(low.in_rows, (p.a, p.b))):
        return False
    operands = []
    for t, lead in zip((p.a, p.b), p.lead, strict=False):
        if lead == "l" and not low.in_rows(t):
            return False
        operands.append(Rows(t) if lead == "l" else t)
    ints = [*p.sizes(), p.lda, p.ldb, p.ldc, count, *p.steps]
    low.emit("gemm_each", MAP, operands, [Rows(p.y)], ints, nodes=[node])
    return True
