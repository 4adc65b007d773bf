"""From a name or a configuration to a loss, and back."""

from __future__ import annotations

from typing import Any

from deepneuron import serialization
from deepneuron.losses import (  # noqa: F401 - known by name now
    categorical,
    hinges,
    robust,
    similarity,
    sparse_categorical,
    wrapper,
)
from deepneuron.losses.absolute_errors import (
    mean_absolute_error,
    mean_absolute_percentage_error,
)
from deepneuron.losses.binary import binary_crossentropy
from deepneuron.losses.distributions import kl_divergence
from deepneuron.losses.squared_errors import (
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from deepneuron.losses.sum_of_squares import SumOfSquaredErrors
from deepneuron.serialization import classes_of, custom_object_scope, get_from

_MODULE = "keras.losses"
_ALIASES: dict[str, Any] = {
    **{
        spelling: loss
        for short, loss in (
            ("bce", binary_crossentropy),
            ("kld", kl_divergence),
            ("mae", mean_absolute_error),
            ("mape", mean_absolute_percentage_error),
            ("mse", mean_squared_error),
            ("msle", mean_squared_logarithmic_error),
        )
        for spelling in (short, short.upper())
    },
    "SumOfSquaredErrors": SumOfSquaredErrors,
    # As an object: it is its reduction that makes it J(w).
    "sum_of_squared_errors": SumOfSquaredErrors,
    "sse": SumOfSquaredErrors,
    "SSE": SumOfSquaredErrors,
}


def get(identifier: Any) -> Any:
    """The loss that is meant.

    Args:
        identifier: a name: "mse", "mean_squared_error" (the function),
            "MeanSquaredError" (an object of the class); a configuration, a class, a
            Loss, or any function `(y_true, y_pred) -> values`, which are returned as
            they are.

    Raises:
        UnknownNameError: nothing has that name; the nearest ones are offered.

    >>> get("mse").__name__
    'mean_squared_error'
    """
    if isinstance(identifier, dict):
        identifier = at_home(identifier, _MODULE)
    return get_from(_MODULE, "loss", identifier, _ALIASES)


def at_home(config: dict[str, Any], module: str) -> Any:
    """A configuration that says where it belongs, or the function that it names.

    >>> at_home({"class_name": "function", "config": "huber"}, _MODULE).__name__
    'huber'
    """
    functions = classes_of(module)
    if config.get("class_name") == "function" and config["config"] in functions:
        return functions[config["config"]]
    return {"module": module, **config}


def serialize(loss: Any) -> Any:
    """The configuration of a loss, as plain data.

    >>> serialize(get("Huber"))["class_name"]
    'Huber'
    """
    data = serialization.serialize(loss)
    if isinstance(data, dict) and data.get("class_name") == "function":
        # Keras looks for functions among its own only if no module is named.
        data = {**data, "module": "builtins"}
        data["registered_name"] = data["registered_name"] or "function"
    return data


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a configuration.

    Args:
        name: what `serialize` returned, or a name.
        custom_objects: names of your own classes and functions.

    >>> deserialize({"class_name": "Huber", "config": {"delta": 2.0}}).get_config()
    {'name': 'huber_loss', 'reduction': 'sum_over_batch_size', 'delta': 2.0}
    """
    with custom_object_scope(custom_objects or {}):
        return get(name)
