"""The rules of lowering, one file for each family of operations."""

from importlib import import_module

# Of two rules for one operation, that of the later file is asked first.
_FAMILIES = (
    "pointwise",
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
)


def load() -> None:
    """Import all of them; they register themselves."""
    for family in _FAMILIES:
        try:
            import_module(f"{__name__}.{family}")
        except ModuleNotFoundError:  # until all families are there
            continue
