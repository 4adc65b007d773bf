"""What older code reaches through `keras.backend` (often imported as K)."""

from deepneuron.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from deepneuron.engine.dtypes import is_float as is_float_dtype
from deepneuron.engine.dtypes import result_type, standardize_dtype
from deepneuron.engine.tensor import Tensor as KerasTensor
from deepneuron.engine.variable import Variable
from deepneuron.utils import clear_session

__all__ = [
    "KerasTensor",
    "Variable",
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_float_dtype",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
