"""Models: `Sequential`, the functional `Model(inputs, outputs)`, and subclasses."""

from deepneuron.layers.input_layer import Input
from deepneuron.models.cloning import clone_model
from deepneuron.models.functional import Functional
from deepneuron.models.model import Model, model_from_json
from deepneuron.models.sequential import Sequential
from deepneuron.saving import load_model, save_model

__all__ = [
    "Functional",
    "Input",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]
