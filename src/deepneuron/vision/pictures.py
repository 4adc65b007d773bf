"""Pictures in three parts: to learn from, to choose by, and to be tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepneuron.data.embedded import get_embedded
from deepneuron.data.stratify import stratified_split

_VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Pictures:
    """What a classifier is trained, chosen and tested with.

    Attributes:
        class_names: the name of label 0, of label 1, and so on.
        peak: the value of a full pixel.
        train, validation, test: (x, y) each; x: (rows, height, width, channels), y:
            (rows,). The weights learn from the first, the best epoch is chosen by the
            second, and nothing at all by the third.
    """

    class_names: tuple[str, ...]
    peak: int
    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of a picture."""
        height, width, channels = self.train[0].shape[1:]
        return height, width, channels


def load_pictures(name: str, seed: int) -> Pictures:
    """An embedded data set; a tenth of every class is set aside for validation.

    Args:
        name: "digits" or "fashion".
        seed: decides which tenth.

    Raises:
        UnknownNameError: no such data set.

    >>> pictures = load_pictures("digits", seed=0)
    >>> [len(y) for x, y in (pictures.train, pictures.validation, pictures.test)]
    [1292, 145, 360]
    >>> pictures.shape
    (8, 8, 1)
    """
    dataset = get_embedded(name)
    (x, y), (x_test, y_test) = dataset.load()
    x, x_test = x[..., None], x_test[..., None]  # (rows, height, width, 1)
    kept, aside = stratified_split(y, _VALIDATION_SHARE, seed)
    return Pictures(
        class_names=dataset.class_names,
        peak=dataset.peak,
        train=(x[kept], y[kept]),
        validation=(x[aside], y[aside]),
        test=(x_test, y_test),
    )
