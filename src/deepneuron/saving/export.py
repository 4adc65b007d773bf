"""`Model.export`: which formats there are, and where each of them is written."""

from __future__ import annotations

import inspect
from os import PathLike
from typing import Any

from deepneuron.errors import ArgumentError, UnknownNameError
from deepneuron.saving.onnx_export import export_onnx

_KERAS = ("tf_saved_model", "onnx", "openvino", "litert", "torch")


def export_model(
    model: Any,
    filepath: str | PathLike[str],
    format: str = "tf_saved_model",
    verbose: bool | None = None,
    input_signature: Any = None,
    **kwargs: Any,
) -> None:
    """What `Model.export` does; see there.

    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((4,)), dn.layers.Dense(3)])
    >>> export_model(model, "model", format="litert")
    Traceback (most recent call last):
        ...
    deepneuron.errors.ArgumentError: format="litert" is not written by deepneuron. Use
    model.export("model.onnx", format="onnx"), or save a .keras file and let Keras
    export it.
    """
    if format not in _KERAS:
        raise UnknownNameError("format", format, _KERAS)
    if format != "onnx":
        raise ArgumentError(
            f'format="{format}" is not written by deepneuron. Use '
            'model.export("model.onnx", format="onnx"), or save a .keras file and let '
            "Keras export it."
        )
    takes = inspect.signature(export_onnx).parameters
    options = [n for n, p in takes.items() if p.kind is p.KEYWORD_ONLY]
    for name in kwargs:
        if name not in options:
            raise UnknownNameError("argument of export", name, options)
    written = export_onnx(model, filepath, input_signature=input_signature, **kwargs)
    if verbose:
        print(f"Saved artifact at {str(written.path)!r}.")  # noqa: T201 - asked for
