"""Models in files: Keras's own format, both ways."""

from deepneuron.saving.custom_objects import (
    CustomObjectScope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from deepneuron.saving.export import export_model
from deepneuron.saving.model_file import load_model, save_model
from deepneuron.saving.onnx_export import export_onnx
from deepneuron.saving.weights_file import load_weights, save_weights

custom_object_scope = CustomObjectScope  # both are Keras's names

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "export_model",
    "export_onnx",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
