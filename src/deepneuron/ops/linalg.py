"""Products of matrices."""

from __future__ import annotations

import string
from functools import partial

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op, promote, registry
from deepneuron.engine.threads import share
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.ops.elementwise import broadcast_shapes
from deepneuron.ops.reduction import axes_of
from deepneuron.ops.shape import broadcast_to, moveaxis, reshape, squeeze
from deepneuron.ops.types import convert_to_tensor

# Counted are the multiplications of numbers.
_SMALL = 1 << 18  # of no more, BLAS uses one thread whatever it is allowed
_PART = 1 << 21  # so many are worth a thread
_MOST_PARTS, _PANEL = 4, 16  # into which we cut, and rows that BLAS takes at a time


@op
class gemm(Op):
    """y = op(a) @ op(b) over the last two axes, where op transposes if asked to

    a: (..., m, k) or with `ta` (..., k, m);  b: (..., k, n) or with `tb` (..., n, k)
    """

    cases = (
        Case((2, 3), (3, 4)),
        Case((3, 2), (3, 4), ta=True),
        Case((2, 3), (4, 3), tb=True),
        Case((3, 2), (4, 3), ta=True, tb=True),
        Case((5, 2, 3), (5, 3, 4)),
        Case((5, 2, 3), (3, 4)),
        Case((33, 260), (260, 70), ta=False),
        Case((260, 80), (33, 260), ta=True, tb=True),
    )

    def prepare(self, inputs):
        return promote(inputs)

    def infer(self, a, b, /, ta=False, tb=False):
        (m, k), (k2, n) = _matrix(a.shape, ta), _matrix(b.shape, tb)
        if k != k2:
            raise ShapeError(
                f"matmul: shapes {tuple(a.shape)} and {tuple(b.shape)} do not go "
                f"together. The inner sizes, {k} and {k2}, must be equal."
            )
        lead = broadcast_shapes("matmul", a.shape[:-2], b.shape[:-2])
        return Spec((*lead, m, n), a.dtype)

    def forward(self, a, b, /, ta=False, tb=False, out=None):
        a = a.swapaxes(-1, -2) if ta else a
        b = b.swapaxes(-1, -2) if tb else b
        if a.ndim > 2 or b.ndim > 2 or a.size * b.shape[1] <= _SMALL:
            return np.matmul(a, b, out=out)
        (m, k), n = a.shape, b.shape[1]
        y = np.empty((m, n), a.dtype) if out is None else out
        # The longer side is cut: so that all parts but the last can be full panels.
        count = max(1, min(_MOST_PARTS, m * k * n // _PART))
        step = -(-max(m, n) // (_PANEL * count)) * _PANEL

        def work(some):
            if n >= m:
                np.matmul(a, b[:, some], out=y[:, some])
            else:
                np.matmul(a[some], b, out=y[some])

        share(work, [slice(i, i + step) for i in range(0, max(m, n), step)])
        return y

    def bind(self, a, b, /, ta=False, tb=False, *, out):
        if a.ndim > 2 or b.ndim > 2 or out.size * a.size > _SMALL * len(out):
            return super().bind(a, b, ta=ta, tb=tb, out=out)
        return partial(np.dot, a.T if ta else a, b.T if tb else b, out)

    def gradient(self, node, dy):
        (a, b), ta, tb = node.inputs, node.attrs["ta"], node.attrs["tb"]
        da = gemm(b, dy, ta=tb, tb=True) if ta else gemm(dy, b, tb=not tb)
        db = gemm(dy, a, ta=True, tb=ta) if tb else gemm(a, dy, ta=not ta)
        return da, db


def _matrix(shape, transposed):
    *_, rows, columns = shape
    return (columns, rows) if transposed else (rows, columns)


def matmul(x1, x2):
    """y[..., i, j] = sum over k of x1[..., i, k] x2[..., k, j]

    Args:
        x1: (..., m, k), or a vector (k,).
        x2: (..., k, n), or a vector (k,).

    Returns:
        (..., m, n); a vector's axis vanishes. Leading axes are broadcast.

    Raises:
        ShapeError: the inner sizes differ.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.matmul(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    array([[11.]])
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        raise ShapeError(
            f"matmul: a number has no axes to sum over (shapes {tuple(x1.shape)} and "
            f"{tuple(x2.shape)}); use multiply."
        )
    a = reshape(x1, (1, -1)) if x1.ndim == 1 else x1
    b = reshape(x2, (-1, 1)) if x2.ndim == 1 else x2
    if (
        a.ndim > 2 and b.ndim == 2 and None not in a.shape
    ):  # one large product instead of many small ones
        y = gemm(reshape(a, (-1, a.shape[-1])), b)
        y = reshape(y, (-1, *a.shape[1:-1], y.shape[-1]))
    else:
        y = gemm(a, b)
    gone = [-2] * (x1.ndim == 1) + [-1] * (x2.ndim == 1)
    return squeeze(y, axis=gone) if gone else y


def dot(x1, x2):
    """y = the sum of products over the last axis of x1 and the last but one of x2

    Vectors: their scalar product. A number: the product with it.

    >>> import numpy as np, deepneuron as dn
    >>> float(dn.ops.dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    11.0
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return registry["multiply"](x1, x2)
    return tensordot(x1, x2, ((-1,), (-2 if x2.ndim > 1 else -1,)))


def tensordot(x1, x2, axes=2):
    """y = the sum of products over pairs of axes; the others of x1, then of x2, stay

    Args:
        x1, x2: values.
        axes: (axes of x1, axes of x2), paired in order; a number: so many last axes of
            x1 with so many first ones of x2.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    n, m = x1.ndim, x2.ndim
    if isinstance(axes, int):
        axes = tuple(range(n - axes, n)), tuple(range(axes))
    left, right = (a if isinstance(a, (tuple, list)) else (a,) for a in axes)
    left, right = [a % n for a in left], [a % m for a in right]
    letters = string.ascii_lowercase
    names = list(letters[:n]), list(letters[n : n + m])
    for a, b in zip(left, right, strict=True):
        names[1][b] = names[0][a]
    kept = [names[0][i] for i in range(n) if i not in left]
    kept += [names[1][i] for i in range(m) if i not in right]
    return einsum(f"{''.join(names[0])},{''.join(names[1])}->{''.join(kept)}", x1, x2)


def outer(x1, x2):
    """y[i, j] = x1[i] x2[j]; both are taken as vectors.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    return registry["multiply"](reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@op
class einstein_sum(Op):
    """y = the sum of the products of the xs over every letter that y does not have

    subscripts: "ij,jk->ik" is a product of matrices; no letter twice in one input.
    """

    cases = (
        Case((2, 3), (3, 4), subscripts="ij,jk->ik"),
        Case((2, 3), subscripts="ij->ji"),
        Case((2, 3), subscripts="ij->i"),
        Case((2, 3), (2, 3), subscripts="ij,ij->"),
        Case((2, 3, 4), (3, 2), (4,), subscripts="ijk,ji,k->kj"),
    )

    def prepare(self, inputs):
        return promote(inputs)

    def infer(self, *xs, subscripts):
        terms, result = _terms(subscripts)
        sizes = _sizes(subscripts, terms, xs)
        return Spec(tuple(sizes[letter] for letter in result), xs[0].dtype)

    def forward(self, *xs, subscripts, out=None):
        y = np.einsum(subscripts, *xs, out=out, optimize=len(xs) > 1)
        return np.array(y) if out is None else out

    def gradient(self, node, dy):
        subscripts = node.attrs["subscripts"]
        terms, result = _terms(subscripts)
        dxs = []
        for i, (x, term) in enumerate(zip(node.inputs, terms, strict=True)):
            others = [
                (t, other)
                for j, (t, other) in enumerate(zip(terms, node.inputs, strict=True))
                if j != i
            ]
            known = set(result).union(*(t for t, _ in others))
            # A letter that only x has was summed: its gradient is the same all along.
            seen = [letter for letter in term if letter in known]
            spec = ",".join([result, *(t for t, _ in others)]) + "->" + "".join(seen)
            dx = einstein_sum(dy, *(other for _, other in others), subscripts=spec)
            kept = [
                n if letter in known else 1
                for letter, n in zip(term, x.shape, strict=True)
            ]
            dxs.append(broadcast_to(reshape(dx, tuple(kept)), x.shape))
        return dxs


def einsum(subscripts, *operands, **kwargs):
    """y = the sum of products that Einstein's notation describes.

    Args:
        subscripts: such as "ij,jk->ik"; without "->" the letters that stand once, in
            alphabetical order, are the result's. "..." stands for all further axes.
        *operands: an array or tensor for each term.

    Raises:
        ShapeError: sizes of the same letter differ, or a term has other axes than its
            operand.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.einsum("ij,j->i", np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))
    array([11.])
    """
    operands = [convert_to_tensor(x) for x in operands]
    subscripts = _spelled_out(subscripts.replace(" ", ""), operands)
    return einstein_sum(*operands, subscripts=subscripts)


def _spelled_out(subscripts, operands):
    """Without "...", and with the letters of the result."""
    left, arrow, result = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ShapeError(
            f"einsum: {subscripts!r} has {len(terms)} terms; it was given "
            f"{len(operands)} operands."
        )
    free = [c for c in string.ascii_letters if c not in subscripts]
    more = max(
        (
            len(x.shape) - len(t) + 3
            for t, x in zip(terms, operands, strict=True)
            if "..." in t
        ),
        default=0,
    )
    dots = "".join(free[:more])
    if not arrow:
        once = (c for c in sorted(set(left)) if left.count(c) == 1 and c.isalpha())
        result = "..." * ("..." in left) + "".join(once)
    spelled = [
        t.replace(
            "...", dots[more - (len(x.shape) - len(t) + 3) :] if "..." in t else ""
        )
        for t, x in zip(terms, operands, strict=True)
    ]
    return ",".join(spelled) + "->" + result.replace("...", dots)


def _terms(subscripts):
    left, _, result = subscripts.partition("->")
    return left.split(","), result


def _sizes(subscripts, terms, xs):
    sizes = {}
    for term, x in zip(terms, xs, strict=True):
        if len(term) != len(x.shape) or len(set(term)) != len(term):
            raise ShapeError(
                f"einsum: in {subscripts!r} the term {term!r} must have one letter of "
                f"its own for every axis of the operand of shape {tuple(x.shape)}."
            )
        for letter, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ShapeError(
                    f"einsum: in {subscripts!r} the letter {letter!r} stands for the "
                    f"sizes {sizes[letter]} and {n}."
                )
    return sizes


def trace(x, offset=0, axis1=0, axis2=1):
    """y = the sum of x's diagonal

    >>> import numpy as np, deepneuron as dn
    >>> float(dn.ops.trace(np.array([[1.0, 2.0], [3.0, 4.0]])))
    5.0
    """
    return registry["sum"](diagonal(x, offset, axis1, axis2), axis=-1)


def diagonal(x, offset=0, axis1=0, axis2=1):
    """y[i] = x[i, i + offset]; the diagonal's axis is the last of y

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    x = moveaxis(convert_to_tensor(x), (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    flat = reshape(x, (*(-1 if n is None else n for n in x.shape[:-2]), rows * columns))
    i = np.arange(rows)
    i = i[(i + offset >= 0) & (i + offset < columns)]
    return registry["gather"](
        flat, (i * columns + i + offset).astype("int32"), axis=flat.ndim - 1
    )


def norm(x, ord=None, axis=None, keepdims=False):
    """y = how long x is along axis

    Args:
        x: values.
        ord: None or "fro" for the root of the sum of squares; for one axis also 1 (sum
            of magnitudes), 2, another power p, inf (the largest) and -inf; for two
            axes 1 and inf (the largest sum of a column, of a row).
        axis: one, two, or (None) all of them.
        keepdims: whether the axis stays, with size 1.

    >>> import numpy as np, deepneuron as dn
    >>> float(dn.ops.norm(np.array([3.0, 4.0])))
    5.0
    """
    x = convert_to_tensor(x)
    if not is_float(x.dtype):
        x = registry["cast"](x, result_type(x.dtype, float))
    axes = axes_of(axis, x.ndim)
    magnitude = registry["absolute"](x)
    if ord in (None, "fro") or (ord == 2 and len(axes) == 1):
        squares = registry["sum"](registry["square"](x), axis=axes, keepdims=keepdims)
        return registry["sqrt"](squares)
    if len(axes) == 1:
        if ord in (np.inf, -np.inf):
            extreme = registry["largest" if ord > 0 else "smallest"]
            return extreme(magnitude, axis=axes, keepdims=keepdims)
        if ord == 0:
            hits = registry["cast"](registry["not_equal"](x, 0), x.dtype)
            return registry["sum"](hits, axis=axes, keepdims=keepdims)
        powers = registry["power"](magnitude, float(ord))
        total = registry["sum"](powers, axis=axes, keepdims=keepdims)
        return registry["power"](total, 1.0 / ord)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        summed, other = axes if ord in (1, -1) else axes[::-1]
        sums = registry["sum"](magnitude, axis=summed, keepdims=True)
        extreme = registry["largest" if ord > 0 else "smallest"]
        y = extreme(sums, axis=other, keepdims=True)
        return y if keepdims else squeeze(y, axis=axes)
    raise ArgumentError(
        f"norm: ord={ord!r} is not known for {len(axes)} axes; "
        "use None, 'fro', 1, 2 or inf."
    )
