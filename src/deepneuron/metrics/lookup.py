"""From a name or a configuration to a metric, and back."""

from __future__ import annotations

from typing import Any

from deepneuron.losses import lookup as losses_lookup
from deepneuron.metrics import (  # noqa: F401 - known by name now
    accuracies,
    auc,
    counts,
    f_scores,
    hinges,
    precision_recall,
    r2,
)
from deepneuron.metrics.probabilistic import BinaryCrossentropy
from deepneuron.metrics.regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from deepneuron.naming import to_snake_case
from deepneuron.serialization import classes_of, custom_object_scope, get_from

_MODULE = "keras.metrics"
_ALIASES: dict[str, Any] = {
    **{
        to_snake_case(name): cls
        for name, cls in classes_of(_MODULE).items()
        if isinstance(cls, type)
    },
    **{
        spelling: metric
        for short, metric in (
            ("bce", BinaryCrossentropy),
            ("mae", MeanAbsoluteError),
            ("mape", MeanAbsolutePercentageError),
            ("mse", MeanSquaredError),
            ("msle", MeanSquaredLogarithmicError),
        )
        for spelling in (short, short.upper())
    },
}


def get(identifier: Any) -> Any:
    """The metric that is meant.

    Args:
        identifier: a name ("mae", "MeanAbsoluteError", "precision" ...), a
            configuration, a class, a Metric, or any function
            `(y_true, y_pred) -> values`, which are returned as they are.

    Raises:
        UnknownNameError: nothing has that name; the nearest ones are offered.

    >>> get("mae")
    <MeanAbsoluteError name=mean_absolute_error>
    """
    if isinstance(identifier, dict):
        identifier = losses_lookup.at_home(identifier, _MODULE)
    return get_from(_MODULE, "metric", identifier, _ALIASES)


def serialize(metric: Any) -> Any:
    """The configuration of a metric, as plain data.

    >>> serialize(get("mae"))["config"]
    {'name': 'mean_absolute_error', 'dtype': 'float32'}
    """
    return losses_lookup.serialize(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric of a configuration.

    Args:
        config: what `serialize` returned, or a name.
        custom_objects: names of your own classes and functions.

    >>> deserialize({"class_name": "BinaryAccuracy", "config": {"threshold": 0.3}})
    <BinaryAccuracy name=binary_accuracy>
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
