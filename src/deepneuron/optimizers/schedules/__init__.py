"""Learning rates that change: `optimizers.schedules`, as in Keras."""

from deepneuron.optimizers.schedules.cosine_decay import CosineDecay
from deepneuron.optimizers.schedules.cosine_decay_restarts import CosineDecayRestarts
from deepneuron.optimizers.schedules.exponential_decay import ExponentialDecay
from deepneuron.optimizers.schedules.inverse_time_decay import InverseTimeDecay
from deepneuron.optimizers.schedules.learning_rate_schedule import (
    LearningRateSchedule,
    deserialize,
    serialize,
)
from deepneuron.optimizers.schedules.piecewise_constant_decay import (
    PiecewiseConstantDecay,
)
from deepneuron.optimizers.schedules.polynomial_decay import PolynomialDecay

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]
