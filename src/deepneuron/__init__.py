"""deepneuron: neural networks you can see through.

    import deepneuron as keras            # the names, arguments and numbers of Keras
    import deepneuron as dn
    dn.gradients(loss, weights)           # and backpropagation that can be read

Everything is imported when first used; `__init__.pyi` lists the names for editors.
"""

import importlib

_NAMES = {
    "DTypePolicy": "layers",
    "Functional": "models",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "backend",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "Sequential": "models",
    "Variable": "engine.variable",
    "__version__": "_version",
    "gradients": "engine.gradients",
    "name_scope": "engine.scope",
    "recording": "engine.scope",
    "value_and_grad": "engine.gradients",
}
_MODULES = (
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "data",
    "datasets",
    "errors",
    "estimators",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "utils",
    "vision",
)

__all__ = [*_NAMES, *_MODULES, "version"]  # noqa: PLE0604 - names, kept in tables


def version() -> str:
    """The version of deepneuron, as `keras.version()` returns that of Keras."""
    from deepneuron._version import __version__

    return __version__


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"deepneuron.{name}")
    if name in _NAMES:
        if name != "__version__":  # variables and tensors need their operators
            importlib.import_module("deepneuron.ops")
        value = getattr(importlib.import_module(f"deepneuron.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'deepneuron' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
