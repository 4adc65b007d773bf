"""Networks that classify pictures: made for the pictures, or given by the user.

Each begins with Input and Rescaling(1/255), takes uint8 pixels, ends in a softmax, and
consists of layers that Keras has as well.
"""

from deepneuron.vision.networks.choose import NETWORKS, Choice, choose_network
from deepneuron.vision.networks.cnn import make_cnn
from deepneuron.vision.networks.fine_tune import FineTune, body_layers
from deepneuron.vision.networks.given import (
    given_shape,
    load_given,
    make_by_function,
)
from deepneuron.vision.networks.linear import make_linear
from deepneuron.vision.networks.mlp import make_mlp
from deepneuron.vision.networks.resnet import make_resnet
from deepneuron.vision.networks.yours import import_yours, know_classes_of

__all__ = [
    "NETWORKS",
    "Choice",
    "FineTune",
    "body_layers",
    "choose_network",
    "given_shape",
    "import_yours",
    "know_classes_of",
    "load_given",
    "make_by_function",
    "make_cnn",
    "make_linear",
    "make_mlp",
    "make_resnet",
]
