"""Activation functions, each above its slope."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ShapeError
from deepneuron.ops import reduction
from deepneuron.ops.arithmetic import sqrt, square
from deepneuron.ops.elementwise import Elementwise
from deepneuron.ops.exponential import exp
from deepneuron.ops.logic import where
from deepneuron.ops.pieces import in_pieces
from deepneuron.ops.reduction import axes_of
from deepneuron.ops.types import convert_to_tensor

# Away from the kinks, where a finite difference straddles two slopes.
_VALUES = np.array(
    [[-7.1, -3.6, -2.0, -0.7], [-0.2, 0.3, 0.8, 1.5], [2.7, 3.4, 5.1, 7.3]]
)


class Activation(Elementwise):
    """y = f(x), value by value; integers become `floatx()`."""

    result = "float"
    cases = (Case(_VALUES), Case((2, 3), between=(0.1, 0.9)))


class Slope(Elementwise):
    """dx = dy * f'(x), where f'(x) is worked out from x or from y = f(x)."""

    cases = (Case((3, 4), _VALUES),)


# --- straight lines with kinks


@op
class relu(Elementwise):
    """y = max(x, 0)"""

    result = "number"
    cases = (Case(_VALUES),)

    def forward(self, x, /, out=None):
        return np.maximum(x, 0, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs  # not x: so x need not outlive the forward pass
        return (relu_grad(dy, y),)


@op
class relu_grad(Slope):
    """dx = dy where y > 0, else 0"""

    def forward(self, dy, y, /, out=None):
        positive = np.greater(y, 0, out=scratch(np.shape(y), bool))
        return np.multiply(dy, positive, out=out)

    def gradient(self, node, dz):
        _, y = node.inputs
        return relu_grad(dz, y), None


@op
class leaky_relu(Activation):
    """y = x where x >= 0, else negative_slope * x"""

    def forward(self, x, /, negative_slope=0.2, out=None):
        return in_pieces(lambda x: np.where(x >= 0, x, negative_slope * x), x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (leaky_relu_grad(dy, x, **node.attrs),)


@op
class leaky_relu_grad(Slope):
    """dx = dy where x >= 0, else negative_slope * dy"""

    def forward(self, dy, x, /, negative_slope=0.2, out=None):
        return in_pieces(
            lambda dy, x: np.where(x >= 0, dy, negative_slope * dy), dy, x, out=out
        )

    def gradient(self, node, dz):
        _, x = node.inputs
        return leaky_relu_grad(dz, x, **node.attrs), None


@op
class clamp(Elementwise):
    """y = min(max(x, least), most), and dx = 0 where x is not between them"""

    cases = (Case(_VALUES, least=-5.0, most=5.0),)

    def forward(self, x, /, least, most, out=None):
        return np.clip(x, least, most, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (clamp_grad(dy, y, **node.attrs),)


@op
class clamp_grad(Slope):
    """dx = dy where least < y < most, else 0"""

    cases = (Case((3, 4), _VALUES, least=-5.0, most=5.0),)

    def forward(self, dy, y, /, least, most, out=None):
        return in_pieces(
            lambda dy, y: np.where((y > least) & (y < most), dy, 0), dy, y, out=out
        )

    def gradient(self, node, dz):
        _, y = node.inputs
        return clamp_grad(dz, y, **node.attrs), None


def relu6(x):
    """y = min(max(x, 0), 6)

    >>> import deepneuron as dn
    >>> dn.ops.relu6([-1.0, 2.0, 8.0])
    array([0., 2., 6.], dtype=float32)
    """
    return clamp(_floats(x), 0.0, 6.0)


def hard_sigmoid(x):
    """y = relu6(x + 3) / 6: a sigmoid made of three straight lines

    >>> import deepneuron as dn
    >>> dn.ops.hard_sigmoid([-4.0, 0.0, 1.5, 4.0])
    array([0.  , 0.5 , 0.75, 1.  ], dtype=float32)
    """
    return clamp(_floats(x) + 3.0, 0.0, 6.0) / 6.0


def hard_silu(x):
    """y = x * hard_sigmoid(x)

    >>> import deepneuron as dn
    >>> dn.ops.hard_silu([-4.0, 0.0, 1.5, 4.0])
    array([-0.   ,  0.   ,  1.125,  4.   ], dtype=float32)
    """
    x = _floats(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def hard_tanh(x):
    """y = min(max(x, -1), 1)

    >>> import deepneuron as dn
    >>> dn.ops.hard_tanh([-2.0, 0.5, 2.0])
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    x = convert_to_tensor(x)
    return clamp(x, -1.0, 1.0) if is_float(x.dtype) else clamp(x, -1, 1)


