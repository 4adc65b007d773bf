"""Prediction: what pictures show, according to a trained network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from deepneuron.data.collection import Skipped
from deepneuron.data.decode import Shape, fit, read_picture
from deepneuron.data.names import shown
from deepneuron.errors import PictureError
from deepneuron.vision.answers import answers, kind_of
from deepneuron.vision.classifier import Classifier, open_classifier
from deepneuron.vision.listing import Picture, Skip, list_pictures

_BATCH = 64
_THREADS = 4  # decode; most of the time goes there, outside of Python


@dataclass(frozen=True, eq=False)
class Prediction:
    """What one picture shows.

    Attributes:
        name: of the picture: its path, or its row.
        class_name: the most probable class.
        confidence: its probability, from 0 to 1.
        probabilities: of all classes, (classes,) float32.
        class_names: their names, in the same order.
    """

    name: str
    class_name: str
    confidence: float
    probabilities: np.ndarray
    class_names: tuple[str, ...]

    def best(self, count: int = 2) -> list[tuple[str, float]]:
        """The most probable classes with their probabilities, the best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(self.class_names[i], float(self.probabilities[i])) for i in order]

    def __repr__(self) -> str:
        return f"<Prediction {self.name}: {self.class_name} {self.confidence:.4f}>"


def predict(
    model: Any,
    pictures: Any,
    *,
    skipped: Skip | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prediction]:
    """What each picture shows.

    Args:
        model: the folder of a run, a `.keras` file, a Run, or a model that takes pixels
            from 0 to 255.
        pictures: files and folders (with all below them), or arrays; see
            `list_pictures`. Each is fitted into the shape that the model takes.
        skipped: told (as a Skipped) of each picture that cannot be read. Without it,
            such a picture is an error.
        progress: told how many pictures of how many are done.

    Returns:
        A Prediction for each picture that can be read, in the order of the pictures.

    Raises:
        DataError: a picture cannot be read; or the model and its labels are not what
            they should be.

    Example:

    >>> import deepneuron as dn
    >>> layers = [dn.layers.Flatten(), dn.layers.Dense(2, activation="softmax")]
    >>> model = dn.Sequential([dn.Input((8, 8, 1)), *layers])
    >>> model.set_weights([np.zeros((64, 2)), np.log([0.25, 0.75])])
    >>> predict(model, np.zeros((1, 20, 30), "uint8"))
    [<Prediction 0: 1 0.7500>]
    """
    classifier = open_classifier(model)
    skip = skipped or _refuse
    found = list(list_pictures(pictures, skip))
    return [
        prediction
        for _, prediction, _ in predictions(classifier, found, skip, progress)
    ]


def _refuse(skipped: Skipped) -> None:
    raise PictureError(f"{shown(skipped.name)} cannot be read: {skipped.reason}.")


def predictions(
    classifier: Classifier,
    pictures: Sequence[Picture],
    skip: Skip,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[Picture, Prediction, np.ndarray]]:
    """(picture, prediction, pixels that the network saw), some in memory at a time."""
    kind = None
    waiting, done = iter(pictures), 0
    if progress is not None:
        progress(0, len(pictures))
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="decode") as pool:
        while batch := list(islice(waiting, _BATCH)):
            kept, rows = [], []
            for picture, x in zip(
                batch, _decoded(batch, classifier.shape, pool), strict=True
            ):
                if isinstance(x, PictureError):
                    skip(Skipped(picture.name, str(x)))
                else:
                    kept.append(picture)
                    rows.append(x)
            if rows:
                x = np.stack(rows)  # (pictures, height, width, channels) uint8
                kind = kind or kind_of(classifier.model, x[:1])
                p = answers(classifier.model, x, kind)
                for picture, pixels, row in zip(kept, x, p, strict=True):
                    yield picture, _prediction(picture, row, classifier), pixels
            done += len(batch)
            if progress is not None:
                progress(done, len(pictures))


def _prediction(picture: Picture, p: np.ndarray, classifier: Classifier) -> Prediction:
    best = int(p.argmax())
    names = classifier.class_names
    return Prediction(picture.name, names[best], float(p[best]), p, names)


def _decoded(
    batch: Sequence[Picture], shape: Shape, pool: ThreadPoolExecutor
) -> list[np.ndarray | PictureError]:
    # Pillow warns of metadata, which nobody asks for here. Filters are the process's.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return list(pool.map(lambda picture: _decode(picture.source, shape), batch))


def _decode(source: Any, shape: Shape) -> np.ndarray | PictureError:
    """The picture as training would see it, or why there is none."""
    try:
        if hasattr(source, "getexif"):  # `fit` takes these as they are, upright or not
            source = read_picture(source)
        return fit(source, shape)
    except PictureError as error:
        return error
