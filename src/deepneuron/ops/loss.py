"""Cross-entropies: how surprised a network is by the truth.

    t    the target: how likely each class is in truth; or the number of the true class
    p    what the network says: probabilities
    z    what it says before a softmax or sigmoid made probabilities of it: logits

From logits softmax and logarithm are one operation: then no probability can become an
exact 0, and the gradient is the plain difference p - t.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from deepneuron.engine.config import epsilon
from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.engine.workspace import scratch
from deepneuron.errors import DataError, ShapeError
from deepneuron.ops import reduction
from deepneuron.ops.arithmetic import negative
from deepneuron.ops.elementwise import Elementwise
from deepneuron.ops.exponential import log
from deepneuron.ops.pieces import in_pieces
from deepneuron.ops.rectifiers import clamp
from deepneuron.ops.shape import expand_dims, squeeze, transpose
from deepneuron.ops.sigmoids import sigmoid
from deepneuron.ops.softmaxes import log_softmax, softmax_grad
from deepneuron.ops.types import cast, convert_to_tensor

_SHARES = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]])
_LABELS = np.array([2, 0])


# --- one of K classes, given as K shares


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """y = -sum over the classes of t log p

    Args:
        target: (..., classes), the true shares; they sum to 1.
        output: the same shape, probabilities or logits. Probabilities are first divided
            by their sum, and kept away from 0 and 1 by `epsilon()`.
        from_logits: whether output is logits.
        axis: the axis of the classes.

    Returns:
        The shape of target without the axis.

    Raises:
        ShapeError: the shapes differ.

    >>> import deepneuron as dn
    >>> dn.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    array([0.6931472], dtype=float32)
    """
    target, output = convert_to_tensor(target), _floats(output)
    _check_same("categorical_crossentropy", target, output)
    if len(output.shape) == 0:
        raise ShapeError("categorical_crossentropy: a number has no axis of classes.")
    if from_logits:
        return softmax_cross_entropy(target, output, axis=axis)[0]
    p = output / reduction.sum(output, axis=axis, keepdims=True)
    return negative(reduction.sum(target * log(_inside(p)), axis=axis))


@op
class softmax_cross_entropy(Op):
    """y = -sum of t log p along axis,  p = softmax(z);  outputs (y, p)"""

    cases = (Case(_SHARES, (2, 3)), Case(_SHARES, (2, 3), axis=0))

    def prepare(self, inputs):
        return promote(inputs)

    def infer(self, target, logits, /, axis=-1):
        shape = list(logits.shape)
        del shape[axis]
        return Spec(tuple(shape), logits.dtype), Spec(tuple(logits.shape), logits.dtype)

    def forward(self, target, logits, /, axis=-1, out=None):
        y, p = out or self._room(logits, axis)
        shifted, total = _softmax(logits, axis, p)
        np.subtract(shifted, np.log(total, out=total), out=shifted)  # log p
        np.multiply(target, shifted, out=shifted)
        np.sum(shifted, axis=axis, out=y)
        return np.negative(y, out=y), p

    def _room(self, logits, axis):
        specs = self.infer(logits, logits, axis=axis)
        return tuple(np.empty(shape, logits.dtype) for shape, _ in specs)

    def gradient(self, node, dy, dp):
        (target, logits), (_, p), axis = node.inputs, node.outputs, node.attrs["axis"]
        dt = dz = None
        if dy is not None:
            dy = expand_dims(dy, axis)
            dt = -dy * log_softmax(logits, axis=axis)
            dz = softmax_cross_entropy_grad(dy, target, p, axis=axis)
        if dp is not None:
            through_p = softmax_grad(dp, p, axis=axis)
            dz = through_p if dz is None else dz + through_p
        return dt, dz


@op
class softmax_cross_entropy_grad(Op):
    """dz = dy (p sum of t - t), the sum being along axis: 1 where t are true shares

    dy: y's shape, with the axis of size 1
    """

    cases = (
        Case((2, 1), _SHARES, (2, 3), between=(0.1, 0.9)),
        Case((1, 3), _SHARES, (2, 3), between=(0.1, 0.9), axis=0),
    )

    def infer(self, dy, target, p, /, axis=-1):
        return Spec(tuple(p.shape), p.dtype)

    def forward(self, dy, target, p, /, axis=-1, out=None):
        total = np.sum(target, axis=axis, keepdims=True, out=scratch(dy.shape, p.dtype))
        dz = np.multiply(p, total, out=out)
        np.subtract(dz, target, out=dz)
        return np.multiply(dz, dy, out=dz)

    def gradient(self, node, dd):
        (dy, target, p), axis = node.inputs, node.attrs["axis"]
        along = {"axis": axis, "keepdims": True}
        total = reduction.sum(target, **along)
        return (
            reduction.sum(dd * (p * total - target), **along),
            dy * (reduction.sum(dd * p, **along) - dd),
            dd * dy * total,
        )


# --- one of K classes, given as its number


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """y = -log p[t]

    Args:
        target: (...) whole numbers from 0 to classes - 1; a last axis of size 1 more is
            allowed.
        output: (..., classes), probabilities or logits. Probabilities are first divided
            by their sum, and kept away from 0 and 1 by `epsilon()`.
        from_logits: whether output is logits.
        axis: the axis of the classes.

    Returns:
        The shape of target.

    Raises:
        ShapeError: the shapes do not belong together.
        DataError: there is no such class.

    >>> import deepneuron as dn
    >>> dn.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    array([0.6931472], dtype=float32)
    """
    target, output = convert_to_tensor(target), _floats(output)
    if str(target.dtype) not in ("int32", "int64"):
        target = cast(target, "int32")
    ndim = len(output.shape)
    if ndim == 0:
        raise ShapeError(
            "sparse_categorical_crossentropy: a number has no axis of classes."
        )
    axis %= ndim
    if len(target.shape) == ndim and target.shape[-1] == 1:
        target = squeeze(target, axis=-1)
    wanted = tuple(n for i, n in enumerate(output.shape) if i != axis)
    if not _fit(target.shape, wanted):
        raise ShapeError(
            "sparse_categorical_crossentropy: the target holds one class number for "
            f"each row of the output, so it should have shape {wanted}; received "
            f"target {tuple(target.shape)} and output {tuple(output.shape)}. Targets "
            "with one share for each class belong to categorical_crossentropy."
        )
    if axis != ndim - 1:
        order = [i for i in range(ndim) if i != axis]
        output = transpose(output, axes=(*order, axis))
    if from_logits:
        return sparse_softmax_cross_entropy(target, output)[0]
    total = reduction.sum(output, axis=-1)
    return negative(log(_inside(pick(target, output) / total)))


@op
class sparse_softmax_cross_entropy(Op):
    """y = -log p[t],  p = softmax(z) along the last axis;  outputs (y, p)

    target: (...), whole numbers from 0 to K - 1;  logits: (..., K)
    """

    cases = (Case(_LABELS, (2, 3)), Case(np.array([[1, 0], [3, 2]]), (2, 2, 4)))

    def infer(self, target, logits, /):
        return Spec(tuple(target.shape), logits.dtype), Spec(
            tuple(logits.shape), logits.dtype
        )

    def forward(self, target, logits, /, out=None):
        y, p = out or (
            np.empty(target.shape, logits.dtype),
            np.empty(logits.shape, logits.dtype),
        )
        shifted, total = _softmax(logits, -1, p)
        shifted.take(_positions(target, logits.shape), None, y, "clip")
        np.subtract(np.log(total, out=total)[..., 0], y, out=y)
        return y, p

    def gradient(self, node, dy, dp):
        (target, _), (_, p) = node.inputs, node.outputs
        dz = None
        if dy is not None:
            dz = sparse_softmax_cross_entropy_grad(dy, target, p)
        if dp is not None:
            through_p = softmax_grad(dp, p)
            dz = through_p if dz is None else dz + through_p
        return None, dz


@op
class sparse_softmax_cross_entropy_grad(Op):
    """dz = dy (p - t), t being 1 at the number of the class and 0 elsewhere"""

    cases = (Case((2,), _LABELS, (2, 3)),)

    def infer(self, dy, target, p, /):
        return Spec(tuple(p.shape), p.dtype)

    def forward(self, dy, target, p, /, out=None):
        dz = np.multiply(p, dy[..., None], out=out)
        places = _positions(target, p.shape)
        here = dz.take(places, None, scratch(dy.shape, dz.dtype), "clip")
        dz.put(places, np.subtract(here, dy, out=here), "clip")
        return dz

    def gradient(self, node, dd):
        dy, target, p = node.inputs
        along = reduction.sum(dd * p, axis=-1)
        return along - pick(target, dd), None, dd * expand_dims(dy, -1)


@op
class pick(Op):
    """y[...] = x[..., t[...]]: the value of the true class"""

    cases = (Case(_LABELS, (2, 3)),)

    def infer(self, target, x, /):
        return Spec(tuple(target.shape), x.dtype)

    def forward(self, target, x, /, out=None):
        return np.take(x, _positions(target, x.shape), out=out, mode="clip")

    def gradient(self, node, dy):
        target, x = node.inputs
        return None, pick_grad(dy, target, classes=x.shape[-1])


@op
class pick_grad(Op):
    """dx = dy at the true class, 0 elsewhere"""

    cases = (Case((2,), _LABELS, classes=3),)

    def infer(self, dy, target, /, classes):
        return Spec((*dy.shape, classes), dy.dtype)

    def forward(self, dy, target, /, classes, out=None):
        out = np.empty((*dy.shape, classes), dy.dtype) if out is None else out
        out[...] = 0
        np.put(out, _positions(target, out.shape), dy, mode="clip")
        return out

    def gradient(self, node, dz):
        _, target = node.inputs
        return pick(target, dz), None


# --- yes or no


def binary_crossentropy(target, output, from_logits=False):
    """y = -(t log p + (1 - t) log(1 - p)), value by value

    Args:
        target: any shape; 1 for yes, 0 for no, or how likely yes is.
        output: the same shape, probabilities of yes or logits. Probabilities are kept
            away from 0 and 1 by `epsilon()`.
        from_logits: whether output is logits.

    Returns:
        The shape of target.

    Raises:
        ShapeError: the shapes differ.

    >>> import deepneuron as dn
    >>> dn.ops.binary_crossentropy([1.0, 0.0], [0.5, 0.5])
    array([0.6931472, 0.6931472], dtype=float32)
    """
    target, output = convert_to_tensor(target), _floats(output)
    _check_same("binary_crossentropy", target, output)
    if from_logits:
        return sigmoid_cross_entropy(target, output)
    p = _inside(output)
    return negative(target * log(p) + (1.0 - target) * log(1.0 - p))


@op
class sigmoid_cross_entropy(Elementwise):
    """y = -(t log p + (1 - t) log(1 - p)),  p = sigmoid(z)"""

    result = "float"
    cases = (Case((2, 3), (2, 3), between=(0.1, 0.9)),)

    def forward(self, target, logits, /, out=None):
        def rule(t, z):
            return np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))

        return in_pieces(rule, target, logits, out=out)

    def gradient(self, node, dy):
        target, logits = node.inputs
        return -dy * logits, sigmoid_cross_entropy_grad(dy, target, logits)


@op
class sigmoid_cross_entropy_grad(Elementwise):
    """dz = dy (sigmoid(z) - t)"""

    cases = (Case((2, 3), (2, 3), (2, 3), between=(0.1, 0.9)),)

    def forward(self, dy, target, logits, /, out=None):
        def rule(dy, t, z):
            return dy * (1 / (1 + np.exp(-z)) - t)

        return in_pieces(rule, dy, target, logits, out=out)

    def gradient(self, node, dd):
        dy, target, logits = node.inputs
        p = sigmoid(logits)
        return dd * (p - target), -dd * dy, dd * dy * p * (1 - p)


# --- what they share


def _softmax(logits, axis, p):
    """p = softmax(z);  returns z - max z, and the sum of its exponentials"""
    shape = list(logits.shape)
    shape[axis] = 1
    total = scratch(shape, logits.dtype)
    np.maximum.reduce(logits, axis, None, total, True)  # as np.max, but faster
    shifted = np.subtract(logits, total, out=scratch(logits.shape, logits.dtype))
    np.exp(shifted, out=p)
    np.add.reduce(p, axis, None, total, True)
    np.divide(p, total, out=p)
    return shifted, total


def _positions(target, shape):
    """Where x[..., t] lies among x's values in their order."""
    classes = shape[-1]
    _check_labels(target, classes)
    rows = _first_places(target.size, classes).reshape(target.shape)
    return np.add(rows, target, out=scratch(target.shape, np.intp), casting="unsafe")


