"""Two data sets that come with the package, so that a first network needs no download.

    digits    1,437 + 360 handwritten digits, 8x8, from 0 to 16 (UCI, CC BY 4.0)
    fashion   2,000 + 500 articles of clothing, 28x28, from 0 to 255 (Zalando, MIT)

Both are split once and for all, stratified, so that test accuracies can be compared.
Their notices lie beside them, in `embedded/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deepneuron.data.split import Split, read_npz_split
from deepneuron.errors import UnknownNameError

_FOLDER = Path(__file__).parent / "embedded"


@dataclass(frozen=True)
class Embedded:
    """What one needs to know of an embedded data set besides its arrays.

    Attributes:
        name: "digits" or "fashion".
        class_names: the name of label 0, of label 1, and so on.
        peak: the value of a full pixel; x / peak lies between 0 and 1.
    """

    name: str
    class_names: tuple[str, ...]
    peak: int

    def load(self) -> Split:
        """`(x_train, y_train), (x_test, y_test)`, all uint8, new arrays each time."""
        (x_train, y_train), (x_test, y_test) = _read(self.name)
        return (x_train.copy(), y_train.copy()), (x_test.copy(), y_test.copy())


DIGITS = Embedded("digits", tuple("0123456789"), peak=16)
FASHION = Embedded(
    "fashion",
    (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    peak=255,
)
EMBEDDED = {dataset.name: dataset for dataset in (DIGITS, FASHION)}


def get_embedded(name: str) -> Embedded:
    """The embedded data set of that name.

    Raises:
        UnknownNameError: there is none; the message names those that there are.

    >>> get_embedded("fashion").class_names[9]
    'Ankle boot'
    """
    if name not in EMBEDDED:
        raise UnknownNameError("data set", name, EMBEDDED)
    return EMBEDDED[name]


def load_digits() -> Split:
    """Handwritten digits of 13 people, 8x8 pixels from 0 (paper) to 16 (ink).

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8.
        x_train: (1437, 8, 8), x_test: (360, 8, 8), y: the digit, 0 to 9.

    Source: E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits,
    UCI Machine Learning Repository, doi:10.24432/C50P49. CC BY 4.0.

    >>> (x_train, y_train), (x_test, y_test) = load_digits()
    >>> x_train.shape, x_test.shape, DIGITS.peak
    ((1437, 8, 8), (360, 8, 8), 16)
    """
    return DIGITS.load()


def load_fashion() -> Split:
    """A subset of Fashion-MNIST: 250 articles of each of ten kinds, 28x28 pixels.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8, pixels from 0 to 255.
        x_train: (2000, 28, 28), x_test: (500, 28, 28), y: 0 to 9, in the order of
        `FASHION.class_names`.

    Source: H. Xiao, K. Rasul, R. Vollgraf (2017), Fashion-MNIST: a Novel Image Dataset
    for Benchmarking Machine Learning Algorithms, arXiv:1708.07747. MIT.

    >>> (x_train, y_train), (x_test, y_test) = load_fashion()
    >>> x_train.shape, FASHION.class_names[y_train[0]]
    ((2000, 28, 28), 'Trouser')
    """
    return FASHION.load()


@cache
def _read(name: str) -> Split:
    return read_npz_split(_FOLDER / f"{name}.npz")
