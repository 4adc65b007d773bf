"""choose_network: from what the user asked for to a function that makes the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deepneuron.data.decode import Shape
from deepneuron.errors import UnknownNameError
from deepneuron.vision.networks.cnn import make_cnn
from deepneuron.vision.networks.given import load_given, make_by_function
from deepneuron.vision.networks.linear import make_linear
from deepneuron.vision.networks.mlp import make_mlp
from deepneuron.vision.networks.resnet import make_resnet

NETWORKS: dict[str, Callable[[Shape, int], Any]] = {
    "linear": make_linear,
    "mlp": make_mlp,
    "cnn": make_cnn,
    "resnet": make_resnet,
}

_SMALLEST_FOR_CNN = 6  # pixels; what is smaller has nothing left after two poolings
# A resnet wants many pictures, and takes about three times as long as the cnn.
_FEWEST_FOR_RESNET = 20_000
_SMALLEST_FOR_RESNET = 32


@dataclass(frozen=True)
class Choice:
    """Which network is trained, and why.

    Attributes:
        name: "linear", "mlp", "cnn", "resnet", or what the user gave.
        build: makes the network, with fresh weights drawn as `set_random_seed` decides,
            or those in the given file.
        why: one sentence.
        trained: whether it comes with weights, so that its body is frozen at first.
    """

    name: str
    build: Callable[[], Any]
    why: str
    trained: bool = False


def choose_network(name: str, shape: Shape, classes: int, rows: int) -> Choice:
    """The network that a name means for such pictures.

    Nothing is built yet, but a file or function that the user gave is tried, so that
    what is wrong with it is said before anything else is done.

    Args:
        name: "auto", "linear", "mlp", "cnn", "resnet", the path of a .keras file, or
            "module:function".
        shape: (height, width, channels) of the pictures.
        classes: how many kinds there are.
        rows: how many pictures there are to learn from.

    Raises:
        UnknownNameError: a name that means none of these.
        ArgumentError: a given network that does not fit the pictures, or cannot be had.
        SavingError: a file that is no model.

    >>> choice = choose_network("auto", (28, 28, 1), classes=10, rows=2250)
    >>> print(choice.why)
    cnn: 2,250 grey pictures of 28x28 suit convolutions; a resnet wants larger ones.
    >>> choice.build().count_params()
    421642
    """
    if name == "auto":
        name, reason = _automatic(shape, rows)
        return _own(name, shape, classes, f"{name}: {reason}")
    if name in NETWORKS:
        return _own(name, shape, classes, f"{name}: as asked for.")
    if name.endswith(".keras"):
        given = load_given(name, shape, classes)
        return Choice(
            name,
            lambda: load_given(name, shape, classes).model,
            " ".join((f"{name}: as given, to be fine-tuned.", *given.notes)),
            trained=True,
        )
    if ":" in name:
        make_by_function(name, shape, classes)
        return Choice(
            name,
            lambda: make_by_function(name, shape, classes),
            f"{name}: made by your function.",
        )
    raise UnknownNameError(
        "model", name, ["auto", *NETWORKS, "FILE.keras", "MODULE:FUNCTION"]
    )


def _own(name: str, shape: Shape, classes: int, why: str) -> Choice:
    return Choice(name, lambda: NETWORKS[name](shape, classes), why)


def _automatic(shape: Shape, rows: int) -> tuple[str, str]:
    """The name of the network that suits the pictures, and why it does."""
    height, width, channels = shape
    side = min(height, width)
    colour = "grey" if channels == 1 else "colour"
    pictures = f"{rows:,} {colour} pictures of {width}x{height}"
    if side < _SMALLEST_FOR_CNN:
        return "mlp", f"{pictures} are too small for convolutions and pooling."
    if channels == 1 or side < _SMALLEST_FOR_RESNET:
        lacks = "larger ones" if side < _SMALLEST_FOR_RESNET else "colours"
        return "cnn", f"{pictures} suit convolutions; a resnet wants {lacks}."
    if rows < _FEWEST_FOR_RESNET:
        wanted = f"{_FEWEST_FOR_RESNET:,} or more"
        return "cnn", f"{pictures} suit convolutions; a resnet wants {wanted}."
    return "resnet", f"{pictures} are enough, and large enough, for residual blocks."
