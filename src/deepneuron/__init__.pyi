from deepneuron import (
    activations as activations,
    backend as backend,
    callbacks as callbacks,
    config as config,
    constraints as constraints,
    data as data,
    datasets as datasets,
    errors as errors,
    estimators as estimators,
    initializers as initializers,
    layers as layers,
    losses as losses,
    metrics as metrics,
    models as models,
    ops as ops,
    optimizers as optimizers,
    random as random,
    regularizers as regularizers,
    saving as saving,
    utils as utils,
    vision as vision,
)
from deepneuron._version import __version__ as __version__
from deepneuron.backend import KerasTensor as KerasTensor
from deepneuron.engine.gradients import gradients as gradients
from deepneuron.engine.gradients import value_and_grad as value_and_grad
from deepneuron.engine.scope import name_scope as name_scope
from deepneuron.engine.scope import recording as recording
from deepneuron.engine.variable import Variable as Variable
from deepneuron.initializers import Initializer as Initializer
from deepneuron.layers import DTypePolicy as DTypePolicy
from deepneuron.layers import Input as Input
from deepneuron.layers import InputSpec as InputSpec
from deepneuron.layers import Layer as Layer
from deepneuron.losses import Loss as Loss
from deepneuron.metrics import Metric as Metric
from deepneuron.models import Functional as Functional
from deepneuron.models import Model as Model
from deepneuron.models import Sequential as Sequential
from deepneuron.optimizers import Optimizer as Optimizer
from deepneuron.regularizers import Regularizer as Regularizer

def version() -> str: ...
