"""Where weights must stay: `deepneuron.constraints`, as `keras.constraints`."""

from deepneuron.constraints.constraint import Constraint
from deepneuron.constraints.lookup import deserialize, get, serialize
from deepneuron.constraints.max_norm import MaxNorm
from deepneuron.constraints.min_max_norm import MinMaxNorm
from deepneuron.constraints.non_neg import NonNeg
from deepneuron.constraints.unit_norm import UnitNorm

# Keras knows each of them under its lower-case name as well.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
