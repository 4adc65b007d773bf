"""Data: the embedded sets, and readers of the files that data sets come in."""

from deepneuron.data.collection import Collection, Part, Skipped
from deepneuron.data.embedded import (
    DIGITS,
    EMBEDDED,
    FASHION,
    Embedded,
    get_embedded,
    load_digits,
    load_fashion,
)
from deepneuron.data.idx import read_idx, read_idx_split
from deepneuron.data.sources import open_collection
from deepneuron.data.split import Split, read_npz_split

__all__ = [
    "DIGITS",
    "EMBEDDED",
    "FASHION",
    "Collection",
    "Embedded",
    "Part",
    "Skipped",
    "Split",
    "get_embedded",
    "load_digits",
    "load_fashion",
    "open_collection",
    "read_idx",
    "read_idx_split",
    "read_npz_split",
]
