"""What programs around a model need, by Keras's names."""

from deepneuron.saving.custom_objects import (
    CustomObjectScope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from deepneuron.utils.normalize import normalize
from deepneuron.utils.plot_model import plot_model
from deepneuron.utils.py_dataset import PyDataset, Sequence
from deepneuron.utils.seed import clear_session, set_random_seed
from deepneuron.utils.to_categorical import to_categorical

custom_object_scope = CustomObjectScope  # both are Keras's names

__all__ = [
    "CustomObjectScope",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]
