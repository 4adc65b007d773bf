"""A model as an ONNX file, which runs where there is neither deepneuron nor Keras.

    deepneuron model -> captured graph of its inference -> one ONNX node (or a few) for
    each operation -> file

It goes through operations, not layers: a layer of your own is exported like ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deepneuron._version import __version__
from deepneuron.errors import ArgumentError, SavingError
from deepneuron.layers.layer import Layer
from deepneuron.saving import (
    onnx_elementwise,
    onnx_reductions,
    onnx_shapes,
    onnx_windows,
)
from deepneuron.saving.atomic import atomic_write
from deepneuron.saving.onnx_check import Examples, compare, first_line, need
from deepneuron.saving.onnx_graph import OnnxGraph
from deepneuron.saving.onnx_rules import RULES, SIZED
from deepneuron.saving.onnx_tidy import tidy
from deepneuron.saving.onnx_trace import (
    Input,
    Step,
    Trace,
    Value,
    inputs_of,
    trace,
)

OPSET = 17  # that of ONNX 1.12 (2022): whatever runs ONNX today knows it
_OPSETS = range(17, 23)
_RULE_FILES = (onnx_elementwise, onnx_reductions, onnx_shapes, onnx_windows)
_MOST = 2**31 - 2**20  # bytes that a file of this format can have, and a little room


Edge = tuple[tuple[int | str | None, ...], str]


class Exported(NamedTuple):
    """What was written.

    Attributes:
        path: the file.
        size: its bytes.
        nodes: the number of its nodes.
        opset: the version of ONNX's operators.
        inputs, outputs: {name: (sizes, type)}; a size that is open has a name, or None.
        difference: the largest difference between its outputs and the model's, as a
            part of the largest magnitude; None where it was not checked.
    """

    path: Path
    size: int
    nodes: int
    opset: int
    inputs: dict[str, Edge]
    outputs: dict[str, Edge]
    difference: float | None


def export_onnx(
    model: Any,
    filepath: str | PathLike[str],
    *,
    input_signature: Any = None,
    opset_version: int | None = None,
    class_names: Sequence[str] | None = None,
    metadata: Mapping[str, str] | None = None,
    check: bool = True,
    tolerance: float | None = None,
    examples: Callable[[int], Any] | None = None,
) -> Exported:
    """Write a model's inference into an ONNX file that gives the same outputs.

    The batch may have any size, and so may whatever is None in the shape of an input.
    Inputs have the types that the model has: pictures are float32 from 0 to 255 where
    the model begins with a Rescaling, as in `model.predict`. Weights are called by
    their paths, nodes by the layers around them.

    The file appears whole or not at all, and only if onnxruntime computes from it what
    the model computes.

    Args:
        model: a built model.
        filepath: usually ends in `.onnx`.
        input_signature: InputSpecs (or tensors, or arrays) whose shapes and types the
            inputs have instead of the model's own.
        opset_version: of ONNX's operators, 17 (the default) to 22.
        class_names: of the outputs; kept in the file as JSON, under "class_names".
        metadata: more {name: text} to keep in it.
        check: whether to compare outputs for random inputs, batches of 1 and 3.
        tolerance: by how much they may differ, as a part of the largest magnitude;
            1e-5 by default, and 1e-2 where the model computes in float16.
        examples: `batch size -> input of the model`, to compare for these instead.

    Returns:
        The path, size and number of nodes of what was written, and the difference.

    Raises:
        SavingError: an operation has no counterpart in ONNX, the outputs differ, or the
            file cannot be written. Nothing is changed then.
        NotBuiltError: the shapes of the inputs are not known yet.

    >>> import tempfile
    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((4,)), dn.layers.Dense(3, "softmax")])
    >>> exported = export_onnx(model, Path(tempfile.mkdtemp()) / "model.onnx")
    >>> exported.nodes, exported.difference < 1e-5
    (2, True)
    """
    opset = OPSET if opset_version is None else opset_version
    if opset not in _OPSETS:
        raise ArgumentError(
            f"opset_version is a number from {_OPSETS[0]} to {_OPSETS[-1]}; received "
            f"{opset_version!r}."
        )
    if not isinstance(model, Layer):
        raise SavingError(
            f"export_onnx takes a model; it received a {type(model).__name__}."
        )
    need("onnx")
    if check:
        need("onnxruntime")
    inputs, structure = inputs_of(model, input_signature)
    known = trace(model, inputs, structure)
    g, names = translate(known, inputs, opset, _output_names(model))
    told = dict(metadata or {})
    if class_names is not None:
        told["class_names"] = json.dumps(list(class_names), ensure_ascii=False)
    data = _to_bytes(model, known, inputs, g, names, told)
    difference = None
    if check:
        make = examples or Examples(known, inputs, structure)
        allowed = _rounding(known) if tolerance is None else tolerance
        difference = compare(model, data, known, inputs, make, allowed)
    with atomic_write(filepath) as file:
        file.write(data)
    return Exported(
        Path(filepath),
        len(data),
        len(g.nodes),
        opset,
        _edges(known, [x.name for x in inputs], known.inputs),
        _edges(known, names, known.outputs),
        difference,
    )


def _rounding(known: Trace) -> float:
    """How far apart two ways to compute the same may be."""
    half = any(y.dtype == "float16" for step in known.steps for y in step.outputs)
    return 1e-2 if half else 1e-5


def _edges(
    known: Trace, names: Sequence[str], values: Sequence[Value]
) -> dict[str, Edge]:
    def sizes(value: Value) -> tuple[int | str | None, ...]:
        return tuple(
            n if isinstance(n, int) else known.sizes.get(n) for n in value.dims
        )

    return {n: (sizes(v), v.dtype) for n, v in zip(names, values, strict=True)}


def _output_names(model: Any) -> list[str]:
    return getattr(model, "output_names", None) or []


# --- from steps to nodes


def translate(
    known: Trace, inputs: Sequence[Input], opset: int, names: Sequence[str] = ()
) -> tuple[OnnxGraph, list[str]]:
    """The graph of a model's steps, and the names of its outputs.

    Args:
        known: what the model does.
        inputs: what they are called.
        opset: the version of the operators.
        names: wishes for those of the outputs.

    Raises:
        SavingError: an operation has no counterpart in ONNX.
    """
    for value, told in zip(known.inputs, inputs, strict=True):
        value.label = told.name
    g = OnnxGraph(known.inputs, opset)
    for step in known.steps:
        g.path = step.path
        if not _fold(step):
            _rule_for(step)(g, step)
    g.path = ""
    return g, _name_outputs(g, known, names)


def _fold(step: Step) -> bool:
    """Compute what depends on weights alone here, once."""
    arrays = [x.array for x in step.inputs]
    if any(a is None for a in arrays) or step.attrs != step.attrs_again:
        return False
    results = step.op.evaluate(arrays, step.attrs)
    results = results if isinstance(results, tuple) else (results,)
    for y, array in zip(step.outputs, results, strict=True):
        y.array = np.asarray(array)
        kept = step.op.name in ("reshape", "transpose", "cast", "identity_value")
        label = f"{step.path or 'model'}/{step.op.name}"
        y.label = step.inputs[0].label if kept else label
    return True


def _rule_for(step: Step) -> Any:
    name = step.op.name
    if name not in RULES:
        raise SavingError(
            f"The operation {step.where} has no counterpart in ONNX. Write the layer "
            "with other operations, or keep the model as a .keras file."
        )
    if step.attrs != step.attrs_again and name not in SIZED:
        raise SavingError(
            f"The operation {step.where} is told numbers that depend on the size of "
            "the input, which ONNX cannot say. Fix the sizes with input_signature, "
            "all but the batch."
        )
    return RULES[name]


def _name_outputs(g: OnnxGraph, known: Trace, wishes: Sequence[str]) -> list[str]:
    """Have the outputs stand in the file in the model's order of axes, and named."""
    ends = [g.read(y) for y in known.outputs]
    tidy(g, ends)
    made = {name: node for node in g.nodes for name in node.outputs}
    names: list[str] = []
    renamed: dict[str, str] = {}
    for i, end in enumerate(ends):
        wish = wishes[i] if len(wishes) == len(ends) else f"output_{i}"
        name = g.unique(wish)
        if end in made and end not in renamed:
            renamed[end] = name
        else:  # an input, a weight, or one value twice
            g.emit("Identity", renamed.get(end, end))
            g.nodes[-1].outputs = [name]
        names.append(name)
    for node in g.nodes:
        node.inputs = [renamed.get(x, x) for x in node.inputs]
        node.outputs = [renamed.get(y, y) for y in node.outputs]
    return names


