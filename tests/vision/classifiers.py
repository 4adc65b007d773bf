"""A network that nobody has to train, and pictures of which one knows what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

import deepneuron as dn
from deepneuron import layers

NAMES = ("dark", "grey", "bright")


def brightness_model(shape=(8, 8, 1)):
    """Says dark, grey or bright: the mean of all pixels below 1/3, below 2/3, above."""
    channels = shape[2]
    look = layers.Conv2D(1, 1, activation="relu")
    decide = layers.Dense(3, activation="softmax")
    model = dn.Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 255),
            look,
            layers.GlobalAveragePooling2D(),
            decide,
        ]
    )
    look.set_weights([np.full((1, 1, channels, 1), 1 / channels), np.zeros(1)])
    decide.set_weights([np.array([[0.0, 30.0, 60.0]]), np.array([0.0, -10.0, -30.0])])
    return model


def write_run(folder, shape=(8, 8, 1), names=NAMES):
    """The folder of a run, as far as predictions need it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    brightness_model(shape).save(folder / "model.keras")
    labels = {"class_names": list(names), "shape": list(shape)}
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    return folder


def write_picture(path, value, size=(12, 10), mode="L"):
    """A picture of one colour; a value of 0 to 255."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value if mode == "L" else (value,) * len(mode)
    Image.new(mode, size, colour).save(path)
    return path
