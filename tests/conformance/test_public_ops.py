"""Every public function that keras.ops has as well: signature, numbers, shapes."""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np
import pytest

from deepneuron import ops
from deepneuron.engine.op import Op
from deepneuron.engine.tensor import Tensor
from tests.peers import keras

rng = np.random.default_rng(0)


def real(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def positive(*shape: int) -> np.ndarray:
    return rng.uniform(0.2, 0.9, shape).astype("float32")


def whole(*shape: int, below: int = 5) -> np.ndarray:
    return rng.integers(below, size=shape).astype("int32")


X, P, N = real(4, 6), positive(4, 6), whole(4, 6)
B = X > 0
IMAGES, SERIES = real(2, 6, 5, 3), real(2, 7, 3)


class Call:
    """Arguments to call a function with.

    `unknown`: how many of the arrays have an unknown batch when it is called
    symbolically; 0 where the function cannot be.
    """

    def __init__(self, *args: Any, unknown: int = 1, **kwargs: Any) -> None:
        self.args, self.kwargs, self.unknown = args, kwargs, unknown


ONE = [Call(X), Call(P)]
POSITIVE = [Call(P)]
TWO = [Call(X, real(4, 6), unknown=2), Call(X, real(6)), Call(X, 2.0)]
REDUCED = [
    Call(X),
    Call(X, axis=0),
    Call(X, axis=-1),
    Call(IMAGES, axis=(1, 2)),
    Call(X, axis=1, keepdims=True),
]
ONE_AXIS = [Call(X), Call(X, axis=0), Call(X, axis=-1), Call(X, axis=1, keepdims=True)]
TRUTHS = [Call(B, np.array([True] * 3 + [False] * 3))]
SOME_TRUE = [Call(B), Call(B, axis=1), Call(X, axis=(0, 1))]
ALONG = [Call(X), Call(X, axis=0), Call(IMAGES, axis=(1, 2))]
SHARES = np.array([[0.2, 0.5, 0.3], [0.8, 0.1, 0.1]], "float32")
PREDICTED = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]], "float32")
LABELS = np.array([2, 0], "int32")

