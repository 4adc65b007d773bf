"""The version, once: packaging and `deepneuron.__version__` both read it here."""

__version__ = "0.1.0"