@lru_cache(maxsize=32)
def _first_places(rows, classes):
    """Where each row begins among the values of (rows, classes)."""
    places = np.arange(0, rows * classes, classes)
    places.flags.writeable = False
    return places


def _check_labels(target, classes):
    unsigned = target.view(f"u{target.itemsize}")  # what is negative is large there
    if target.size == 0 or np.maximum.reduce(unsigned, None) < classes:
        return
    wrong = np.logical_or(target < 0, target >= classes)
    raise DataError(
        f"There is no class {target[wrong].flat[0]}: the output has {classes} classes, "
        f"0 to {classes - 1}, and {int(wrong.sum())} of this batch's {target.size} "
        "targets are outside of them. Give the last layer a unit for each class, or "
        "count the classes from 0."
    )


def _inside(p):
    """Probabilities that are neither 0 nor 1, so that they have a logarithm."""
    return clamp(p, epsilon(), 1.0 - epsilon())


def _floats(x):
    x = convert_to_tensor(x)
    return x if is_float(x.dtype) else cast(x, result_type(x.dtype, float))


def _check_same(name, target, output):
    if not _fit(target.shape, output.shape):
        raise ShapeError(
            f"{name}: target and output must have the same shape; received target "
            f"{tuple(target.shape)} and output {tuple(output.shape)}."
        )


def _fit(shape, wanted):
    """Whether two shapes are equal as far as they are known."""
    return len(shape) == len(wanted) and all(
        n == m or n is None or m is None for n, m in zip(shape, wanted, strict=True)
    )