CALLS: dict[str, list[Call]] = {
    **dict.fromkeys(
        (
            "abs",
            "absolute",
            "arctan",
            "ceil",
            "cos",
            "cosh",
            "erf",
            "exp",
            "exp2",
            "expm1",
            "floor",
            "isfinite",
            "isinf",
            "isnan",
            "negative",
            "reciprocal",
            "relu",
            "relu6",
            "round",
            "sigmoid",
            "sign",
            "silu",
            "sin",
            "sinh",
            "softplus",
            "softsign",
            "sparse_plus",
            "sparse_sigmoid",
            "square",
            "squareplus",
            "swish",
            "tan",
            "tanh",
            "tanh_shrink",
            "hard_sigmoid",
            "hard_silu",
            "hard_swish",
            "hard_tanh",
            "log_sigmoid",
            "selu",
            "stop_gradient",
            "copy",
            "zeros_like",
            "ones_like",
            "ravel",
        ),
        ONE,
    ),
    **dict.fromkeys(
        (
            "arccos",
            "arcsin",
            "log",
            "log10",
            "log1p",
            "log2",
            "rsqrt",
            "sqrt",
        ),
        POSITIVE,
    ),
    **dict.fromkeys(
        (
            "add",
            "subtract",
            "multiply",
            "divide",
            "true_divide",
            "maximum",
            "minimum",
            "floor_divide",
            "mod",
            "arctan2",
            "logaddexp",
            "equal",
            "not_equal",
            "greater",
            "greater_equal",
            "less",
            "less_equal",
            "divide_no_nan",
            "isclose",
        ),
        TWO,
    ),
    **dict.fromkeys(
        (
            "sum",
            "mean",
            "max",
            "min",
            "amax",
            "amin",
            "prod",
            "std",
            "var",
            "logsumexp",
        ),
        REDUCED,
    ),
    **dict.fromkeys(("argmax", "argmin"), ONE_AXIS),
    **dict.fromkeys(("all", "any"), SOME_TRUE),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), TRUTHS),
    "logical_not": [Call(B)],
    **dict.fromkeys(("softmax", "log_softmax"), ALONG),
    "allclose": [Call(X, X + 1e-9, unknown=0), Call(X, X + 1.0, unknown=0)],
    "arange": [
        Call(5, unknown=0),
        Call(2, 9, 3, unknown=0),
        Call(0.0, 1.0, 0.25, unknown=0),
        Call(3, dtype="float32", unknown=0),
    ],
    "argsort": [Call(X), Call(X, axis=0), Call(X, axis=None)],
    "array": [Call([1.0, 2.0], unknown=0), Call([1, 2], dtype="float32", unknown=0)],
    "average": [
        Call(X),
        Call(X, axis=1),
        Call(X, axis=1, weights=np.arange(6, dtype="float32")),
        Call(X, weights=P, unknown=2),
    ],
    "average_pool": [
        Call(IMAGES, 2, 2),
        Call(IMAGES, (3, 2), 2, "same"),
        Call(SERIES, 3, 2),
    ],
    "batch_normalization": [
        Call(IMAGES, real(3), positive(3), -1),
        Call(X, real(6), positive(6), 1, offset=real(6), scale=real(6), epsilon=0.1),
    ],
    "binary_crossentropy": [
        Call(np.round(P), P, unknown=2),
        Call(P, X, from_logits=True, unknown=2),
    ],
    "broadcast_to": [
        Call(real(6), (4, 6), unknown=0),
        Call(real(4, 1), (4, 6), unknown=0),
    ],
    "cast": [Call(X, "int32"), Call(N, "float32"), Call(X, dtype="bool")],
    "categorical_crossentropy": [
        Call(SHARES, PREDICTED, unknown=2),
        Call(SHARES, real(2, 3), from_logits=True, unknown=2),
        Call(SHARES, PREDICTED, axis=0, unknown=0),
    ],
    "celu": [*ONE, Call(X, alpha=0.5)],
    "clip": [Call(X, -0.5, 0.5), Call(N, 1, 3)],
    "concatenate": [Call([X, P]), Call([X, P], axis=1), Call([X, N], axis=-1)],
    "conv": [
        Call(IMAGES, real(2, 3, 3, 4)),
        Call(IMAGES, real(3, 3, 3, 2), strides=2, padding="same"),
        Call(IMAGES, real(2, 2, 3, 2), dilation_rate=2),
        Call(SERIES, real(2, 3, 4)),
    ],
    "convert_to_numpy": [Call(X, unknown=0)],
    "convert_to_tensor": [
        Call([1.0, 2.0], unknown=0),
        Call(X, dtype="int32", unknown=0),
    ],
    "count_nonzero": [Call(N), Call(N, axis=0), Call(N, axis=1)],
    "cumsum": [Call(X), Call(X, axis=1), Call(X, axis=0)],
    "depthwise_conv": [
        Call(IMAGES, real(2, 3, 3, 2)),
        Call(IMAGES, real(3, 3, 3, 1), strides=2, padding="same"),
        Call(IMAGES, real(2, 2, 3, 2), dilation_rate=2),
        Call(SERIES, real(2, 3, 2)),
    ],
    "diagonal": [
        Call(X, unknown=0),
        Call(X, 1, unknown=0),
        Call(SERIES, 0, 1, 2),
        Call(X, offset=-1, unknown=0),
    ],
    "dot": [
        Call(X, real(6, 2)),
        Call(X, real(6)),
        Call(SERIES, real(3, 2)),
        Call(X, 2.0),
    ],
    "dtype": [],
    "einsum": [
        Call("bi,ij->bj", X, real(6, 2)),
        Call("bij,bkj->bik", SERIES, real(2, 4, 3), unknown=2),
        Call("ij->ji", X),
        Call("ii", real(3, 3), unknown=0),
    ],
    "elu": [*ONE, Call(X, alpha=0.5)],
    "empty": [],
    "empty_like": [],
    "expand_dims": [Call(X, 0), Call(X, -1), Call(X, (1, 3))],
    "eye": [
        Call(3, unknown=0),
        Call(3, 4, 1, unknown=0),
        Call(2, k=-1, dtype="int32", unknown=0),
    ],
    "flip": [Call(X), Call(X, axis=0), Call(X, axis=1)],
    "full": [
        Call((2, 3), 1.5, unknown=0),
        Call((2,), 3, dtype="int32", unknown=0),
        Call(2, 1.0, unknown=0),
    ],
    "full_like": [Call(X, 2), Call(X, 2.5, dtype="int32")],
    "gelu": [*ONE, Call(X, approximate=False)],
    "get_item": [
        Call(X, 1, unknown=0),
        Call(X, (slice(None), slice(1, 3))),
        Call(X, (slice(None), None, 2)),
        Call(X, (Ellipsis, 0)),
    ],
    "glu": [Call(X), Call(X, axis=0, unknown=0)],
    "hard_shrink": [*ONE, Call(X, threshold=1.0)],
    "hstack": [Call([X, P])],
    "identity": [Call(3, unknown=0), Call(2, dtype="int32", unknown=0)],
    "in_top_k": [Call(whole(4, below=6), X, 2, unknown=2)],
    "is_tensor": [],
    "layer_normalization": [
        Call(X),
        Call(X, real(6), real(6)),
        Call(SERIES, axis=(1, 2), epsilon=0.1),
    ],
    "leaky_relu": [*ONE, Call(X, negative_slope=0.5)],
    "linspace": [
        Call(0, 1, 5, unknown=0),
        Call(0.0, 1.0, num=4, endpoint=False, unknown=0),
        Call(0, 1, 3, dtype="float32", unknown=0),
    ],
    "matmul": [
        Call(X, real(6, 2)),
        Call(SERIES, real(3, 4)),
        Call(SERIES, real(2, 3, 2), unknown=2),
        Call(X, real(6)),
        Call(real(4), X, unknown=0),
        Call(real(3), real(3), unknown=0),
    ],
    "max_pool": [
        Call(IMAGES, 2, 2),
        Call(IMAGES, (3, 2), 2, "same"),
        Call(SERIES, 3, 2),
    ],
    "moments": [Call(X, [0]), Call(IMAGES, (0, 1, 2)), Call(X, [1], keepdims=True)],
    "moveaxis": [Call(IMAGES, 1, -1), Call(IMAGES, (0, 1), (1, 0))],
    "ndim": [Call(X, unknown=0)],
    "nonzero": [Call(N, unknown=0)],
    "norm": [
        Call(X),
        Call(X, axis=1),
        Call(X, 1, axis=1),
        Call(X, ord="fro"),
        Call(X, np.inf, axis=0),
        Call(X, axis=1, keepdims=True),
    ],
    "normalize": [Call(X), Call(X, axis=0), Call(X, order=1)],
    "one_hot": [
        Call(N, 5),
        Call(N, 5, axis=1),
        Call(N, 5, dtype="int32"),
        Call(whole(4), 5),
    ],
    "ones": [Call((2, 3), unknown=0), Call((2,), dtype="int32", unknown=0)],
    "outer": [Call(real(3), real(2), unknown=0)],
    "pad": [
        Call(X, ((1, 2), (0, 1))),
        Call(X, ((0, 0), (1, 1)), constant_values=2.0),
        Call(IMAGES, 1),
        Call(X, ((0, 0), (2, 1)), mode="reflect"),
        Call(X, ((0, 0), (0, 1)), mode="symmetric"),
        Call(X, ((1, 2), (2, 1)), mode="reflect", unknown=0),
    ],
    "power": [Call(P, real(4, 6), unknown=2), Call(P, 2), Call(X, 3.0), Call(N, 2)],
    "repeat": [
        Call(X, 2),
        Call(X, 3, axis=1),
        Call(X, np.array([1, 2, 0, 1]), axis=0, unknown=0),
    ],
    "reshape": [
        Call(X, (-1, 3)),
        Call(X, (-1, 3, 2)),
        Call(X, (24,), unknown=0),
        Call(X, -1),
    ],
    "rms_normalization": [Call(X), Call(X, real(6)), Call(X, epsilon=0.1)],
    "roll": [Call(X, 2), Call(X, -1, axis=1), Call(X, 1, axis=0)],
    "separable_conv": [
        Call(IMAGES, real(2, 3, 3, 2), real(1, 1, 6, 4)),
        Call(IMAGES, real(3, 3, 3, 1), real(1, 1, 3, 2), strides=2, padding="same"),
        Call(SERIES, real(2, 3, 2), real(1, 6, 5)),
    ],
    "shape": [Call(X)],
    "size": [Call(X, unknown=0)],
    "slice": [Call(X, [0, 1], [2, 3], unknown=0)],
    "slice_update": [Call(X, [1, 2], real(2, 3), unknown=0)],
    "soft_shrink": [*ONE, Call(X, threshold=1.0)],
    "sort": [Call(X), Call(X, axis=0)],
    "sparse_categorical_crossentropy": [
        Call(LABELS, PREDICTED, unknown=2),
        Call(LABELS, real(2, 3), from_logits=True, unknown=2),
    ],
    "sparsemax": [],
    "split": [Call(X, 2, axis=1), Call(X, [1, 4], axis=1), Call(X, 2, unknown=0)],
    "squeeze": [
        Call(real(4, 1, 3, 1)),
        Call(real(4, 1, 3, 1), axis=1),
        Call(real(4, 1, 3, 1), axis=(1, 3)),
    ],
    "stack": [Call([X, P]), Call([X, P], axis=-1), Call([X, N], axis=1)],
    "swapaxes": [Call(IMAGES, 0, 2), Call(X, -1, 0)],
    "take": [
        Call(X, whole(3)),
        Call(X, whole(3), axis=1),
        Call(X, whole(2, 2), axis=-1),
        Call(X, 1, axis=1),
        Call(X, np.array([0, -1]), axis=0),
    ],
    "take_along_axis": [
        Call(X, whole(4, 2), axis=1, unknown=2),
        Call(X, whole(24), axis=None, unknown=0),
    ],
    "tensordot": [
        Call(X, real(6, 2), 1),
        Call(SERIES, real(3, 7, 2), axes=([2, 1], [0, 1])),
        Call(X, X, unknown=0),
    ],
    "threshold": [Call(X, 0.5, -1.0)],
    "tile": [Call(X, (1, 2)), Call(X, 2), Call(X, (2, 1, 1))],
    "top_k": [Call(X, 2), Call(X, 1)],
    "trace": [Call(X, unknown=0), Call(SERIES, 1, 1, 2)],
    "transpose": [Call(X), Call(IMAGES, (0, 3, 1, 2))],
    "tri": [Call(3, unknown=0), Call(3, 4, 1, unknown=0)],
    "tril": [Call(X, unknown=0), Call(X, 1, unknown=0), Call(SERIES, -1)],
    "triu": [Call(X, unknown=0), Call(X, 1, unknown=0), Call(SERIES, -1)],
    "unstack": [Call(X, axis=1), Call(X, unknown=0)],
    "vstack": [Call([X, P])],
    "where": [
        Call(B, X, P, unknown=3),
        Call(B, X, 0.0, unknown=2),
        Call(B, N, X, unknown=3),
    ],
    "zeros": [Call((2, 3), unknown=0), Call((2,), dtype="int32", unknown=0)],
}