def sparse_sigmoid(x):
    """y = (x + 1) / 2 between 0 and 1: the slope of sparse_plus

    >>> import deepneuron as dn
    >>> dn.ops.sparse_sigmoid([-2.0, 0.5, 2.0])
    array([0.  , 0.75, 1.  ], dtype=float32)
    """
    return clamp(0.5 * (_floats(x) + 1.0), 0.0, 1.0)


@op
class soft_shrink(Activation):
    """y = x moved towards 0 by `threshold`, and 0 where it would pass it"""

    def forward(self, x, /, threshold=0.5, out=None):
        return in_pieces(lambda x: x - np.clip(x, -threshold, threshold), x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (shrink_grad(dy, y),)


@op
class hard_shrink(Activation):
    """y = x where |x| > threshold, else 0"""

    def forward(self, x, /, threshold=0.5, out=None):
        return in_pieces(lambda x: np.where(np.abs(x) > threshold, x, 0), x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (shrink_grad(dy, y),)


@op
class shrink_grad(Slope):
    """dx = dy where y is not 0"""

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: np.where(y != 0, dy, 0), dy, y, out=out)

    def gradient(self, node, dz):
        _, y = node.inputs
        return shrink_grad(dz, y), None


def threshold(x, threshold, default_value):
    """y = x where x > threshold, else default_value

    Args:
        x: of any shape.
        threshold, default_value: numbers.

    >>> import deepneuron as dn
    >>> dn.ops.threshold([0.5, 2.0], 1.0, -1.0)
    array([-1.,  2.], dtype=float32)
    """
    x = convert_to_tensor(x)
    return where(x > threshold, x, default_value)


# --- the sigmoid and its relatives


@op
class sigmoid(Activation):
    """y = 1 / (1 + e^-x)"""

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: 1 / (1 + np.exp(-x)), x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (sigmoid_grad(dy, y),)


@op
class sigmoid_grad(Slope):
    """dx = dy y (1 - y)"""

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: dy * y * (1 - y), dy, y, out=out)

    def gradient(self, node, dz):
        dy, y = node.inputs
        return sigmoid_grad(dz, y), dz * dy * (1 - 2 * y)


@op
class tanh(Activation):
    """y = (e^x - e^-x) / (e^x + e^-x)"""

    def forward(self, x, /, out=None):
        return np.tanh(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (tanh_grad(dy, y),)


@op
class tanh_grad(Slope):
    """dx = dy (1 - y^2)"""

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: dy * (1 - y * y), dy, y, out=out)

    def gradient(self, node, dz):
        dy, y = node.inputs
        return tanh_grad(dz, y), -2 * dz * dy * y


def tanh_shrink(x):
    """y = x - tanh(x)

    >>> import deepneuron as dn
    >>> dn.ops.tanh_shrink([0.0, 1.0]).round(3)
    array([0.   , 0.238], dtype=float32)
    """
    x = _floats(x)
    return x - tanh(x)


@op
class softsign(Activation):
    """y = x / (1 + |x|)"""

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: x / (1 + np.abs(x)), x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (softsign_grad(dy, x),)


@op
class softsign_grad(Slope):
    """dx = dy / (1 + |x|)^2"""

    def forward(self, dy, x, /, out=None):
        return in_pieces(lambda dy, x: dy / np.square(1 + np.abs(x)), dy, x, out=out)

    def gradient(self, node, dz):
        dy, x = node.inputs
        size = where(x > 0, x, -x)
        return softsign_grad(dz, x), where(x > 0, -2.0, 2.0) * dz * dy / (1 + size) ** 3


