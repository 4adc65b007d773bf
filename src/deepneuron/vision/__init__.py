"""Pictures in, a classifier out."""

from deepneuron.vision.job import Result, train

__all__ = ["Result", "train"]
