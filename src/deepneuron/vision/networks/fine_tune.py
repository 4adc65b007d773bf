"""Fine-tuning: first the new end of a trained network learns, then all of it."""

from __future__ import annotations

from typing import Any

from deepneuron.callbacks import Callback
from deepneuron.callbacks.callback import Logs
from deepneuron.errors import ArgumentError
from deepneuron.layers.layer import Layer


def leaves(layer: Any) -> list[Layer]:
    """The layers of a model, those of models within it included, in its order.

    >>> import deepneuron as dn
    >>> inner = dn.Sequential([dn.Input((4,)), dn.layers.Dense(3, name="a")])
    >>> [
    ...     layer.name
    ...     for layer in leaves(dn.Sequential([inner, dn.layers.ReLU(name="b")]))
    ... ]
    ['a', 'b']
    """
    within = getattr(layer, "layers", None)
    if within is None:
        return [layer]
    return [leaf for part in within for leaf in leaves(part)]


def body_layers(model: Any) -> list[Layer]:
    """What is frozen first: all layers with weights but the last one, the head.

    >>> from deepneuron.vision.networks import make_mlp
    >>> model = make_mlp((8, 8, 1), classes=3)
    >>> len(body_layers(model)), model.layers[-1] in body_layers(model)
    (2, False)
    """
    return [layer for layer in leaves(model) if layer.weights][:-1]


class FineTune(Callback):
    """The body of the model is frozen in the first epochs, and learns in all others.

    A new head is random at first, and its gradients would spoil what the body knows.
    What is frozen depends on nothing but the number of the epoch, so a training that is
    resumed at any epoch goes on as it would have. After training nothing is frozen.

    Args:
        epochs: how many with a frozen body; 0 lets every layer be as it is.

    Raises:
        ArgumentError: fewer than 0.

    >>> import numpy as np
    >>> from deepneuron.vision.networks import make_mlp
    >>> model = make_mlp((4, 4, 1), classes=2)
    >>> model.compile("sgd", loss="sparse_categorical_crossentropy")
    >>> x, y = np.ones((8, 4, 4, 1), "uint8"), np.arange(8) % 2
    >>> before = model.layers[2].kernel.numpy()
    >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[FineTune(2)])
    >>> bool((model.layers[2].kernel.numpy() == before).all())
    True
    """

    def __init__(self, epochs: int) -> None:
        super().__init__()
        if epochs < 0:
            raise ArgumentError(
                f"epochs of FineTune must be 0 or more; received {epochs}."
            )
        self.epochs = epochs

    def on_train_begin(self, logs: Logs = None) -> None:
        """Let the optimizer know all weights at once, in one order for every run."""
        self._set_trainable(True)
        if self.model.built:
            self.model.optimizer.build(self.model.trainable_variables)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._set_trainable(epoch >= self.epochs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._set_trainable(True)

    def _set_trainable(self, value: bool) -> None:
        if not self.epochs:  # a user's function may have frozen what it likes
            return
        for layer in body_layers(self.model):
            layer.trainable = value