WITHOUT_NUMBERS = {
    "dtype": "a name; test_a_type_is_a_name",
    "empty": "what is in it is anything",
    "empty_like": "what is in it is anything",
    "is_tensor": "not a number",
    "sparsemax": "Keras 3.15 adds up the wrong numbers: its rows do not sum to 1",
}
OTHER_SIGNATURE: dict[str, str] = {}


def public() -> dict[str, Any]:
    """The functions of deepneuron.ops that keras.ops has."""
    return {
        name: f
        for name, f in sorted(vars(ops).items())
        if not name.startswith("_")
        and hasattr(keras().ops, name)
        and (isinstance(f, Op) or (callable(f) and not isinstance(f, types.ModuleType)))
    }


NAMES = list(public())
EXAMPLES = [
    pytest.param(name, call, id=f"{name}-{i}")
    for name, calls in CALLS.items()
    for i, call in enumerate(calls)
]


def test_all_lists_the_functions_and_nothing_else() -> None:
    namespace = {
        name
        for name, value in vars(ops).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert len(ops.__all__) == len(set(ops.__all__))
    assert set(ops.__all__) - {"image"} == namespace  # Keras has the module, too
    assert set(NAMES) <= set(ops.__all__)


def test_every_function_is_called_in_this_file() -> None:
    assert set(CALLS) == set(NAMES)
    assert {name for name, calls in CALLS.items() if not calls} == set(WITHOUT_NUMBERS)
    assert set(OTHER_SIGNATURE) <= set(NAMES)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in OTHER_SIGNATURE])
