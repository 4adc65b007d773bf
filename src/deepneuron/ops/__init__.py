"""The operations, `deepneuron.ops`: the same names and arguments as `keras.ops`."""

from deepneuron.engine.op import registry as _registry
from deepneuron.ops import operators as _operators
from deepneuron.ops.arithmetic import (
    add, divide, maximum, minimum, multiply, negative, power, sqrt, square, subtract,
)
from deepneuron.ops.exponential import exp, log
from deepneuron.ops.linalg import matmul
from deepneuron.ops.logic import equal, greater, greater_equal, less, less_equal, not_equal, where
from deepneuron.ops.reduction import mean, sum
from deepneuron.ops.shape import broadcast_to, expand_dims, reshape, squeeze, transpose
from deepneuron.ops.types import cast, convert_to_numpy, convert_to_tensor, stop_gradient
# --- neural network operations
from deepneuron.ops.activation import (
    celu, elu, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_swish, hard_tanh,
    leaky_relu, log_sigmoid, log_softmax, relu, relu6, selu, sigmoid, silu, soft_shrink,
    softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus,
    swish, tanh, tanh_shrink, threshold,
)
from deepneuron.ops.loss import (
    binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy,
)

_operators.bind()


def __getattr__(name):
    """An operation that is registered but not listed here, such as one that you wrote."""
    try:
        return _registry[name]
    except KeyError:
        raise AttributeError(f"deepneuron.ops has no operation {name!r}.") from None
