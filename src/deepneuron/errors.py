"""Every error that deepneuron raises on purpose, in one tree.

    DeepneuronError
    ├── ShapeError (ValueError)          shapes that do not fit one another
    ├── DTypeError (TypeError)           a type that the operation cannot take
    ├── ArgumentError (ValueError)       an argument outside of what is allowed
    │   └── UnknownNameError (KeyError)  a name that nothing is known under
    ├── CaptureError (TypeError)         Python asked a symbolic tensor for its value
    ├── GradientError (NotImplementedError)  an operation without a gradient rule
    ├── DataError (ValueError)           data that cannot be trained on, or read
    │   ├── DataNotFoundError (FileNotFoundError)  data that lies nowhere we look
    │   └── PictureError             a file that gives no picture
    ├── NotBuiltError (ValueError)       a layer or model used before it has weights
    ├── NotCompiledError (ValueError)    fit or evaluate before compile
    ├── DivergenceError (RuntimeError)   a loss that left the finite numbers
    ├── KernelsError (ImportError)       kernels that were asked for and are not there
    └── SavingError (ValueError)         a file that cannot be written or read back

Each also subclasses the built-in error that Keras raises in the same place, so that
`except ValueError` goes on working in code that comes from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DeepneuronError(Exception):
    """The root of the tree: `except DeepneuronError` catches all of ours."""


class ShapeError(DeepneuronError, ValueError):
    """Shapes that do not fit one another."""


class DTypeError(DeepneuronError, TypeError):
    """A type that the operation cannot take."""


class ArgumentError(DeepneuronError, ValueError):
    """An argument outside of what is allowed."""


class UnknownNameError(ArgumentError, KeyError):
    """A name that nothing is known under; the message offers the nearest right ones."""

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        super().__init__(kind, name, sorted(map(str, known)))

    def __str__(self) -> str:
        kind, name, known = self.args
        near = get_close_matches(str(name), known, n=3, cutoff=0.5)
        hint = " or ".join(repr(n) for n in near) if near else ", ".join(known)
        return f"Unknown {kind}: {name!r}. " + (
            f"Did you mean {hint}?" if near else f"Known are: {hint or 'none'}."
        )


class CaptureError(DeepneuronError, TypeError):
    """Python asked a symbolic tensor for its value while a graph was captured."""


class GradientError(DeepneuronError, NotImplementedError):
    """An operation that has no gradient rule stands on the path to `wrt`."""


class DataError(DeepneuronError, ValueError):
    """Data that cannot be trained on, or cannot be read."""


class DataNotFoundError(DataError, FileNotFoundError):
    """Data that lies in none of the places where it is looked for."""


class PictureError(DataError):
    """A file that gives no picture; the message is half a sentence: "it is cut off"."""


class NotBuiltError(DeepneuronError, ValueError):
    """A layer or model was used before its weights exist."""


class NotCompiledError(DeepneuronError, ValueError):
    """`fit`, `evaluate` or a train step was called before `compile`."""


class DivergenceError(DeepneuronError, RuntimeError):
    """The loss left the finite numbers."""


class KernelsError(DeepneuronError, ImportError):
    """Kernels were asked for that this installation does not have."""


class SavingError(DeepneuronError, ValueError):
    """A model file that cannot be written, or cannot be read back."""
