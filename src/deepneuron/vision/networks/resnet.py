"""resnet: each block learns what is to be added to what comes in.

    x ──┬── norm ─ relu ─ conv ─ norm ─ relu ─ conv ──(+)── y
        └──────────────── identity ────────────────────┘

Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition",
arXiv:1512.03385, and "Identity mappings in deep residual networks", arXiv:1603.05027,
whose order of layers this is.
"""

from __future__ import annotations

from typing import Any

from deepneuron import layers
from deepneuron.models import Input, Model

_FILTERS = (16, 32, 64)  # of the three stages
_MOMENTUM = 0.9  # a few hundred steps must be enough for the moving statistics
_FULL_SIZE = 48  # up to here the first convolution sees every pixel


def make_resnet(shape: tuple[int, int, int], classes: int, blocks: int = 1) -> Model:
    """Three stages of residual blocks, each at half the size of the one before.

    Args:
        shape: (height, width, channels) of the pictures, which are uint8; best from
            32x32 on. Larger ones than 48x48 are halved by the first convolution, and
            from 96x96 on once more by pooling.
        classes: how many kinds there are.
        blocks: in each stage; 1 makes ResNet-8, 2 ResNet-14, 3 ResNet-20.

    >>> make_resnet((32, 32, 3), classes=10).count_params()
    78330
    """
    inputs = Input(shape)
    side = min(shape[:2])
    x = layers.Rescaling(1 / 255)(inputs)
    x = _conv(_FILTERS[0], strides=1 if side <= _FULL_SIZE else 2)(x)
    if side >= 2 * _FULL_SIZE:
        x = layers.MaxPooling2D()(x)
    for stage, filters in enumerate(_FILTERS):
        for block in range(blocks):
            x = _block(x, filters, strides=2 if stage and not block else 1)
    x = layers.GlobalAveragePooling2D()(_norm_relu(x))
    outputs = layers.Dense(classes, activation="softmax")(x)
    return Model(inputs, outputs, name="resnet")


def _block(x: Any, filters: int, strides: int) -> Any:
    """y = shortcut(x) + conv(relu(norm(conv(relu(norm(x))))))"""
    y = _norm_relu(x)
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:  # the identity would not fit
        shortcut = _conv(filters, strides, size=1)(y)
    y = _conv(filters, strides)(y)
    y = _conv(filters)(_norm_relu(y))
    return layers.Add()([shortcut, y])


def _norm_relu(x: Any) -> Any:
    return layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))


def _conv(filters: int, strides: int = 1, size: int = 3) -> layers.Layer:
    """A convolution without a bias, which the normalisation behind it has."""
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
