"""Make src/deepneuron/data/embedded/fashion.npz from the full Fashion-MNIST.

    python tools/embed_fashion.py DIR

DIR holds the four IDX files; Debian's package dataset-fashion-mnist puts them into
/usr/share/datasets/fashion-mnist. Training pictures are drawn from the training files
and test pictures from the test files, as many of every class.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from embedding import stratified, write

from deepneuron.data.idx import read_idx_split

TRAIN_SIZE, TEST_SIZE = 2_000, 500


def main() -> None:
    """Draw 2,000 and 500 pictures, stratified, and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="the four IDX files")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    (x_train, y_train), (x_test, y_test) = read_idx_split(options.folder)
    train = stratified(y_train, TRAIN_SIZE, rng)
    test = stratified(y_test, TEST_SIZE, rng)
    write(
        "fashion",
        x_train=x_train[train],  # (2000, 28, 28)
        y_train=y_train[train],  # (2000,)
        x_test=x_test[test],  # (500, 28, 28)
        y_test=y_test[test],  # (500,)
    )


if __name__ == "__main__":
    main()
