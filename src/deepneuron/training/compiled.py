"""The losses and metrics that `compile` was given, matched to a model's outputs."""

from __future__ import annotations

from numbers import Real
from typing import Any

from deepneuron import losses as losses_package
from deepneuron import metrics as metrics_package
from deepneuron.engine.nest import flatten
from deepneuron.engine.variable import Variable
from deepneuron.errors import ArgumentError, DataError, UnknownNameError
from deepneuron.losses import Loss
from deepneuron.metrics import Mean, Metric

GENERAL_LOSSES = ("crossentropy", "ce")  # the shapes decide which one is meant
GENERAL_METRICS = ("accuracy", "acc")


class CompileLoss:
    """total = sum over outputs of weight * loss(y_true, y_pred)

    Args:
        loss: one for all outputs, or a list or dictionary with one for each (or None).
        loss_weights: numbers in the same form.
        output_names: of the model, where they are known.
    """

    def __init__(self, loss: Any, loss_weights: Any, output_names: Any = None) -> None:
        wrong = [w for w in flatten(loss_weights)[0] if not isinstance(w, Real)]
        if wrong:
            raise ArgumentError(
                "loss_weights must be a number, or a list or dictionary of numbers; "
                f"received {wrong[0]!r} in it."
            )
        self.loss, self.loss_weights = loss, loss_weights
        self.output_names = output_names
        # (loss, weight, Mean of the loss) for each output
        self._parts: list[tuple[Any, Any, Mean | None]] | None = None
        self.trackers: list[Mean] = []

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Choose each output's loss, and a Mean for each where there are several."""
        names = names_of(y_pred, self.output_names)
        chosen = spread(self.loss, names, "loss")
        weights = spread(self.loss_weights, names, "loss_weights")
        truths = _targets(y_true, names, chosen)
        predictions = flatten(y_pred)[0]
        losses = [
            _get_loss(loss, t, p)
            for loss, t, p in zip(chosen, truths, predictions, strict=True)
        ]
        used = [n for n, loss in zip(names, losses, strict=True) if loss is not None]
        means = {n: Mean(name=f"{n}_loss") for n in used if len(used) > 1}
        self._parts = list(zip(losses, weights, map(means.get, names), strict=True))
        # Dictionaries of outputs are reported in the order of the losses.
        by_loss = isinstance(self.loss, dict) and isinstance(y_pred, dict)
        order = list(self.loss) if by_loss else names
        self.trackers = [means[name] for name in order if name in means]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The total loss, or None where no output has one."""
        if self._parts is None:
            self.build(y_true, y_pred)
        parts = self._parts or []
        names = names_of(y_pred, self.output_names)
        truths = _targets(y_true, names, [loss for loss, _, _ in parts])
        weights = align_weights(sample_weight, names)
        total = None
        for (loss, weight, mean), t, p, w in zip(
            parts, truths, flatten(y_pred)[0], weights, strict=True
        ):
            if loss is None:
                continue
            value = loss(t, p, sample_weight=w)
            if mean is not None:
                mean.update_state(value, sample_weight=p.shape[0])
            if weight is not None:
                value = value * weight
            total = value if total is None else total + value
        return total


class CompileMetrics(Metric):
    """The metrics of every output, under the names that go into the logs.

    Among a model's metrics it stands for all of them, as in Keras: it takes in
    `(y, y_pred, sample_weight)` of all outputs, and its result is a dictionary.

    Args:
        metrics: a list for all outputs; for several outputs, a list or dictionary of
            lists.
        weighted_metrics: the same, but with sample weights.
        output_names: of the model, where they are known.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, output_names: Any) -> None:
        super().__init__(name="compile_metrics")
        wanted = (("metrics", metrics), ("weighted_metrics", weighted_metrics))
        for argument, value in wanted:
            if value and not isinstance(value, (list, tuple, dict)):
                raise ArgumentError(
                    f"{argument} must be a list or a dictionary; received {value!r}. "
                    f"Write {argument}=[{value!r}]."
                )
        self._wanted = dict(wanted)
        self.output_names = output_names
        self.built = False
        # (name in the logs, metric, number of the output, with sample weights?)
        self._entries: list[tuple[str, Metric, int, bool]] = []

    def build(self, y_true: Any, y_pred: Any) -> None:
        names = names_of(y_pred, self.output_names)
        truths, predictions = align(y_true, names), flatten(y_pred)[0]
        taken: dict[str, int] = {}
        for argument, wanted in self._wanted.items():
            weighted = argument == "weighted_metrics"
            for i, identifiers in enumerate(self._per_output(wanted, names, argument)):
                for identifier in identifiers:
                    metric = _get_metric(identifier, truths[i], predictions[i])
                    name = (
                        metric.name if len(names) == 1 else f"{names[i]}_{metric.name}"
                    )
                    if weighted and name in taken:
                        name = f"weighted_{metric.name}"
                        name = name if len(names) == 1 else f"{names[i]}_{name}"
                    number = taken.get(name, 0)
                    taken[name] = number + 1
                    name = f"{name}_{number}" if number else name
                    self._entries.append((name, metric, i, weighted))
        self.built = True

    @staticmethod
    def _per_output(wanted: Any, names: list[Any], argument: str) -> list[list[Any]]:
        if not wanted:
            return [[] for _ in names]
        if len(names) == 1:
            if isinstance(wanted, dict):
                unknown = sorted(set(wanted) - set(names))
                if unknown and names[0] is not None:
                    raise UnknownNameError(f"output in {argument}", unknown[0], names)
            return [_flat_list(wanted)]
        return [_flat_list(m) for m in spread(wanted, names, argument, each=True)]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics within; none before the first batch was seen."""
        return [metric for _, metric, _, _ in self._entries]

    @property
    def variables(self) -> list[Variable]:
        return [v for metric in self.metrics for v in metric.variables]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one batch into account."""
        if not self.built:
            self.build(y_true, y_pred)
        if not self._entries:
            return
        names = names_of(y_pred, self.output_names)
        truths, predictions = align(y_true, names), flatten(y_pred)[0]
        weights = align_weights(sample_weight, names)
        for _, metric, i, weighted in self._entries:
            if truths[i] is None:
                continue
            if weighted:
                metric.update_state(truths[i], predictions[i], sample_weight=weights[i])
            else:
                metric.update_state(truths[i], predictions[i])

    def result(self) -> dict[str, Any]:
        """{name in the logs: value}"""
        return {name: metric.result() for name, metric, _, _ in self._entries}


