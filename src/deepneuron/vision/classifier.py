"""Classifier: a trained network, what its classes are called, and what it looks at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepneuron.data.decode import Shape
from deepneuron.data.names import shown
from deepneuron.errors import DataError, DataNotFoundError, NotBuiltError, SavingError
from deepneuron.models import Model, load_model
from deepneuron.vision.folder import LABELS, MODEL, read_json


@dataclass(frozen=True)
class Classifier:
    """What is needed to give pictures names.

    Attributes:
        model: the network; it takes pixels from 0 to 255.
        class_names: the name of output 0, of output 1, and so on.
        shape: (height, width, channels) that pictures are fitted into.
        named: whether the names are known, and are not just numbers.
    """

    model: Any
    class_names: tuple[str, ...]
    shape: Shape
    named: bool = True


def open_classifier(source: Any) -> Classifier:
    """The classifier in a run folder or file, or around a model.

    Args:
        source: a folder that `train` has filled; a `.keras` file, whose classes are
            named by the `labels.json` beside it, or else by numbers; a Run; a model; or
            a Classifier.

    Raises:
        DataNotFoundError: there is no such file or folder.
        DataError: labels and model do not fit one another, or the model does not take
            pictures of a known size.
        SavingError: the file is damaged, or of another kind.

    >>> import deepneuron as dn
    >>> layers = [dn.layers.Flatten(), dn.layers.Dense(2, activation="softmax")]
    >>> model = dn.Sequential([dn.Input((8, 8, 3)), *layers])
    >>> classifier = open_classifier(model)
    >>> classifier.class_names, classifier.shape
    (('0', '1'), (8, 8, 3))
    """
    if isinstance(source, Classifier):
        return source
    if isinstance(source, Model):
        return _checked(source, {}, f"model {source.name!r}")
    if isinstance(source, (str, os.PathLike)):
        return _read(Path(source))
    metrics = getattr(source, "metrics", {})
    names = getattr(source, "class_names", None) or metrics.get("class_names")
    labels = {} if names is None else {"class_names": list(names)}
    return _checked(source.model, labels, "this run")


def _read(path: Path) -> Classifier:
    file = path
    if path.is_dir():
        file = path / MODEL
        if not file.exists():
            unfinished = (path / "unfinished").is_dir()
            raise DataNotFoundError(
                f"The folder {shown(path)} holds no {MODEL}. "
                + (
                    "Its training was cut off; go on with it first."
                    if unfinished
                    else "Name a folder that `deepneuron train` has filled, or a "
                    ".keras file."
                )
            )
    elif not path.exists():
        raise DataNotFoundError(
            f"There is no model {shown(path)}. Name a folder that `deepneuron train` "
            "has filled, or a .keras file."
        )
    model = load_model(file, compile=False)
    if not isinstance(model, Model):
        raise SavingError(f"{shown(file)} holds a layer, and no model.")
    beside = file.parent / LABELS
    return _checked(model, read_json(beside) if beside.exists() else {}, shown(file))


def _checked(model: Any, labels: dict[str, Any], where: str) -> Classifier:
    count = _classes_of(model)
    names = labels.get("class_names")
    named = names is not None
    if named and not (isinstance(names, list) and all(type(n) is str for n in names)):
        raise DataError(
            f'The {LABELS} beside {where} needs "class_names": ["...", ...].'
        )
    if names is None:
        if count is None:
            raise NotBuiltError(f"It is not known how many classes {where} has.")
        names = [str(i) for i in range(count)]
    if len(set(names)) < len(names):
        raise DataError(f"The {LABELS} beside {where} names two classes alike.")
    if count is not None and len(names) != count:
        raise DataError(
            f"{where} tells {count} classes apart, and its labels name {len(names)}: "
            "they do not belong together."
        )
    return Classifier(model, tuple(names), _shape_of(model, labels, where), named)


def _classes_of(model: Any) -> int | None:
    """How many classes a model has; None if only a call could tell."""
    try:
        shape = model.output_shape
    except NotBuiltError:
        return None
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise DataError(
            f"Model {model.name!r} is no classifier of pictures: it returns values of "
            f"shape {shape}, not (pictures, classes)."
        )
    count: int = shape[1]
    return max(count, 2)  # one output is the probability of the second of two classes


def _shape_of(model: Any, labels: dict[str, Any], where: str) -> Shape:
    given = labels.get("shape")
    if given is not None and not _is_picture(given):
        raise DataError(
            f'The {LABELS} beside {where} needs "shape": [height, width, 1 or 3]; it '
            f"holds {given!r}."
        )
    taken: Any = None
    with suppress(NotBuiltError):
        taken = model.input_shape
    if isinstance(taken, tuple) and len(taken) == 3:
        taken = (*taken, 1)  # grey, without an axis for the channel
    wanted: Any = taken[1:] if isinstance(taken, tuple) and len(taken) == 4 else None
    if taken is not None and wanted is None:
        raise DataError(
            f"{where} takes inputs of shape {taken}, and no pictures "
            "(pictures, height, width, channels)."
        )
    shape: Any = given if given is not None else wanted
    if not _is_picture(shape):
        raise DataError(
            f"{where} takes pictures of shape {wanted}. Write the size that it was "
            f'trained with into {LABELS} beside it: "shape": [height, width, 1 or 3].'
        )
    if wanted and any(n not in (None, m) for n, m in zip(wanted, shape, strict=True)):
        raise DataError(
            f"{where} takes pictures of shape {wanted}, and {LABELS} says "
            f"{tuple(shape)}: they do not belong together."
        )
    height, width, channels = shape
    return height, width, channels


def _is_picture(shape: Any) -> bool:
    return (
        isinstance(shape, Sequence)
        and len(shape) == 3
        and all(type(n) is int and n > 0 for n in shape)
        and shape[2] in (1, 3)
    )
