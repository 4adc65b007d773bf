"""Penalties on weights: `deepneuron.regularizers`, as `keras.regularizers`."""

from deepneuron.regularizers.l1_l2 import L1, L1L2, L2
from deepneuron.regularizers.lookup import deserialize, get, serialize
from deepneuron.regularizers.orthogonal import OrthogonalRegularizer
from deepneuron.regularizers.regularizer import Regularizer

# Keras knows each of them under its lower-case name as well.
l1 = L1
l1_l2 = L1L2
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
