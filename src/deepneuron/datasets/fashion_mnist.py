"""Fashion-MNIST: 60,000 + 10,000 articles of clothing in ten kinds, 28x28."""

from __future__ import annotations

import sys
from pathlib import Path

from deepneuron.data.local import load_local
from deepneuron.data.split import Split

# Where `apt install dataset-fashion-mnist` puts the four files.
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def load_data() -> Split:
    """Fashion-MNIST from this machine, as `keras.datasets.fashion_mnist` returns it.

    Nothing is downloaded. The four IDX files are searched for in a folder
    `fashion-mnist`, or all in one as `fashion-mnist.npz`, within the folder that the
    environment variable `DEEPNEURON_DATA` names, in `~/.keras/datasets` (where Keras
    keeps its downloads) and in `~/.deepneuron/datasets`; on Linux also where Debian's
    package `dataset-fashion-mnist` puts them.

    The labels: 0 T-shirt/top, 1 Trouser, 2 Pullover, 3 Dress, 4 Coat, 5 Sandal,
    6 Shirt, 7 Sneaker, 8 Bag, 9 Ankle boot.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8.
        x_train: (60000, 28, 28), y_train: (60000,), x_test: (10000, 28, 28),
        y_test: (10000,); pixels from 0 to 255.

    Raises:
        DataNotFoundError: the files lie nowhere; the message says what to place where.
            It is also a FileNotFoundError.
        DataError: a file is damaged or foreign.

    Source: H. Xiao, K. Rasul, R. Vollgraf (2017), arXiv:1708.07747. MIT.

    Example, where the files are there:

        from deepneuron.datasets import fashion_mnist

        (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
        x_train.shape  # (60000, 28, 28)
    """
    linux = sys.platform.startswith("linux")
    return load_local(
        "Fashion-MNIST",
        files=["fashion-mnist.npz", "fashion_mnist.npz"],
        folders=["fashion-mnist"],
        system=[_DEBIAN] if linux else [],
        advice=" On Debian and Ubuntu: sudo apt install dataset-fashion-mnist."
        if linux
        else "",
    )
