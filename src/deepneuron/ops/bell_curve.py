"""gelu, and the integral of the bell curve that it needs."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, op
from deepneuron.ops.activation import VALUES, Activation, Slope
from deepneuron.ops.arithmetic import square
from deepneuron.ops.exponential import exp
from deepneuron.ops.pieces import in_pieces
from deepneuron.ops.sigmoids import tanh

_ROOT_2 = math.sqrt(2)
_ROOT_2_PI = math.sqrt(2 * math.pi)
# tanh(_INNER (x + _CUBIC x^3)) is nearly erf(x / sqrt 2)
_INNER, _CUBIC = math.sqrt(2 / math.pi), 0.044715

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

    cases = (Case(VALUES), Case(VALUES, approximate=False))

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

    cases = (Case((3, 4), VALUES), Case((3, 4), VALUES, approximate=False))

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


@op
class erf(Activation):
    """y = 2 / sqrt(pi) * the integral of e^(-t^2) from 0 to x"""

    cases = (Case(VALUES),)

    def forward(self, x, /, out=None):
        return in_pieces(lambda x: 2 * _normal_cdf(_ROOT_2 * x) - 1, x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * (2 / math.sqrt(math.pi)) * exp(-square(x)),)
