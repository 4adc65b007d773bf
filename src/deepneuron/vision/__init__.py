"""Pictures in, a classifier out."""

from deepneuron.vision.job import train
from deepneuron.vision.run import Interrupted, Run

__all__ = ["Interrupted", "Run", "train"]