# --- between a straight line and nothing


@op
class softplus(Activation):
    """y = log(1 + e^x): relu with a round corner"""

    def forward(self, x, /, out=None):
        return in_pieces(
            lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), x, out=out
        )

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (softplus_grad(dy, y),)


@op
class softplus_grad(Slope):
    """dx = dy (1 - e^-y), which is dy sigmoid(x)"""

    cases = (Case((2, 3), (2, 3), between=(0.1, 3.0)),)

    def forward(self, dy, y, /, out=None):
        return in_pieces(lambda dy, y: -dy * np.expm1(-y), dy, y, out=out)

    def gradient(self, node, dz):
        dy, y = node.inputs
        return softplus_grad(dz, y), dz * dy * exp(-y)


def log_sigmoid(x):
    """y = log(sigmoid(x)) = -softplus(-x)

    >>> import deepneuron as dn
    >>> dn.ops.log_sigmoid([-100.0, 0.0]).round(3)
    array([-100.   ,   -0.693], dtype=float32)
    """
    return -softplus(-_floats(x))


def squareplus(x, b=4):
    """y = (x + sqrt(x^2 + b)) / 2

    Args:
        x: of any shape.
        b: how round the corner is.

    >>> import deepneuron as dn
    >>> dn.ops.squareplus([-1.5, 0.0, 1.5])
    array([0.5, 1. , 2. ], dtype=float32)
    """
    x = _floats(x)
    return 0.5 * (x + sqrt(square(x) + b))


@op
class sparse_plus(Activation):
    """y = 0 up to -1, x from 1 on, and (x + 1)^2 / 4 between"""

    def forward(self, x, /, out=None):
        return in_pieces(
            lambda x: np.where(x >= 1, x, np.square(np.maximum(x, -1) + 1) / 4),
            x,
            out=out,
        )

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * sparse_sigmoid(x),)


@op
class elu(Activation):
    """y = x where x > 0, else alpha (e^x - 1)"""

    def forward(self, x, /, alpha=1.0, out=None):
        return in_pieces(
            lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))), x, out=out
        )

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (exponential_unit_grad(dy, x, factor=node.attrs["alpha"]),)


@op
class celu(Activation):
    """y = x where x > 0, else alpha (e^(x / alpha) - 1)"""

    def forward(self, x, /, alpha=1.0, out=None):
        return in_pieces(
            lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
            x,
            out=out,
        )

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (exponential_unit_grad(dy, x, scale=node.attrs["alpha"]),)


@op
class exponential_unit_grad(Slope):
    """dx = dy where x > 0, else factor e^(x / scale) dy"""

    cases = (Case((3, 4), _VALUES, factor=1.7), Case((3, 4), _VALUES, scale=0.6))

    def forward(self, dy, x, /, factor=1.0, scale=1.0, out=None):
        def rule(dy, x):
            return dy * np.where(x > 0, 1, factor * np.exp(np.minimum(x, 0) / scale))

        return in_pieces(rule, dy, x, out=out)

    def gradient(self, node, dz):
        dy, x = node.inputs
        factor, scale = node.attrs["factor"], node.attrs["scale"]
        bent = (factor / scale) * exp(where(x > 0, 0.0, x) / scale)
        return (
            exponential_unit_grad(dz, x, **node.attrs),
            dz * dy * where(x > 0, 0.0, bent),
        )


_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def selu(x):
    """y = 1.0507 elu(x, 1.6733): keeps mean 0 and variance 1 from layer to layer

    Source: Klambauer et al., Self-Normalizing Neural Networks, 2017.

    >>> import deepneuron as dn
    >>> dn.ops.selu([-1.0, 1.0]).round(3)
    array([-1.111,  1.051], dtype=float32)
    """
    return _SELU_SCALE * elu(_floats(x), _SELU_ALPHA)


@op
class silu(Activation):
    """y = x sigmoid(x)"""

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: x / (1 + np.exp(-x)), x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (silu_grad(dy, x),)


