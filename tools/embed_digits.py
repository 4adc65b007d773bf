"""Make src/deepneuron/data/embedded/digits.npz from scikit-learn's copy of the digits.

    python tools/embed_digits.py

The split is made once, here: every test accuracy is about the same 360 pictures.
"""

from __future__ import annotations

import numpy as np
from embedding import stratified, write
from sklearn.datasets import load_digits

SEED = 0
TEST_SIZE = 360


def main() -> None:
    """Split the 1,797 digits into 1,437 and 360, stratified, and write them."""
    digits = load_digits()
    x = digits.images.astype(np.uint8)  # (1797, 8, 8), from 0 to 16
    y = digits.target.astype(np.uint8)  # (1797,)
    test = stratified(y, TEST_SIZE, np.random.default_rng(SEED))
    train = np.setdiff1d(np.arange(len(y)), test)
    write("digits", x_train=x[train], y_train=y[train], x_test=x[test], y_test=y[test])


if __name__ == "__main__":
    main()
