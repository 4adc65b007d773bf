"""Evaluation: how well a trained network does on pictures with known classes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from deepneuron.data.assemble import listed
from deepneuron.data.collection import PARTS, Collection
from deepneuron.data.names import shown
from deepneuron.data.sources import open_collection
from deepneuron.data.store import Store, build_store
from deepneuron.errors import ArgumentError, DataError
from deepneuron.vision.answers import answers, kind_of
from deepneuron.vision.classifier import Classifier, open_classifier
from deepneuron.vision.scores import scores

_ROWS = 2048  # are looked at between two words to `progress`


def evaluate(
    model: Any,
    data: str | os.PathLike[str] | Collection,
    *,
    part: str | None = None,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The scores of a model on a data set; classes are matched by their names.

    Args:
        model: the folder of a run, a `.keras` file, a Run, or a model that takes pixels
            from 0 to 255.
        data: what `train` takes: a folder with one subfolder for each class, a CSV, an
            embedded set, and so on; or what `open_collection` made of it.
        part: "train", "validation", "test" or "all"; "test" by default if the data has
            such a part, else all.
        strict: whether a picture that cannot be read is an error.
        progress: told how far it is, (done, of how much).

    Returns:
        What `scores` returns, and besides: data, part, class_names, and skipped: a name
        and a reason for each thing that was passed over. Classes of the model that the
        data does not have are among the classes, with 0 samples.

    Raises:
        DataError: the data cannot be read, does not have the part, or has classes that
            the model does not know.
        ArgumentError: an unknown part.

    Example:

        deepneuron.vision.evaluate("runs/pets", "more-pets")["accuracy"]
    """
    if part not in (None, "all", *PARTS):
        raise ArgumentError(
            f"part is one of {', '.join(PARTS)} and all; received {part!r}."
        )
    classifier = open_classifier(model)
    collection = (
        data if isinstance(data, Collection) else open_collection(data, strict=strict)
    )
    part = part or ("test" if "test" in collection.parts else "all")
    collection = _only(collection, part)
    labels, names = _matched(classifier, collection)
    total = sum(map(len, collection.parts.values()))

    def told(share: int) -> Callable[[int, int], None]:
        # To decode and to look at a picture are two things to do for each.
        def tell(done: int, _: int) -> None:
            if progress is not None:
                progress(share * total + done, 2 * total)

        return tell

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = build_store(
            collection, classifier.shape, folder, strict=strict, progress=told(0)
        )
        if not len(store.y):
            first = store.skipped[0]
            raise DataError(
                f"None of the pictures of {shown(collection.source)} can be read; "
                f"{shown(first.name)}: {first.reason}."
            )
        p = _answers(classifier, store, told(1))
        y = labels[store.y]
        skipped = [asdict(one) for one in store.skipped]
        del store  # it maps a file of the folder
    return {
        "data": shown(collection.source),
        "part": part,
        **scores(p, y, names),
        "class_names": list(names),
        "skipped": skipped,
    }


def _only(collection: Collection, part: str) -> Collection:
    """The collection with that part alone."""
    if part == "all":
        return collection
    if part not in collection.parts:
        raise DataError(
            f"{shown(collection.source)} has no part {part!r}, only "
            f"{', '.join(collection.parts)}."
        )
    return replace(collection, parts={part: collection.parts[part]})


def _matched(
    classifier: Classifier, collection: Collection
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The model's label for each label of the data; and the names of the classes.

    Raises:
        DataError: the data has a class that the model does not know.
    """
    known, given = classifier.class_names, collection.class_names
    if not classifier.named and len(known) == len(given):
        return np.arange(len(given)), given  # by their places, for want of names
    strange = [name for name in given if name not in known]
    if strange:
        near = get_close_matches(strange[0], known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(
            f"{shown(collection.source)} has classes that the model does not know: "
            f"{listed(strange)}. It knows {listed(known, 10)}.{hint}"
        )
    return np.array([known.index(name) for name in given]), known


def _answers(
    classifier: Classifier, store: Store, progress: Callable[[int, int], None]
) -> np.ndarray:
    kind = kind_of(classifier.model, store.x[:1])
    found = []
    for begin in range(0, len(store.y), _ROWS):
        x = store.x[begin : begin + _ROWS]
        found.append(answers(classifier.model, x, kind))
        progress(begin + len(x), len(store.y))
    return np.concatenate(found)
