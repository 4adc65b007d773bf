"""Keras's data sets by Keras's names, read from files that lie on this machine."""

from deepneuron.datasets import fashion_mnist, mnist

__all__ = ["fashion_mnist", "mnist"]
