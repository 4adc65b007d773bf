"""Activation functions: `deepneuron.activations`, as `keras.activations`."""

from deepneuron.activations.gated import gelu, glu, hard_silu, mish, silu
from deepneuron.activations.lookup import deserialize, get, serialize
from deepneuron.activations.plain import exponential, linear
from deepneuron.activations.rectifiers import (
    celu,
    elu,
    leaky_relu,
    relu,
    relu6,
    selu,
    threshold,
)
from deepneuron.activations.shrinking import hard_shrink, soft_shrink, tanh_shrink
from deepneuron.activations.sigmoids import (
    hard_sigmoid,
    hard_tanh,
    log_sigmoid,
    sigmoid,
    softsign,
    sparse_sigmoid,
    tanh,
)
from deepneuron.activations.softmaxes import log_softmax, softmax, sparsemax
from deepneuron.activations.softpluses import softplus, sparse_plus, squareplus

hard_swish = hard_silu
swish = silu

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]