# --- matching what the user wrote to the outputs


def names_of(y_pred: Any, output_names: Any) -> list[Any]:
    """A name for every output, in the order in which `flatten` lists them."""
    count = len(flatten(y_pred)[0])
    if isinstance(y_pred, dict):
        return sorted(y_pred, key=str)
    if output_names and len(output_names) == count:
        return list(output_names)
    return [None] if count == 1 else [f"output_{i}" for i in range(count)]


def spread(
    value: Any, names: list[Any], argument: str, each: bool = False
) -> list[Any]:
    """One entry for every output, from one value, a list or a dictionary.

    Args:
        value: what the user wrote.
        names: of the outputs.
        argument: how the user calls it, for the message.
        each: a value that is no list counts for the output that it stands at.
    """
    if isinstance(value, dict):
        unknown = [k for k in value if k not in names]
        if unknown:
            raise UnknownNameError(f"output in {argument}", unknown[0], names)
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ArgumentError(
                f"{argument} has {len(value)} entries, but the model has {len(names)} "
                f"outputs ({names})."
            )
        return list(value)
    return [value] * len(names)


def align(y_true: Any, names: list[Any], losses: list[Any] | None = None) -> list[Any]:
    """The targets in the order of the outputs; None for outputs without a loss."""
    if isinstance(y_true, dict):
        missing = [n for n in y_true if n not in names]
        if missing:
            raise UnknownNameError("output in y", missing[0], names)
        return [y_true.get(name) for name in names]
    truths = flatten(y_true)[0]
    if len(truths) == len(names):
        return truths
    with_loss = [i for i, loss in enumerate(losses or []) if loss is not None]
    if len(truths) == len(with_loss):
        placed: list[Any] = [None] * len(names)
        for i, t in zip(with_loss, truths, strict=True):
            placed[i] = t
        return placed
    if not truths:
        return [None] * len(names)
    raise ArgumentError(
        f"y holds {len(truths)} arrays, but the model has {len(names)} output(s): "
        f"{', '.join(map(str, names))}."
    )


def _targets(y_true: Any, names: list[Any], losses: list[Any]) -> list[Any]:
    truths = align(y_true, names, losses)
    for name, loss, t in zip(names, losses, truths, strict=True):
        if loss is not None and t is None:
            output = "" if name is None else f" for the output {name!r}"
            raise DataError(
                f"The loss compares predictions with targets, but y is None{output}. "
                "Give the targets as well: fit(x, y)."
            )
    return truths


def align_weights(sample_weight: Any, names: list[Any]) -> list[Any]:
    """The sample weights of every output; one array counts for all of them."""
    if isinstance(sample_weight, dict):
        return [sample_weight.get(name) for name in names]
    if isinstance(sample_weight, (list, tuple)):
        one_for_all = len(sample_weight) == 1 != len(names)
        return list(sample_weight) * (len(names) if one_for_all else 1)
    return [sample_weight] * len(names)


def _flat_list(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, dict):
        return [v for part in value.values() for v in _flat_list(part)]
    if isinstance(value, (list, tuple)):
        return [v for part in value for v in _flat_list(part)]
    return [value]


def _kind_of_targets(y_true: Any, y_pred: Any) -> str:
    """Which of the families a target belongs to, by the shapes, as Keras decides it."""
    if y_pred.shape[-1] == 1:
        return "binary"
    sparse = len(y_true.shape) < len(y_pred.shape) or y_true.shape[-1] == 1
    return "sparse_categorical" if sparse else "categorical"


def _get_loss(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in GENERAL_LOSSES:
        identifier = f"{_kind_of_targets(y_true, y_pred)}_crossentropy"
    loss = losses_package.get(identifier)
    if isinstance(loss, Loss):
        return loss
    name = (
        identifier if isinstance(identifier, str) else getattr(loss, "__name__", "loss")
    )
    return losses_package.LossFunctionWrapper(loss, name=name)


def _get_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    if isinstance(identifier, str) and identifier.lower() in GENERAL_METRICS:
        kind = _kind_of_targets(y_true, y_pred).title().replace("_", "")
        metric = getattr(metrics_package, f"{kind}Accuracy")(name=identifier)
    else:
        metric = metrics_package.get(identifier)
    if not isinstance(metric, Metric):
        name = identifier if isinstance(identifier, str) else metric.__name__
        metric = metrics_package.MeanMetricWrapper(metric, name=name)
    elif isinstance(identifier, str):
        metric.name = identifier
    return metric


__all__ = ["CompileLoss", "CompileMetrics"]
