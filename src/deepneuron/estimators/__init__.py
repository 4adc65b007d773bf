"""The classic networks by name, with the API of scikit-learn.

    Perceptron      Rosenblatt's rule, one example at a time
    Adaline         gradient descent on the sum of squared errors
    MLPClassifier   layers of neurons, trained by backpropagation
    MLPRegressor    the same, for numbers instead of classes

They work in pipelines, grid searches and cross-validation, and keep what they learned
epoch by epoch, so that learning can be drawn.
"""

try:
    import sklearn  # noqa: F401 - the one check, for a clear error
except ImportError as error:
    raise ImportError(
        "deepneuron.estimators needs scikit-learn, which could not be imported "
        f'({error}). Install it with: pip install "deepneuron-ai[sklearn]"'
    ) from None

from deepneuron.estimators.adaline import Adaline
from deepneuron.estimators.mlp_classifier import MLPClassifier
from deepneuron.estimators.mlp_regressor import MLPRegressor
from deepneuron.estimators.perceptron import Perceptron
from deepneuron.estimators.warning import DivergenceWarning

__all__ = [
    "Adaline",
    "DivergenceWarning",
    "MLPClassifier",
    "MLPRegressor",
    "Perceptron",
]