# --- from nodes to bytes


def _to_bytes(
    model: Any,
    known: Trace,
    inputs: Sequence[Input],
    g: OnnxGraph,
    names: Sequence[str],
    told: Mapping[str, str],
) -> bytes:
    onnx = need("onnx")
    helper = onnx.helper
    size = sum(array.nbytes for array in g.weights.values())
    if size > _MOST:
        raise SavingError(
            f"Model {model.name!r} has {size / 2**30:.1f} GiB of weights; one ONNX "
            "file holds at most 2."
        )

    def kind(dtype: str) -> int:
        return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def edges(names: Sequence[str], values: Sequence[Value]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, kind(dtype), shape)
            for name, (shape, dtype) in _edges(known, names, values).items()
        ]

    nodes = [
        helper.make_node(
            node.kind,
            node.inputs,
            node.outputs,
            name=node.name,
            **{
                key: kind(value) if key == "to" else value
                for key, value in node.attrs.items()
            },
        )
        for node in g.nodes
    ]
    graph = helper.make_graph(
        nodes,
        model.name,
        edges([x.name for x in inputs], known.inputs),
        edges(names, known.outputs),
        [onnx.numpy_helper.from_array(a, name) for name, a in g.weights.items()],
    )
    opsets = [helper.make_opsetid("", g.opset)]
    proto = helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="deepneuron",
        producer_version=__version__,
    )
    helper.set_model_props(proto, {"model": model.name, **told})
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise SavingError(
            f"Model {model.name!r} did not become a valid ONNX graph "
            f"({first_line(error)}); nothing was written."
        ) from error
    return bytes(proto.SerializeToString())
