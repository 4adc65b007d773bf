"""Products of matrices."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.errors import ShapeError
from deepneuron.ops.elementwise import broadcast_shapes
from deepneuron.ops.shape import reshape, squeeze
from deepneuron.ops.types import convert_to_tensor


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
        return np.matmul(a, b, out=out)

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
    if a.ndim > 2 and b.ndim == 2 and None not in a.shape[1:]:  # one large product instead of many small ones
        y = gemm(reshape(a, (-1, a.shape[-1])), b)
        y = reshape(y, (-1, *a.shape[1:-1], y.shape[-1]))
    else:
        y = gemm(a, b)
    gone = [-2] * (x1.ndim == 1) + [-1] * (x2.ndim == 1)
    return squeeze(y, axis=gone) if gone else y