@op
class silu_grad(Slope):
    """dx = dy s (1 + x (1 - s)) with s = sigmoid(x)"""

    def forward(self, dy, x, /, out=None):
        def rule(dy, x):
            s = 1 / (1 + np.exp(-x))
            return dy * s * (1 + x * (1 - s))

        return in_pieces(rule, dy, x, out=out)

    def gradient(self, node, dz):
        dy, x = node.inputs
        s = sigmoid(x)
        return silu_grad(dz, x), dz * dy * s * (1 - s) * (2 + x * (1 - 2 * s))


swish = silu


# --- gelu, and the bell curve's integral that it needs

_ROOT_2 = math.sqrt(2)
_ROOT_2_PI = math.sqrt(2 * math.pi)
_INNER = math.sqrt(
    2 / math.pi
)  # tanh(_INNER (x + _CUBIC x^3)) is nearly erf(x / sqrt 2)
_CUBIC = 0.044715

# e^(z^2) erfc(z) / t as a Chebyshev series in 2 t - 1, where t = 2 / (2 + z), z >= 0.
_ERFC = (
    5.77033738616469689e-1, 3.55436921270498487e-1, 6.50951588287865246e-2,
    3.67114239583663917e-3, -1.1128447433525626e-3, -1.60758299153780798e-4,
    3.27803157417313706e-5, 5.44244164550501603e-6, -1.51546655531714816e-6,
    -1.42976081811698649e-7, 8.23460882741949343e-8, -1.29628468523065625e-9,
    -4.1547216310151983e-9, 6.34705827836281118e-10, 1.43208227122562237e-10,
    -6.16039010520458554e-11, 2.06121385547216963e-12, 3.57149314884770445e-12,
    -8.58642284325179648e-13, -6.14560021379063055e-14, 7.41872574859661706e-14,
    -1.28950427550323256e-14, -2.35872638571063236e-15, 1.57293493816859114e-15,
    -2.27829662395464651e-16, -6.31233045075643004e-17,
)  # fmt: skip


def _normal_cdf(x):
    """Phi(x) = erfc(-x / sqrt 2) / 2, to the precision of x's type, in both tails."""
    z = np.abs(x) / _ROOT_2
    t = 2 / (2 + z)
    twice = 4 * t - 2
    terms = 12 if x.dtype == np.float32 else len(_ERFC)
    later = last = np.zeros_like(t)  # Clenshaw's recurrence, from the last term down
    for c in _ERFC[terms - 1 : 0 : -1]:
        last, later = twice * last - later + c, last
    series = 0.5 * twice * last - later + _ERFC[0]
    tail = 0.5 * t * np.exp(-z * z) * series  # Phi(-|x|)
    return np.where(x < 0, tail, 1 - tail)


def _bell(x):
    """phi(x), the slope of Phi"""
    return np.exp(-0.5 * x * x) / _ROOT_2_PI


@op
class gelu(Activation):
    """y = x Phi(x), Phi being the normal distribution's cumulative function

    approximate: Phi(x) = (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    """

    cases = (Case(_VALUES), Case(_VALUES, approximate=False))

    def forward(self, x, /, approximate=True, out=None):
        def by_tanh(x):
            return 0.5 * x * (1 + np.tanh(_INNER * (x + _CUBIC * x * x * x)))

        def exact(x):
            return x * _normal_cdf(x)

        return in_pieces(by_tanh if approximate else exact, x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (gelu_grad(dy, x, **node.attrs),)


@op
class gelu_grad(Slope):
    """dx = dy (Phi(x) + x Phi'(x))"""

    cases = (Case((3, 4), _VALUES), Case((3, 4), _VALUES, approximate=False))

    def forward(self, dy, x, /, approximate=True, out=None):
        def by_tanh(dy, x):
            t = np.tanh(_INNER * (x + _CUBIC * x * x * x))
            inner = _INNER * (1 + 3 * _CUBIC * x * x)
            return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)

        def exact(dy, x):
            return dy * (_normal_cdf(x) + x * _bell(x))

        return in_pieces(by_tanh if approximate else exact, dy, x, out=out)

    def gradient(self, node, dz):
        dy, x = node.inputs
        if node.attrs["approximate"]:
            t = tanh(_INNER * (x + _CUBIC * x**3))
            inner = _INNER * (1 + 3 * _CUBIC * x * x)
            bent = inner + 3 * _INNER * _CUBIC * x * x - x * t * inner * inner
            curve = (1 - t * t) * bent
        else:
            curve = (2 - x * x) * exp(-0.5 * x * x) / _ROOT_2_PI
        return gelu_grad(dz, x, **node.attrs), dz * dy * curve


