"""How wrong a model is: `deepneuron.losses`, as `keras.losses`."""

from deepneuron.losses.absolute_errors import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    mean_absolute_error,
    mean_absolute_percentage_error,
)
from deepneuron.losses.binary import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
)
from deepneuron.losses.categorical import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
)
from deepneuron.losses.distributions import (
    KLDivergence,
    Poisson,
    kl_divergence,
    poisson,
)
from deepneuron.losses.hinges import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from deepneuron.losses.lookup import deserialize, get, serialize
from deepneuron.losses.loss import Loss
from deepneuron.losses.robust import Huber, LogCosh, huber, log_cosh
from deepneuron.losses.similarity import CosineSimilarity, cosine_similarity
from deepneuron.losses.sparse_categorical import (
    SparseCategoricalCrossentropy,
    sparse_categorical_crossentropy,
)
from deepneuron.losses.squared_errors import (
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from deepneuron.losses.sum_of_squares import SumOfSquaredErrors, sum_of_squared_errors
from deepneuron.losses.wrapper import LossFunctionWrapper

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "SumOfSquaredErrors",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "sum_of_squared_errors",
]
