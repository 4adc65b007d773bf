"""On what every layer is tested: arguments, input shapes, and what is special about it.

A layer that is registered but has no entry here fails test_layers.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class LayerCase:
    """One way to make a layer, and what to call it on.

    `shapes` are those of the inputs, the batch included; a layer that takes a list of
    inputs has several. `random`: in training the output depends on chance.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ((3, 4),)
    listed: bool = False
    integers: int | None = None  # inputs are whole numbers below this
    random: bool = False
    symbolic_only: bool = False

    def inputs(self, dtype: str = "float32", seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        if self.integers is not None:
            return [
                rng.integers(0, self.integers, s).astype("int32") for s in self.shapes
            ]
        return [rng.normal(size=s).astype(dtype) for s in self.shapes]

    def pack(self, xs: list[Any]) -> Any:
        """The inputs as the layer takes them."""
        return list(xs) if self.listed else xs[0]


def _images(*shape: int, **arguments: Any) -> LayerCase:
    return LayerCase(arguments, ((2, *shape),))


def _merge(**arguments: Any) -> list[LayerCase]:
    return [
        LayerCase(arguments, ((3, 4), (3, 4)), listed=True),
        LayerCase(arguments, ((3, 2, 4), (3, 1, 4)), listed=True),
        LayerCase(arguments, ((3, 2, 4), (3, 4)), listed=True),
    ]


def double(x: Any) -> Any:
    return x * 2.0


FIRST = "channels_first"

_DEPTHWISE = {
    "depthwise_initializer": "he_normal",
    "bias_initializer": "ones",
    "depthwise_regularizer": "l2",
    "bias_regularizer": "l1",
    "activity_regularizer": "l2",
    "depthwise_constraint": "max_norm",
    "bias_constraint": "non_neg",
}
_POINTWISE = {
    "pointwise_initializer": "he_uniform",
    "pointwise_regularizer": "l1",
    "pointwise_constraint": "unit_norm",
}

CASES: dict[str, list[LayerCase]] = {
    "Activation": [
        LayerCase({"activation": "tanh"}),
        LayerCase({"activation": "softmax"}),
    ],
    "Add": [*_merge(), LayerCase({}, ((3, 4),) * 3, listed=True)],
    "Average": [*_merge(), LayerCase({}, ((3, 4),) * 3, listed=True)],
    "AveragePooling2D": [
        _images(5, 6, 3, pool_size=2),
        _images(5, 6, 3, pool_size=(3, 2), strides=1, padding="same"),
        _images(3, 5, 6, pool_size=2, data_format=FIRST),
    ],
    "BatchNormalization": [
        LayerCase({}, ((6, 4),)),
        _images(3, 4, 5, momentum=0.9, epsilon=1e-5),
        _images(3, 4, 5, axis=1, center=False),
        _images(3, 4, 5, scale=False, beta_regularizer="l2"),
    ],
    "Concatenate": [
        LayerCase({}, ((3, 4), (3, 2)), listed=True),
        LayerCase({"axis": 1}, ((3, 4, 2), (3, 1, 2), (3, 2, 2)), listed=True),
    ],
    "Conv1D": [
        LayerCase({"filters": 3, "kernel_size": 3}, ((2, 7, 4),)),
        LayerCase(
            {"filters": 2, "kernel_size": 2, "padding": "causal", "dilation_rate": 2},
            ((2, 7, 4),),
        ),
        LayerCase(
            {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"},
            ((2, 7, 4),),
        ),
    ],
    "Conv2D": [
        _images(5, 6, 2, filters=3, kernel_size=3),
        _images(
            5,
            6,
            2,
            filters=3,
            kernel_size=(3, 2),
            strides=2,
            padding="same",
            activation="tanh",
        ),
        _images(7, 6, 4, filters=6, kernel_size=2, groups=2, use_bias=False),
        _images(
            7, 6, 2, filters=2, kernel_size=2, dilation_rate=(2, 3), padding="same"
        ),
        _images(2, 5, 6, filters=3, kernel_size=3, data_format=FIRST),
        _images(
            5,
            5,
            1,
            filters=2,
            kernel_size=3,
            kernel_initializer="he_normal",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l2",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
        ),
    ],
    "Cropping2D": [
        _images(5, 6, 2, cropping=1),
        _images(5, 6, 2, cropping=((1, 0), (0, 2))),
        _images(2, 5, 6, cropping=(1, 2), data_format=FIRST),
    ],
    "DepthwiseConv1D": [
        LayerCase({"kernel_size": 3}, ((2, 7, 4),)),
        LayerCase(
            {
                "kernel_size": 2,
                "strides": 2,
                "depth_multiplier": 3,
                "padding": "same",
                "activation": "tanh",
            },
            ((2, 7, 2),),
        ),
        LayerCase(
            {"kernel_size": 2, "dilation_rate": 3, "data_format": FIRST, **_DEPTHWISE},
            ((2, 4, 7),),
        ),
    ],
    "DepthwiseConv2D": [
        _images(5, 6, 2, kernel_size=3),
        _images(5, 6, 2, kernel_size=(3, 2), strides=2, padding="same"),
        _images(
            7, 6, 3, kernel_size=2, depth_multiplier=2, use_bias=False, activation="elu"
        ),
        _images(7, 6, 2, kernel_size=2, dilation_rate=(2, 3), padding="same"),
        _images(2, 5, 6, kernel_size=3, depth_multiplier=2, data_format=FIRST),
        _images(5, 5, 3, kernel_size=3, **_DEPTHWISE),
    ],
    "Dense": [
        LayerCase({"units": 5}),
        LayerCase({"units": 5, "activation": "sigmoid"}, ((2, 3, 4),)),
        LayerCase({"units": 1, "use_bias": False}),
        LayerCase(
            {
                "units": 2,
                "kernel_initializer": "he_normal",
                "bias_initializer": "ones",
                "kernel_regularizer": "l2",
                "bias_regularizer": "l1",
                "activity_regularizer": "l2",
                "kernel_constraint": "max_norm",
                "bias_constraint": "non_neg",
            }
        ),
    ],
    "Dot": [
        LayerCase({"axes": 1}, ((3, 4), (3, 4)), listed=True),
        LayerCase({"axes": (2, 1)}, ((3, 2, 4), (3, 4, 5)), listed=True),
        LayerCase({"axes": -1, "normalize": True}, ((3, 2, 4), (3, 5, 4)), listed=True),
        LayerCase({"axes": (2, 1)}, ((3, 2, 4), (3, 4)), listed=True),
    ],
    "Dropout": [
        LayerCase({"rate": 0.3}, random=True),
        LayerCase({"rate": 0.5, "seed": 7, "noise_shape": (None, 1)}, random=True),
        LayerCase({"rate": 0}),
    ],
    "ELU": [LayerCase({}), LayerCase({"alpha": 0.5})],
    "Embedding": [
        LayerCase({"input_dim": 7, "output_dim": 3}, ((3, 4),), integers=7),
        LayerCase(
            {
                "input_dim": 7,
                "output_dim": 3,
                "mask_zero": True,
                "embeddings_regularizer": "l2",
            },
            ((5,),),
            integers=7,
        ),
    ],
    "Flatten": [
        _images(3, 4, 2),
        _images(3, 4, 2, data_format=FIRST),
        LayerCase({}, ((3,),)),
    ],
    "GaussianNoise": [
        LayerCase({"stddev": 0.2}, random=True),
        LayerCase({"stddev": 0}),
    ],
    "GlobalAveragePooling2D": [
        _images(3, 4, 2),
        _images(2, 3, 4, data_format=FIRST, keepdims=True),
    ],
    "GlobalMaxPooling2D": [
        _images(3, 4, 2),
        _images(2, 3, 4, data_format=FIRST, keepdims=True),
    ],
    "Identity": [LayerCase({})],
    "InputLayer": [LayerCase({"shape": (4,)}, symbolic_only=True)],
    "Lambda": [LayerCase({"function": double})],
    "LayerNormalization": [
        LayerCase({}),
        _images(3, 4, 2, axis=[1, 3], epsilon=1e-5),
        LayerCase({"center": False}, ((2, 3, 4),)),
        LayerCase({"scale": False, "axis": 1}, ((2, 3, 4),)),
        LayerCase({"rms_scaling": True}),
    ],
    "LeakyReLU": [LayerCase({}), LayerCase({"negative_slope": 0.1})],
    "MaxPooling2D": [
        _images(5, 6, 3),
        _images(5, 6, 3, pool_size=(3, 2), strides=1, padding="same"),
        _images(3, 5, 6, data_format=FIRST),
    ],
    "Maximum": _merge(),
    "Minimum": _merge(),
    "Multiply": [*_merge(), LayerCase({}, ((3, 4),) * 3, listed=True)],
    "Normalization": [
        LayerCase({"mean": 1.5, "variance": 4.0}),
        LayerCase({"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 4.0, 9.0, 2.0]}),
        LayerCase({"mean": 1.5, "variance": 4.0, "invert": True}),
        LayerCase({}),
        LayerCase({"axis": None}),
        _images(3, 4, 2, axis=(1, 3)),
    ],
    "PReLU": [
        LayerCase({"alpha_initializer": "ones"}),
        _images(3, 4, 2, shared_axes=[1, 2], alpha_regularizer="l1"),
    ],
    "Permute": [LayerCase({"dims": (2, 1)}, ((3, 2, 4),))],
    "RandomFlip": [
        LayerCase({}, ((3, 4, 5, 2),), random=True),
        LayerCase({"mode": "horizontal", "seed": 3}, ((3, 4, 5, 2),), random=True),
    ],
    "RandomRotation": [
        LayerCase({"factor": 0.2}, ((3, 4, 5, 2),), random=True),
        LayerCase(
            {
                "factor": (-0.1, 0.3),
                "fill_mode": "constant",
                "fill_value": 0.5,
                "interpolation": "nearest",
                "seed": 3,
            },
            ((3, 4, 5, 2),),
            random=True,
        ),
    ],
    "ReLU": [
        LayerCase({}),
        LayerCase({"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.5}),
    ],
    "RepeatVector": [LayerCase({"n": 3})],
    "Rescaling": [
        LayerCase({"scale": 0.5, "offset": -1.0}),
        LayerCase({"scale": [0.5, 1.0, 2.0, 3.0]}),
        LayerCase({"scale": 1 / 255}, ((2, 3, 3, 1),), integers=256),
    ],
    "Reshape": [
        LayerCase({"target_shape": (2, 2)}),
        LayerCase({"target_shape": (-1, 2)}),
        LayerCase({"target_shape": (8,)}, ((3, 4, 2),)),
    ],
    "SeparableConv1D": [
        LayerCase({"filters": 5, "kernel_size": 3}, ((2, 7, 4),)),
        LayerCase(
            {
                "filters": 3,
                "kernel_size": 2,
                "strides": 2,
                "depth_multiplier": 2,
                "padding": "same",
            },
            ((2, 7, 2),),
        ),
        LayerCase(
            {
                "filters": 3,
                "kernel_size": 2,
                "dilation_rate": 3,
                "data_format": FIRST,
                **_DEPTHWISE,
                **_POINTWISE,
            },
            ((2, 4, 7),),
        ),
    ],
    "SeparableConv2D": [
        _images(5, 6, 2, filters=3, kernel_size=3),
        _images(5, 6, 2, filters=3, kernel_size=(3, 2), strides=2, padding="same"),
        _images(
            7,
            6,
            3,
            filters=2,
            kernel_size=2,
            depth_multiplier=2,
            use_bias=False,
            activation="elu",
        ),
        _images(7, 6, 2, filters=3, kernel_size=2, dilation_rate=2, padding="same"),
        _images(2, 5, 6, filters=3, kernel_size=3, data_format=FIRST),
        _images(5, 5, 3, filters=2, kernel_size=3, **_DEPTHWISE, **_POINTWISE),
    ],
    "Softmax": [LayerCase({}), LayerCase({"axis": [1, 2]}, ((3, 2, 4),))],
    "Subtract": _merge(),
    "UpSampling2D": [
        _images(3, 4, 2),
        _images(2, 3, 4, size=(2, 3), data_format=FIRST),
    ],
    "ZeroPadding2D": [
        _images(3, 4, 2),
        _images(3, 4, 2, padding=((1, 0), (0, 2))),
        _images(2, 3, 4, padding=(1, 2), data_format=FIRST),
    ],
}
