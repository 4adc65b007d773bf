"""Sines and cosines, their inverses, and their hyperbolic cousins."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, op
from deepneuron.ops.arithmetic import negative, sqrt, square
from deepneuron.ops.elementwise import Elementwise


class _Angle(Elementwise):
    result = "float"
    cases = (Case((2, 3), between=(-0.8, 0.8)),)


@op
class sin(_Angle):
    """y = sin x"""

    def forward(self, x, /, out=None):
        return np.sin(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * cos(x),)


@op
class cos(_Angle):
    """y = cos x"""

    def forward(self, x, /, out=None):
        return np.cos(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (-dy * sin(x),)


@op
class tan(_Angle):
    """y = tan x"""

    def forward(self, x, /, out=None):
        return np.tan(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (dy * (1 + square(y)),)


@op
class arcsin(_Angle):
    """y = the angle whose sine is x"""

    def forward(self, x, /, out=None):
        return np.arcsin(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy / sqrt(1 - square(x)),)


@op
class arccos(_Angle):
    """y = the angle whose cosine is x"""

    def forward(self, x, /, out=None):
        return np.arccos(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (negative(dy) / sqrt(1 - square(x)),)


@op
class arctan(_Angle):
    """y = the angle whose tangent is x"""

    def forward(self, x, /, out=None):
        return np.arctan(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy / (1 + square(x)),)


@op
class arctan2(_Angle):
    """y = the angle between the first axis and the point (x2, x1)"""

    cases = (Case((2, 3), (2, 3), between=(0.5, 2.0)),)

    def forward(self, x1, x2, /, out=None):
        return np.arctan2(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        scaled = dy / (square(x1) + square(x2))
        return scaled * x2, -scaled * x1


@op
class sinh(_Angle):
    """y = (e^x - e^-x) / 2"""

    def forward(self, x, /, out=None):
        return np.sinh(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * cosh(x),)


@op
class cosh(_Angle):
    """y = (e^x + e^-x) / 2"""

    def forward(self, x, /, out=None):
        return np.cosh(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (dy * sinh(x),)
