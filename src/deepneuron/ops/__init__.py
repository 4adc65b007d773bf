"""The operations, `deepneuron.ops`: the same names and arguments as `keras.ops`.

An operation that you register with `@op` is found here under its name as well.
"""

from deepneuron.engine.op import registry as _registry
from deepneuron.ops import image
from deepneuron.ops import operators as _operators
from deepneuron.ops.activation import (
    celu,
    elu,
    erf,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
)
from deepneuron.ops.arithmetic import (
    abs,
    absolute,
    add,
    ceil,
    clip,
    divide,
    divide_no_nan,
    floor,
    floor_divide,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    power,
    reciprocal,
    round,
    rsqrt,
    sign,
    sqrt,
    square,
    subtract,
    true_divide,
)
from deepneuron.ops.conv import conv
from deepneuron.ops.creation import (
    arange,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    identity,
    linspace,
    one_hot,
    ones,
    ones_like,
    tri,
    tril,
    triu,
    zeros,
    zeros_like,
)
from deepneuron.ops.exponential import (
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
)
from deepneuron.ops.indexing import (
    get_item,
    nonzero,
    slice,
    slice_update,
    take,
    take_along_axis,
)
from deepneuron.ops.linalg import (
    diagonal,
    dot,
    einsum,
    matmul,
    norm,
    outer,
    tensordot,
    trace,
)
from deepneuron.ops.logic import (
    allclose,
    equal,
    greater,
    greater_equal,
    is_tensor,
    isclose,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    where,
)
from deepneuron.ops.loss import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from deepneuron.ops.normalization import (
    batch_normalization,
    batch_normalization_in_training,
    layer_normalization,
    moments,
    normalize,
    rms_normalization,
)
from deepneuron.ops.pool import average_pool, max_pool
from deepneuron.ops.reduction import (
    all,
    amax,
    amin,
    any,
    average,
    count_nonzero,
    cumsum,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from deepneuron.ops.shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    hstack,
    moveaxis,
    ndim,
    pad,
    ravel,
    repeat,
    reshape,
    roll,
    shape,
    size,
    split,
    squeeze,
    stack,
    swapaxes,
    tile,
    transpose,
    unstack,
    vstack,
)
from deepneuron.ops.sorting import argmax, argmin, argsort, in_top_k, sort, top_k
from deepneuron.ops.trigonometry import (
    arccos,
    arcsin,
    arctan,
    arctan2,
    cos,
    cosh,
    sin,
    sinh,
    tan,
)
from deepneuron.ops.types import (
    array,
    cast,
    convert_to_numpy,
    convert_to_tensor,
    copy,
    dtype,
    stop_gradient,
)

_operators.bind()


def __getattr__(name):
    """An operation that is registered but not listed here, such as one that you wrote."""
    try:
        return _registry[name]
    except KeyError:
        raise AttributeError(f"deepneuron.ops has no operation {name!r}.") from None
