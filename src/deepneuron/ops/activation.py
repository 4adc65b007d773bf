"""Activation functions, each above its slope."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, op
from deepneuron.engine.workspace import scratch
from deepneuron.ops.elementwise import Elementwise

# Away from the kink at 0, where a finite difference straddles two slopes.
_AWAY = Case(np.array([[-2.0, -0.5, 0.7], [1.5, -1.2, 0.3]]))


@op
class relu(Elementwise):
    """y = max(x, 0)"""

    cases = (_AWAY,)

    def forward(self, x, /, out=None):
        return np.maximum(x, 0, out=out)

    def gradient(self, node, dy):
        (y,) = node.outputs  # not x: so x need not outlive the forward pass
        return (relu_grad(dy, y),)


@op
class relu_grad(Elementwise):
    """dx = dy where y > 0, else 0"""

    cases = (Case((2, 3), np.array([[1.0, 0.0, 0.5], [0.0, 2.0, 0.0]])),)

    def forward(self, dy, y, /, out=None):
        positive = np.greater(y, 0, out=scratch(np.shape(y), bool))
        return np.multiply(dy, positive, out=out)

    def gradient(self, node, dz):
        _, y = node.inputs
        return relu_grad(dz, y), None
