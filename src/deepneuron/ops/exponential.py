"""Exponentials and logarithms, each above its slope."""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, op
from deepneuron.ops.elementwise import Elementwise


class _Exponential(Elementwise):
    result = "float"
    cases = (Case((2, 3), between=(0.5, 2.0)),)


@op
class exp(_Exponential):
    """y = e^x"""

    ufunc = np.exp

    def forward(self, x, /, out=None):
        return np.exp(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (dy * y,)


@op
class exp2(_Exponential):
    """y = 2^x"""

    ufunc = np.exp2

    def forward(self, x, /, out=None):
        return np.exp2(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (dy * y * math.log(2.0),)


@op
class expm1(_Exponential):
    """y = e^x - 1, exact also for small x"""

    ufunc = np.expm1

    def forward(self, x, /, out=None):
        return np.expm1(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (dy * (y + 1),)


@op
class log(_Exponential):
    """y = ln x"""

    ufunc = np.log

    def forward(self, x, /, out=None):
        return np.log(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy / x,)


@op
class log1p(_Exponential):
    """y = ln(1 + x), exact also for small x"""

    def forward(self, x, /, out=None):
        return np.log1p(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy / (1 + x),)


@op
class log2(_Exponential):
    """y = the logarithm of x to the base 2"""

    def forward(self, x, /, out=None):
        return np.log2(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy / (x * math.log(2.0)),)


@op
class log10(_Exponential):
    """y = the logarithm of x to the base 10"""

    def forward(self, x, /, out=None):
        return np.log10(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy / (x * math.log(10.0)),)


@op
class logaddexp(_Exponential):
    """y = ln(e^x1 + e^x2)"""

    cases = (Case((2, 3), (3,)),)

    def forward(self, x1, x2, /, out=None):
        return np.logaddexp(x1, x2, out=out)

    def gradient(self, node, dy):
        (x1, x2), (y,) = node.inputs, node.outputs
        return dy * exp(x1 - y), dy * exp(x2 - y)
