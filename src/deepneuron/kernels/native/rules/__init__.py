"""The rules of lowering, one file for each family of operations."""

from functools import cache
from importlib import import_module

from deepneuron.kernels.native.lowering import order_rules

# Of two rules for one operation, that of the later file is asked first.
_FAMILIES = (
    "pointwise",
    "placement",
    "along",
    "reduction",
    "dense",
    "convolution",
    "winograd",
    "pooling",
    "normalization",
    "softmax",
    "loss",
    "embedding",
    "optimizer",
    "random",
    "image",
)


@cache
def load() -> None:
    """Import all of them; they register themselves."""
    for family in _FAMILIES:
        import_module(f"{__name__}.{family}")
    order_rules([f"{__name__}.{family}" for family in _FAMILIES])
