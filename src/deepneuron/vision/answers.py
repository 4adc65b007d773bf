"""What a classifier answers: a probability for each class, whatever its last layer is.

Networks end in softmax, in one sigmoid for two classes, or in bare logits whose softmax
stands in the loss. All are read off the graph of one call, so it does not matter
whether a model is Sequential, functional, nested or subclassed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.engine import scope
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import NotBuiltError, ShapeError

_PIXELS = 1_000_000  # that a batch may have, whose feature maps are many times more


def answers(model: Any, x: np.ndarray, kind: str | None = None) -> np.ndarray:
    """The probability of each class for each picture, (pictures, classes) float32.

    Args:
        model: a built classifier; one output that is no logit is the probability of
            the second of two classes.
        x: pictures as the model takes them, (pictures, height, width, channels).
        kind: what `kind_of` says of the model, to be asked once for many calls.

    Raises:
        NotBuiltError: the model has no weights yet.
        ShapeError: it does not return one row of classes for each picture.

    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(1, use_bias=False)])
    >>> model.set_weights([np.zeros((2, 1))])
    >>> answers(model, np.ones((1, 2), "float32"))  # a logit of 0
    array([[0.5, 0.5]], dtype=float32)
    """
    kind = kind_of(model, x[:1]) if kind is None else kind
    y = np.asarray(model.predict(x, batch_size=batch_size(x, 256), verbose=0))
    if kind == "log_softmax":
        return np.exp(y)
    if kind == "linear" and not sums_to_one(y):
        y = np.asarray(ops.sigmoid(y) if y.shape[-1] == 1 else ops.softmax(y))
    return np.concatenate([1 - y, y], axis=-1) if y.shape[-1] == 1 else y


def kind_of(model: Any, x: np.ndarray) -> str:
    """How the model ends, seen on one picture (or several); see `head`."""
    return head(called(model, x))[1]


def batch_size(x: np.ndarray, most: int, pixels: int = _PIXELS) -> int:
    """How many pictures at a time, so that memory does not grow with their size.

    >>> [batch_size(np.zeros((0, n, n, 3)), 256) for n in (28, 96, 224, 2000)]
    [256, 108, 19, 1]
    """
    height, width = (*x.shape[1:3], 1)[:2]
    return max(1, min(most, pixels // (height * width)))


def called(model: Any, x: np.ndarray) -> Tensor:
    """The model's answer with the graph behind it, for `gradients` to look back on.

    Nothing of the model changes: in inference no layer draws random numbers or moves a
    statistic.
    """
    if not model.built:
        raise NotBuiltError(
            f"Model {model.name!r} has no weights yet, so it cannot answer; train or "
            "load it first."
        )
    with scope.use(scope.Recording()):
        y = model(x, training=False)
    model._forget_losses()  # they would keep the graph in memory
    if not isinstance(y, Tensor) or len(y.shape) != 2 or y.shape[0] != len(x):
        received = getattr(y, "shape", type(y).__name__)
        raise ShapeError(
            f"Model {model.name!r} is no classifier of pictures: for {len(x)} of them "
            f"it should return ({len(x)}, classes), but it returned {received}."
        )
    return y


def head(y: Tensor) -> tuple[Tensor, str]:
    """(logits, kind): what the last layer's activation was applied to, and its name.

    The kind is "softmax", "log_softmax" or "sigmoid"; else "linear", and the logits
    are y itself.
    """
    node = y.node
    if node is not None and (
        node.op.name == "sigmoid"
        or (
            node.op.name in ("softmax", "log_softmax")
            and node.attrs.get("axis", -1) in (-1, 1)
        )
    ):
        return node.inputs[0], node.op.name
    return y, "linear"


def sums_to_one(y: np.ndarray) -> bool:
    """Whether these are probabilities already, by a softmax that nobody recognised."""
    return bool(
        y.shape[-1] > 1 and (y >= 0).all() and np.allclose(y.sum(-1), 1, atol=1e-3)
    )
