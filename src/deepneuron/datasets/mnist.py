"""MNIST: 60,000 + 10,000 handwritten digits, 28x28."""

from __future__ import annotations

from deepneuron.data.local import load_local
from deepneuron.data.split import Split


def load_data(path: str = "mnist.npz") -> Split:
    """MNIST from a file on this machine, as `keras.datasets.mnist` returns it.

    Nothing is downloaded. The file is searched for as given, then in the folder that
    the environment variable `DEEPNEURON_DATA` names, in `~/.keras/datasets` (where
    Keras keeps its downloads) and in `~/.deepneuron/datasets`; in each of these also
    the four IDX files in a folder `mnist` will do.

    Args:
        path: an .npz file with the arrays x_train, y_train, x_test and y_test; or a
            folder with the four IDX files. Default: "mnist.npz".

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8.
        x_train: (60000, 28, 28), y_train: (60000,), x_test: (10000, 28, 28),
        y_test: (10000,); pixels from 0 to 255, labels from 0 to 9.

    Raises:
        DataNotFoundError: the file lies nowhere; the message says what to place where.
            It is also a FileNotFoundError.
        DataError: the file is damaged or foreign.

    Source: Y. LeCun, C. Cortes, C. Burges, the MNIST database. CC BY-SA 3.0.

    Example, where the files are there:

        from deepneuron.datasets import mnist

        (x_train, y_train), (x_test, y_test) = mnist.load_data()
        x_train.shape  # (60000, 28, 28)
    """
    return load_local("MNIST", files=[path], folders=["mnist"])