def test_the_arguments_are_those_of_keras(name: str) -> None:
    def parameters(function: Any) -> list[tuple[str, Any]]:
        return [
            (p.name, p.default) for p in inspect.signature(function).parameters.values()
        ]

    ours = parameters(getattr(ops, name))
    assert ours == parameters(getattr(keras().ops, name))


def flat(y: Any) -> list[Any]:
    if isinstance(y, (tuple, list)):
        return [leaf for part in y for leaf in flat(part)]
    return [y]


@pytest.mark.parametrize(("name", "call"), EXAMPLES)
def test_the_numbers_are_those_of_keras(name: str, call: Call) -> None:
    ours = flat(getattr(ops, name)(*call.args, **call.kwargs))
    theirs = flat(getattr(keras().ops, name)(*call.args, **call.kwargs))
    assert len(ours) == len(theirs)
    for y, z in zip(map(np.asarray, ours), map(np.asarray, theirs), strict=True):
        assert y.shape == z.shape
        if hasattr(ours[0], "dtype"):
            assert y.dtype == z.dtype
        size = np.max(np.abs(z), initial=0.0) if z.dtype != bool else 1.0
        np.testing.assert_allclose(y, z, rtol=1e-5, atol=1e-6 * size)


def symbolic(call: Call, make: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arguments with tensors of unknown batch in the place of arrays."""
    left = call.unknown

    def replace(x: Any) -> Any:
        nonlocal left
        if isinstance(x, list) and all(isinstance(part, np.ndarray) for part in x):
            left += len(x) - 1
            return [replace(part) for part in x]
        if isinstance(x, np.ndarray) and left:
            left -= 1
            return make((None, *x.shape[1:]), dtype=x.dtype.name)
        return x

    return [replace(a) for a in call.args], {
        k: replace(a) for k, a in call.kwargs.items()
    }


@pytest.mark.parametrize(("name", "call"), [p for p in EXAMPLES if p.values[1].unknown])
def test_an_unknown_batch_gives_the_shapes_of_keras(name: str, call: Call) -> None:
    args, kwargs = symbolic(call, keras().KerasTensor)
    try:
        theirs = flat(getattr(keras().ops, name)(*args, **kwargs))
    except Exception:  # noqa: BLE001 - what Keras cannot do need not be compared
        theirs = None
    args, kwargs = symbolic(call, Tensor)
    ours = flat(getattr(ops, name)(*args, **kwargs))
    if theirs and all(hasattr(z, "shape") for z in theirs):
        assert [(y.shape, y.dtype) for y in ours] == [
            (z.shape, z.dtype) for z in theirs
        ]


def test_a_type_is_a_name() -> None:
    assert ops.dtype(X) == keras().ops.dtype(X) == "float32"
    assert ops.dtype(Tensor((None,), "int32")) == "int32"


def test_a_tensor_knows_that_it_is_one() -> None:
    assert ops.is_tensor(Tensor((None, 2)))
    assert not ops.is_tensor([1.0])
