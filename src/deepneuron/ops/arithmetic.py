"""Arithmetic: sums, products, quotients, powers, and what lies between them."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, op
from deepneuron.ops.elementwise import Elementwise
from deepneuron.ops.exponential import log
from deepneuron.ops.logic import equal, where
from deepneuron.ops.types import cast

_PAIRS = (Case((2, 3), (2, 3)), Case((2, 3), (3,)), Case((4, 1), (1, 3)), Case((), (2,)))
_POSITIVE = Case((2, 3), low=0.5, high=2.0)


@op
class add(Elementwise):
    """y = x1 + x2"""

    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.add(x1, x2, out=out)

    def gradient(self, node, dy):
        return dy, dy


@op
class subtract(Elementwise):
    """y = x1 - x2"""

    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.subtract(x1, x2, out=out)

    def gradient(self, node, dy):
        return dy, -dy


@op
class multiply(Elementwise):
    """y = x1 * x2"""

    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.multiply(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        return dy * x2, dy * x1


@op
class divide(Elementwise):
    """y = x1 / x2"""

    result = "float"
    cases = (
        Case((2, 3), (2, 3), low=0.5, high=2.0),
        Case((2, 3), (3,), low=0.5, high=2.0),
    )

    def forward(self, x1, x2, /, out=None):
        return np.divide(x1, x2, out=out)

    def gradient(self, node, dy):
        (_, x2), (y,) = node.inputs, node.outputs
        return dy / x2, -dy * y / x2


@op
class negative(Elementwise):
    """y = -x"""

    cases = (Case((2, 3)),)

    def forward(self, x, /, out=None):
        return np.negative(x, out=out)

    def gradient(self, node, dy):
        return (-dy,)


@op
class square(Elementwise):
    """y = x^2"""

    cases = (Case((2, 3)),)

    def forward(self, x, /, out=None):
        return np.square(x, out=out)

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (2 * x * dy,)


@op
class sqrt(Elementwise):
    """y = sqrt(x)"""

    result = "float"
    cases = (_POSITIVE,)

    def forward(self, x, /, out=None):
        return np.sqrt(x, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs
        return (0.5 * dy / y,)


@op
class power(Elementwise):
    """y = x1 ^ x2"""

    cases = (
        Case((2, 3), (2, 3), low=0.5, high=2.0),
        Case((2, 3), (3,), low=0.5, high=2.0),
    )

    def forward(self, x1, x2, /, out=None):
        return np.power(x1, x2, out=out)

    def gradient(self, node, dy):
        (x1, x2), (y,) = node.inputs, node.outputs
        # 0 ^ x2 does not change with x2 where x2 > 0, although log 0 is infinite.
        log_x1 = log(where(equal(x1, 0), 1.0, x1))
        return dy * x2 * x1 ** (x2 - 1), dy * y * log_x1


@op
class maximum(Elementwise):
    """y = max(x1, x2); where they are equal each gets half of the gradient."""

    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.maximum(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        return dy * _share(x1, x2), dy * _share(x2, x1)


@op
class minimum(Elementwise):
    """y = min(x1, x2); where they are equal each gets half of the gradient."""

    cases = _PAIRS

    def forward(self, x1, x2, /, out=None):
        return np.minimum(x1, x2, out=out)

    def gradient(self, node, dy):
        x1, x2 = node.inputs
        return dy * _share(x2, x1), dy * _share(x1, x2)


def _share(x1, x2):
    """1 where x1 > x2, 1/2 where they are equal, else 0."""
    return where(equal(x1, x2), 0.5, cast(x1 > x2, x1.dtype))
