"""Whether an ONNX file computes what its model computes."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deepneuron.engine.nest import flatten, pack
from deepneuron.errors import DeepneuronError, SavingError
from deepneuron.saving.onnx_trace import Input, Trace, Unknown

# A difference may be so many times what a change of the last places of x makes.
_PATIENCE = 10
_ADVICE = 'Install it with: pip install "deepneuron-ai[onnx]"'


def need(name: str) -> Any:
    """The module, or an error that says how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SavingError(
            f"Exporting to ONNX needs the package {name!r}, which is missing. {_ADVICE}"
        ) from error


class Examples:
    """Random inputs that a model can take, the same for every run."""

    def __init__(self, known: Trace, inputs: Sequence[Input], structure: Any) -> None:
        self.known, self.inputs, self.structure = known, inputs, structure
        # What is looked up in a table must be in it.
        tables = [
            step.inputs[0].dims[step.attrs["axis"]]
            for step in known.steps
            if step.op.name == "gather"
        ]
        self.below = min([n for n in tables if isinstance(n, int)], default=2)
        self.looks_up = bool(tables)

    def __call__(self, batch: int) -> Any:
        rng = np.random.Generator(np.random.Philox(key=batch))
        # Large enough for most networks, and easily divided.
        lengths = {n: 64 + 32 * i for i, n in enumerate(self.known.sizes)}
        xs = []
        for value, told in zip(self.known.inputs, self.inputs, strict=True):
            shape = tuple(
                n if isinstance(n, int) else batch if i == 0 else lengths[n]
                for i, n in enumerate(value.dims)
            )
            if np.dtype(told.dtype).kind in "iub" or self.looks_up:
                x: Any = rng.integers(0, self.below, shape)
            else:
                x = rng.standard_normal(shape)
            xs.append(x.astype(told.dtype))
        return pack(self.structure, xs)


def compare(
    model: Any,
    data: bytes,
    known: Trace,
    inputs: Sequence[Input],
    make: Callable[[int], Any],
    tolerance: float,
) -> float:
    """The largest difference between the file's outputs and the model's.

    Raises:
        SavingError: it is above the tolerance, and above what rounding may do in this
            model.
    """
    run = session(data, model.name)
    worst = 0.0
    first = known.inputs[0].dims[0] if known.inputs[0].dims else 1
    for batch in (1, 3) if isinstance(first, Unknown) else (first,):
        given = make(batch)
        expected = _computed(model, given)
        leaves, structure = flatten(given)
        xs = [np.asarray(x, t.dtype) for x, t in zip(leaves, inputs, strict=True)]
        apart = largest_difference(run(xs), expected)
        worst = max(worst, apart)
        if apart <= tolerance:
            continue
        # Some networks magnify the rounding of their own numbers.
        shaken = pack(structure, [_shaken(x) for x in xs])
        moved = largest_difference(_computed(model, shaken), expected)
        if not apart <= _PATIENCE * moved:
            raise SavingError(
                f"Model {model.name!r}: the outputs of the ONNX file differ from the "
                f"model's by {apart:.1e} of the largest magnitude (allowed: "
                f"{tolerance:.0e}). Nothing was written; please report this with the "
                "model."
            )
    return worst


def _computed(model: Any, given: Any) -> list[Any]:
    try:
        return flatten(model(given, training=False))[0]
    except DeepneuronError as error:
        raise SavingError(
            f"Model {model.name!r} could not be checked, since it cannot compute these "
            f"inputs: {error} Pass examples, a function that makes as many inputs as "
            "it is asked for, or check=False."
        ) from error


def _shaken(x: np.ndarray) -> np.ndarray:
    """x, its floats a few units in the last place larger or smaller."""
    if x.dtype.kind != "f":
        return x
    rng = np.random.Generator(np.random.Philox(key=x.size))
    steps = rng.choice([-4, 4], x.shape) * np.finfo(x.dtype).eps
    return (x * (1 + steps)).astype(x.dtype)


def largest_difference(ys: Sequence[Any], truths: Sequence[Any]) -> float:
    """The largest `difference` of several outputs."""
    pairs = zip(ys, truths, strict=True)
    return max((difference(np.asarray(y), np.asarray(t)) for y, t in pairs), default=0)


def session(data: bytes, name: str = "model") -> Callable[[list[Any]], list[Any]]:
    """A function from a list of inputs to the list of outputs, run by onnxruntime."""
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        running = runtime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise SavingError(
            f"Model {name!r}: onnxruntime cannot run the ONNX file "
            f"({first_line(error)}); nothing was written."
        ) from error
    names = [x.name for x in running.get_inputs()]

    def run(xs: list[Any]) -> list[Any]:
        try:
            return list(running.run(None, dict(zip(names, xs, strict=True))))
        except Exception as error:
            raise SavingError(
                f"Model {name!r}: onnxruntime stopped in the ONNX file "
                f"({first_line(error)}); nothing was written."
            ) from error

    return run


def difference(y: np.ndarray, truth: np.ndarray) -> float:
    """The largest difference, as a part of the largest magnitude; inf for other shapes.

    >>> difference(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    0.2
    """
    if y.shape != truth.shape or y.dtype != truth.dtype:
        return math.inf
    a, b = y.astype("float64"), truth.astype("float64")
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return math.inf
    apart = np.abs(a[finite] - b[finite]).max(initial=0.0)
    largest = np.abs(b)[finite].max(initial=1e-30)
    return float(apart / largest)


def first_line(error: Exception) -> str:
    """The first line of a message of many, to be quoted in a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
