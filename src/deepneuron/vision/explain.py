"""A picture, and beside it where the network looked to call it what it did."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.data.image_folder import PICTURE_SUFFIXES
from deepneuron.data.names import shown
from deepneuron.errors import SavingError
from deepneuron.saving.atomic import atomic_write
from deepneuron.vision.heatmaps import grad_cam, occlusion, overlay, relative
from deepneuron.vision.listing import free_name

_SIDE, _GAP = 224, 8  # pixels
_MARK = "deepneuron predict --explain"  # in every file, so that it may be replaced


def explain(model: Any, x: np.ndarray, label: int) -> np.ndarray:
    """The picture, Grad-CAM and occlusion side by side; without Grad-CAM two of them.

    Args:
        model: a trained classifier.
        x: one picture as the model takes it, (height, width, channels) uint8.
        label: the class to explain.

    Returns:
        (height, width, 3) uint8; small pictures are enlarged by a whole factor.

    >>> import deepneuron as dn
    >>> layers = [dn.layers.Flatten(), dn.layers.Dense(2, activation="softmax")]
    >>> model = dn.Sequential([dn.Input((8, 8, 1)), *layers])
    >>> explain(model, np.zeros((8, 8, 1), "uint8"), 0).shape
    (224, 456, 3)
    """
    times = max(1, -(-_SIDE // max(x.shape[:2])))
    picture = x.repeat(times, axis=0).repeat(times, axis=1)
    heats = [
        grad_cam(model, x[None], label),
        relative(occlusion(model, x[None], label)),
    ]
    tiles = [np.broadcast_to(picture, (*picture.shape[:2], 3))]
    for heat in (heat for heat in heats if heat is not None):
        large = ops.image.resize(
            heat[..., None], picture.shape[:2], data_format="channels_last"
        )
        tiles += [
            np.full((len(picture), _GAP, 3), 255, "uint8"),
            overlay(picture, np.asarray(large)[0, :, :, 0]),
        ]
    return np.concatenate(tiles, axis=1)


class ExplanationFolder:
    """A folder with an explanation for each picture, a PNG that is called like it.

    Pictures that differ in nothing but the extension, such as a.png and a.jpg, are
    explained in a.png.png and a.jpg.png. What is no explanation is never replaced.

    Args:
        path: of the folder; it is made, and tried, before there is anything to write.
        model: a trained classifier.
        places: of all pictures, as `add` takes them, so that it is known from the
            beginning which of them need their extension.

    Raises:
        SavingError: the folder cannot be made or written to.
    """

    def __init__(
        self, path: str | os.PathLike[str], model: Any, places: Iterable[str] = ()
    ) -> None:
        self.path, self.model = Path(path), model
        self._taken: set[str] = set()
        self._alike = Counter(_stem(place).casefold() for place in set(places))
        _make(self.path)
        try:
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise SavingError(
                f"Nothing can be written to {shown(self.path)}: "
                f"{error.strerror or error}."
            ) from error

    def add(self, place: str, x: np.ndarray, label: int) -> Path:
        """Explain a picture; two of the same place get different names.

        Args:
            place: where the picture lies below the folder that it was found in.
            x: (height, width, channels) uint8, as the model takes it.
            label: the class to explain.
        """
        from PIL import Image, PngImagePlugin

        stem = _stem(place)
        name = place if self._alike[stem.casefold()] > 1 else stem
        path = self.path / free_name(name, ".png", self._taken)
        while _is_foreign(path):  # such as a picture of the user's in the same folder
            path = self.path / free_name(place, ".png", self._taken)
        _make(path.parent)
        data, info = BytesIO(), PngImagePlugin.PngInfo()
        info.add_text("Software", _MARK)
        image = Image.fromarray(explain(self.model, x, label))
        image.save(data, "PNG", pnginfo=info)
        with atomic_write(path) as file:
            file.write(data.getvalue())
        return path


def _stem(place: str) -> str:
    """The place without the extension of a picture."""
    stem, dot, suffix = place.rpartition(".")
    return stem if f"{dot}{suffix}".lower() in PICTURE_SUFFIXES else place


def _is_foreign(path: Path) -> bool:
    """Whether there is something that is no explanation of ours."""
    try:
        with path.open("rb") as file:
            return _MARK.encode() not in file.read(256)  # it stands before the pixels
    except OSError:  # a folder; or nothing, even where nothing can be
        return os.path.lexists(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SavingError(
            f"The folder {shown(folder)} cannot be made: {error.strerror or error}."
        ) from error
