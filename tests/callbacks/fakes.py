"""Models without a network, on which ours and Keras's callbacks show what they do."""

from __future__ import annotations

import contextlib
import io
import warnings
from types import SimpleNamespace

import numpy as np


class FakeModel:
    """What callbacks touch of a model; its weight is the number of the epoch."""

    def __init__(self, learning_rate=1.0):
        self.optimizer = SimpleNamespace(learning_rate=learning_rate)
        self.metrics = []
        self.stop_training = False
        self.epoch = 0
        self.restored = None
        self.saved = []
        self.history = None

    def get_weights(self):
        return [np.array(float(self.epoch))]

    def set_weights(self, weights):
        self.restored = float(weights[0])

    def save(self, filepath, overwrite=True):
        self.saved.append(("model", str(filepath), self.epoch))

    def save_weights(self, filepath, overwrite=True):
        self.saved.append(("weights", str(filepath), self.epoch))


def drive(callback, epochs, batches=0, learning_rate=1.0, fits=1):
    """Run a callback over a sequence of logs; what it did, as plain data.

    Args:
        callback: ours, or Keras's.
        epochs: the logs of each epoch.
        batches: of an epoch; each has the logs of the epoch.
        fits: how often the whole is repeated with the same callback.
    """
    model = FakeModel(learning_rate)
    callback.set_model(model)
    callback.set_params({"verbose": 0, "epochs": len(epochs), "steps": batches})
    seen, said = [], io.StringIO()
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(said),
    ):
        warnings.simplefilter("always")
        for _ in range(fits):
            model.stop_training = False
            callback.on_train_begin()
            for epoch, logs in enumerate(map(dict, epochs)):
                model.epoch = epoch
                callback.on_epoch_begin(epoch)
                for batch in range(batches):
                    callback.on_train_batch_begin(batch)
                    callback.on_train_batch_end(batch, dict(logs))
                callback.on_epoch_end(epoch, logs)
                seen.append(
                    (float(model.optimizer.learning_rate), sorted(logs.items()))
                )
                if model.stop_training:
                    break
            callback.on_train_end()
    return {
        "epochs": seen,
        "restored": model.restored,
        "saved": model.saved,
        "said": said.getvalue(),
        "warned": len(caught),
    }
