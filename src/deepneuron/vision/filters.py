"""What the first layer of a network looks for, as pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from deepneuron.layers.conv2d import Conv2D
from deepneuron.layers.dense import Dense


def first_filters(model: Any) -> np.ndarray | None:
    """(filters, height, width, 1 or 3) uint8: grey is 0, white and black are +-max |w|

    Each filter has a scale of its own, symmetric around 0: 127.5 (1 + w / max |w|).

    Args:
        model: a trained classifier of pictures.

    Returns:
        The kernels of the first convolution; or of the first dense layer, in the form
        of the picture, if that comes first. None where neither looks at the pixels of
        grey or RGB pictures.

    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((8, 8, 3)), dn.layers.Conv2D(6, 3)])
    >>> first_filters(model).shape
    (6, 3, 3, 3)
    """
    layer = next((one for one in _layers(model) if hasattr(one, "kernel")), None)
    if isinstance(layer, Conv2D):
        kernel = np.asarray(layer.kernel)  # (height, width, channels, filters)
    elif isinstance(layer, Dense):
        shape: Any = getattr(model, "input_shape", None)
        kernel = np.asarray(layer.kernel)  # (height x width x channels, units)
        if not _is_picture(shape) or math.prod(shape[1:]) != len(kernel):
            return None
        shape = shape[1:] if len(shape) == 4 else (*shape[1:], 1)
        kernel = kernel.reshape(*shape, -1)
    else:
        return None
    if kernel.shape[2] not in (1, 3):
        return None
    return as_pictures(np.moveaxis(kernel, -1, 0))


def as_pictures(kernels: np.ndarray) -> np.ndarray:
    """127.5 (1 + w / max |w|) as uint8, for each kernel; all 128 where all are 0.

    >>> as_pictures(np.array([[-2.0, 0.0, 1.0]]))
    array([[  0, 128, 191]], dtype=uint8)
    """
    axes = tuple(range(1, kernels.ndim))
    peak = np.abs(kernels).max(axes, keepdims=True)
    scaled = kernels / np.where(peak > 0, peak, 1)
    return np.round(127.5 * (1 + scaled)).astype("uint8")


def _layers(model: Any) -> Iterator[Any]:
    """The layers in the order of the model, those of models within included."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield layer


def _is_picture(shape: Any) -> bool:
    """Whether this is the shape of one input of pictures whose size is known."""
    return (
        isinstance(shape, tuple)
        and len(shape) in (3, 4)
        and all(isinstance(n, int) for n in shape[1:])
    )
