"""Settings: what decides, together with the pictures, which weights come out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

from deepneuron.data.augment import Augmentation
from deepneuron.data.batches import check_whole
from deepneuron.errors import ArgumentError, DataError, UnknownNameError
from deepneuron.vision.networks import NETWORKS

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "nadam", "lion")
CLASS_WEIGHTS = ("auto", "balanced", "none")


@dataclass(frozen=True)
class Settings:
    """Every choice of a training, checked; None stands for "as the pictures ask for".

    Attributes:
        model: "auto", "linear", "mlp", "cnn", "resnet", a .keras file, or the
            "module:function" that makes one.
        epochs: passes over the training pictures, at most.
        batch_size: pictures a step.
        learning_rate: at the beginning; it falls to 0 along half a cosine.
        optimizer: one of OPTIMIZERS.
        augment: "auto", "none", or words such as "flip,rotate=10".
        class_weights: one of CLASS_WEIGHTS.
        patience: epochs without a validation accuracy as high as the best, after which
            training ends.
        validation: the share of every class that the best epoch is chosen by, where the
            data has no part for it.
        test: the share of every class for the test, where the data has no part for it.
        size: height and width that pictures are brought to.
        find_lr: whether to search for the learning rate first.
        strict: whether a picture that cannot be read is an error.
        seed: of everything random.
    """

    model: str = "auto"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    optimizer: str = "adam"
    augment: str = "auto"
    class_weights: str = "auto"
    patience: int | None = None
    validation: float = 0.1
    test: float = 0.2
    size: int | None = None
    find_lr: bool = False
    strict: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), 1)
        if self.size is not None:
            check_whole("size", self.size, 8, 1024)
        check_whole("seed", self.seed, 0, 2**32 - 1)
        _check_share("validation", self.validation)
        _check_share("test", self.test)
        _check_name("optimizer", self.optimizer, OPTIMIZERS)
        _check_name("class_weights", self.class_weights, CLASS_WEIGHTS)
        rate = self.learning_rate
        # Within what float32 holds: beyond, it would be 0 or infinite.
        if rate is not None and not (_is_number(rate) and 1e-37 <= rate <= 1e37):
            raise ArgumentError(
                "learning_rate must be a number above 0, such as 0.001; received "
                f"{rate!r}."
            )
        if self.find_lr and rate is not None:
            raise ArgumentError(
                f"learning_rate={rate} and find_lr contradict one another: leave out "
                "one of them."
            )
        for name in ("model", "augment"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ArgumentError(f"{name} is a text; received {value!r}.")
        if self.augment != "auto":
            Augmentation.parse(self.augment)
        if not self.model.endswith(".keras") and ":" not in self.model:
            known = ["auto", *NETWORKS]
            if self.model not in known:
                raise UnknownNameError("model", self.model, known)
        # Every value as plain Python, so that what is written is what was meant.
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.generic):
                object.__setattr__(self, field.name, value.item())

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The settings that `to_json` wrote.

        Raises:
            DataError: it did not write these.

        >>> Settings.from_json(Settings(epochs=3).to_json()).epochs
        3
        """
        try:
            return cls(**values)
        except (TypeError, ArgumentError) as error:
            raise DataError(f"These are no settings of a training: {error}") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, bool
    )


def _check_share(name: str, value: Any) -> None:
    if not _is_number(value) or not 0 < value < 1:
        raise ArgumentError(
            f"{name} is a share of the pictures, between 0 and 1, such as 0.1; "
            f"received {value!r}."
        )


def _check_name(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ArgumentError(f"{name} is one of {', '.join(known)}; received {value!r}.")
