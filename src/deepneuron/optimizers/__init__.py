"""How weights follow their gradients: the names of `keras.optimizers`."""

from deepneuron.optimizers import schedules
from deepneuron.optimizers.adadelta import Adadelta
from deepneuron.optimizers.adagrad import Adagrad
from deepneuron.optimizers.adam import Adam
from deepneuron.optimizers.adamax import Adamax
from deepneuron.optimizers.adamw import AdamW
from deepneuron.optimizers.lion import Lion
from deepneuron.optimizers.lookup import deserialize, get, serialize
from deepneuron.optimizers.nadam import Nadam
from deepneuron.optimizers.optimizer import Optimizer
from deepneuron.optimizers.rmsprop import RMSprop
from deepneuron.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
