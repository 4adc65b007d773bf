"""The layers, `deepneuron.layers`: the same names and arguments as `keras.layers`."""

from typing import Any

from deepneuron.layers.activation import Activation
from deepneuron.layers.average_pooling2d import AveragePooling2D
from deepneuron.layers.batch_normalization import BatchNormalization
from deepneuron.layers.concatenation import Concatenate, concatenate
from deepneuron.layers.conv1d import Conv1D
from deepneuron.layers.conv2d import Conv2D
from deepneuron.layers.cropping2d import Cropping2D
from deepneuron.layers.dense import Dense
from deepneuron.layers.depthwise_conv1d import DepthwiseConv1D
from deepneuron.layers.depthwise_conv2d import DepthwiseConv2D
from deepneuron.layers.dot_product import Dot, dot
from deepneuron.layers.dropout import Dropout
from deepneuron.layers.dtype_policy import DTypePolicy
from deepneuron.layers.elu import ELU
from deepneuron.layers.embedding import Embedding
from deepneuron.layers.flatten import Flatten
from deepneuron.layers.gaussian_noise import GaussianNoise
from deepneuron.layers.global_average_pooling2d import GlobalAveragePooling2D
from deepneuron.layers.global_max_pooling2d import GlobalMaxPooling2D
from deepneuron.layers.identity import Identity
from deepneuron.layers.input_layer import Input, InputLayer
from deepneuron.layers.input_spec import InputSpec
from deepneuron.layers.lambda_layer import Lambda
from deepneuron.layers.layer import Layer
from deepneuron.layers.layer_normalization import LayerNormalization
from deepneuron.layers.leaky_relu import LeakyReLU
from deepneuron.layers.max_pooling2d import MaxPooling2D
from deepneuron.layers.merge import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    maximum,
    minimum,
    multiply,
    subtract,
)
from deepneuron.layers.normalization import Normalization
from deepneuron.layers.permute import Permute
from deepneuron.layers.prelu import PReLU
from deepneuron.layers.random_flip import RandomFlip
from deepneuron.layers.random_rotation import RandomRotation
from deepneuron.layers.relu import ReLU
from deepneuron.layers.repeat_vector import RepeatVector
from deepneuron.layers.rescaling import Rescaling
from deepneuron.layers.reshape import Reshape
from deepneuron.layers.separable_conv1d import SeparableConv1D
from deepneuron.layers.separable_conv2d import SeparableConv2D
from deepneuron.layers.softmax import Softmax
from deepneuron.layers.up_sampling2d import UpSampling2D
from deepneuron.layers.zero_padding2d import ZeroPadding2D
from deepneuron.serialization import deserialize as _deserialize
from deepneuron.serialization import serialize as _serialize

AvgPool2D = AveragePooling2D
Convolution1D = Conv1D
Convolution2D = Conv2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool2D = MaxPooling2D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Convolution1D",
    "Convolution2D",
    "Cropping2D",
    "DTypePolicy",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RandomFlip",
    "RandomRotation",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "Softmax",
    "Subtract",
    "UpSampling2D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]


def serialize(layer: Layer) -> dict[str, Any]:
    """A layer as plain data, from which `deserialize` makes an equal one.

    >>> serialize(Flatten(name="flat"))["class_name"]
    'Flatten'
    """
    data: dict[str, Any] = _serialize(layer)
    return data


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer that plain data describes.

    Args:
        config: what `serialize` returned, or Keras wrote.
        custom_objects: names of your own classes and functions.

    >>> deserialize(serialize(Dense(3, name="out"))).units
    3
    """
    return _deserialize(config, custom_objects)
