"""What activation functions have in common; they stand in files by their form."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case
from deepneuron.ops.elementwise import Elementwise

# Away from the kinks, where a finite difference straddles two slopes.
VALUES = np.array(
    [[-7.1, -3.6, -2.0, -0.7], [-0.2, 0.3, 0.8, 1.5], [2.7, 3.4, 5.1, 7.3]]
)


class Activation(Elementwise):
    """y = f(x), value by value; integers become `floatx()`."""

    result = "float"
    cases = (Case(VALUES), Case((2, 3), between=(0.1, 0.9)))


class Slope(Elementwise):
    """dx = dy * f'(x), where f'(x) is worked out from x or from y = f(x)."""

    cases = (Case((3, 4), VALUES),)