def glu(x, axis=-1):
    """y = a sigmoid(b), where a and b are the two halves of x along an axis

    Args:
        x: its size along the axis is even.
        axis: which axis is halved.

    Raises:
        ShapeError: the size is odd.

    >>> import deepneuron as dn
    >>> dn.ops.glu([2.0, 4.0, 0.0, 0.0])
    array([1., 2.], dtype=float32)
    """
    x = _floats(x)
    axis %= x.ndim
    size = x.shape[axis]
    if size is None or size % 2:
        raise ShapeError(
            f"glu halves axis {axis}, whose size must be known and even; received a "
            f"tensor of shape {tuple(x.shape)}."
        )
    before = (slice(None),) * axis
    a, b = x[(*before, slice(0, size // 2))], x[(*before, slice(size // 2, size))]
    return a * sigmoid(b)


# --- all values along an axis at once


class AlongAxis(Op):
    """y = f of all values of x along `axis` (one, several, or None for all axes)."""

    inplace = {0: (0,)}
    cases = (
        Case((2, 5)),
        Case((2, 3, 4), axis=1),
        Case((2, 3, 4), axis=(0, 2)),
        Case((2, 3), axis=None),
    )

    def prepare(self, inputs):
        dtype = result_type(*(_kind(x) for x in inputs))
        return promote(inputs, dtype if is_float(dtype) else result_type(dtype, float))

    def infer(self, x, /, *others, axis=-1):
        axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
        if any(not -len(x.shape) <= a < len(x.shape) for a in axes):
            raise ShapeError(
                f"{self.name}: axis {axis} does not exist in shape {tuple(x.shape)}."
            )
        return Spec(tuple(x.shape), x.dtype)


def _sum(x, axes):
    """The sums along axes, which stay with size 1, in scratch memory."""
    return np.sum(x, axis=axes, keepdims=True, out=_thin(x, axes))


def _largest(x, axes):
    return np.max(  # -inf, so that an empty batch has an (empty) largest value
        x, axis=axes, keepdims=True, out=_thin(x, axes), initial=-np.inf
    )


def _thin(x, axes):
    return scratch([1 if i in axes else n for i, n in enumerate(x.shape)], x.dtype)


@op
class softmax(AlongAxis):
    """y = e^x / sum of e^x along axis"""

    def forward(self, x, /, axis=-1, out=None):
        axes = axes_of(axis, x.ndim)
        y = np.subtract(x, _largest(x, axes), out=out)  # so that e^y cannot overflow
        np.exp(y, out=y)
        return np.divide(y, _sum(y, axes), out=y)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (softmax_grad(dy, y, axis=node.attrs["axis"]),)


@op
class softmax_grad(AlongAxis):
    """dx = y (dy - sum of y dy along axis)"""

    cases = (
        Case((2, 5), (2, 5), between=(0.1, 0.9)),
        Case((2, 3, 4), (2, 3, 4), axis=(0, 2), between=(0.1, 0.9)),
    )

    def forward(self, dy, y, /, axis=-1, out=None):
        products = np.multiply(dy, y, out=scratch(y.shape, y.dtype))
        dx = np.subtract(dy, _sum(products, axes_of(axis, y.ndim)), out=out)
        return np.multiply(dx, y, out=dx)

    def gradient(self, node, dz):
        (dy, y), axis = node.inputs, node.attrs["axis"]
        along = {"axis": axis, "keepdims": True}
        mean = reduction.sum(y * dy, **along)
        return (
            softmax_grad(dz, y, axis=axis),
            dz * (dy - mean) - dy * reduction.sum(dz * y, **along),
        )


@op
class log_softmax(AlongAxis):
    """y = x - log(sum of e^x along axis)"""

    def forward(self, x, /, axis=-1, out=None):
        axes = axes_of(axis, x.ndim)
        y = np.subtract(x, _largest(x, axes), out=out)
        total = _sum(np.exp(y, out=scratch(y.shape, y.dtype)), axes)
        return np.subtract(y, np.log(total, out=total), out=y)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (log_softmax_grad(dy, y, axis=node.attrs["axis"]),)


@op
class log_softmax_grad(AlongAxis):
    """dx = dy - e^y sum of dy along axis"""

    cases = (
        Case((2, 5), (2, 5)),
        Case((2, 3, 4), (2, 3, 4), axis=(0, 2)),
    )

    def forward(self, dy, y, /, axis=-1, out=None):
        total = _sum(dy, axes_of(axis, y.ndim))
        p = np.exp(y, out=scratch(y.shape, y.dtype))
        return np.subtract(dy, np.multiply(p, total, out=p), out=out)

    def gradient(self, node, dz):
        (dy, y), axis = node.inputs, node.attrs["axis"]
        along = {"axis": axis, "keepdims": True}
        p = exp(y)
        return (
            dz - reduction.sum(dz * p, **along),
            -dz * p * reduction.sum(dy, **along),
        )


@op
class sparsemax(AlongAxis):
    """y = max(x - tau, 0), with tau such that y sums to 1 along axis

    Source: Martins and Astudillo, From Softmax to Sparsemax, 2016.
    """

    cases = (
        Case(np.array([[0.1, 0.9, 1.4, -0.3], [2.0, 0.3, 0.1, 0.4]])),
        Case(np.array([[0.1, 0.9], [1.4, -0.3], [0.6, 0.2]]), axis=0),
    )

    def forward(self, x, /, axis=-1, out=None):
        axes = axes_of(axis, x.ndim)
        falling = np.negative(x, out=scratch(x.shape, x.dtype))
        falling.sort(axis=axis)
        np.negative(falling, out=falling)
        # tau_k would be the threshold if the k largest values were left; the true one
        # is the largest of them.
        taus = np.cumsum(falling, axis=axis, out=scratch(x.shape, x.dtype))
        np.subtract(taus, 1, out=taus)
        counts = np.arange(1, x.shape[axis] + 1).astype(x.dtype)
        across = [-1 if i in axes else 1 for i in range(x.ndim)]
        np.divide(taus, counts.reshape(across), out=taus)
        y = np.subtract(x, _largest(taus, axes), out=out)
        return np.maximum(y, 0, out=y)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (sparsemax_grad(dy, y, axis=node.attrs["axis"]),)


@op
class sparsemax_grad(AlongAxis):
    """dx = dy - mean of dy, both over where y > 0; else 0"""

    cases = (Case((2, 4), np.array([[-0.3, 0.3, 0.7, -0.2], [1.0, -0.4, -0.1, -0.6]])),)

    def forward(self, dy, y, /, axis=-1, out=None):
        axes = axes_of(axis, y.ndim)
        left = scratch(y.shape, y.dtype)
        np.copyto(left, np.greater(y, 0, out=scratch(y.shape, bool)))
        part = np.multiply(dy, left, out=scratch(y.shape, y.dtype))
        mean = _sum(part, axes)
        np.divide(mean, _sum(left, axes), out=mean)
        dx = np.subtract(dy, mean, out=out)
        return np.multiply(dx, left, out=dx)

    def gradient(self, node, dz):
        _, y = node.inputs
        return sparsemax_grad(dz, y, axis=node.attrs["axis"]), None


def _kind(x):
    return type(x) if isinstance(x, (int, float)) else x.dtype


def _floats(x):
    """x, integers as `floatx()`."""
    x = convert_to_tensor(x)
    return x if is_float(x.dtype) else convert_to_tensor(x, result_type(x.dtype, float))


@op
class erf(Activation):
    """y = 2 / sqrt(pi) * the integral of e^(-t^2) from 0 to x"""

    cases = (Case(_VALUES),)

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: 2 * _normal_cdf(_ROOT_2 * x) - 1, x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * (2 / math.sqrt(math.pi)) * exp(-square(x)),)
