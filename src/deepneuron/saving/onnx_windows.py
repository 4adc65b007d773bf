"""Convolution and pooling in ONNX, which puts the channels before the picture."""

from __future__ import annotations

from typing import Any

from deepneuron.errors import SavingError
from deepneuron.saving.onnx_graph import OnnxGraph
from deepneuron.saving.onnx_rules import rule
from deepneuron.saving.onnx_trace import Step, Unknown, Value

_PICTURES = (0, 3, 1, 2)  # (n, height, width, channels) as (n, channels, height, width)
_LINES = (0, 2, 1)


@rule("conv2d")
def _conv2d(g: OnnxGraph, step: Step) -> None:
    x, kernel = step.inputs
    rows, columns = kernel.dims[:2]
    line = _is_line(x, rows, step.attrs["padding"])
    how = _how(step, (rows, columns), line)
    how["group"] = step.attrs["groups"]
    # (filters, channels, rows, columns), or without the rows
    weights = _without_rows(g, kernel) if line else g.read(kernel, (3, 2, 0, 1))
    _slide(g, step, "Conv", line, [weights], how)


@rule("depthwise_conv2d")
def _depthwise_conv2d(g: OnnxGraph, step: Step) -> None:
    """A convolution in as many groups as there are channels."""
    x, kernel = step.inputs
    rows, columns, channels, _ = kernel.dims
    line = _is_line(x, rows, step.attrs["padding"])
    how = _how(step, (rows, columns), line)
    how["group"] = channels
    # (filters, 1, rows, columns), or without the rows
    filters = step.outputs[0].dims[-1]  # channels * multiplier
    if line:
        weights = g.read(g.reshaped(kernel, (columns, filters, 1)), (1, 2, 0))
    else:
        flat = g.reshaped(kernel, (rows, columns, filters, 1))
        weights = g.read(flat, (2, 3, 0, 1))
    _slide(g, step, "Conv", line, [weights], how)


@rule("max_pool2d", "average_pool2d")
def _pool(g: OnnxGraph, step: Step) -> None:
    size = step.attrs["size"]
    line = _is_line(step.inputs[0], size[0], step.attrs["padding"])
    how = _how(step, size, line)
    kind = "MaxPool" if step.op.name == "max_pool2d" else "AveragePool"
    _slide(g, step, kind, line, [], how)


def _is_line(x: Value, rows: Any, padding: Any) -> bool:
    """Whether x is (n, length, channels), with an axis put in for the height."""
    root = x.origin
    return (
        root is not None
        and root.rank == 3
        and rows == 1
        and (isinstance(padding, str) or not any(padding[0]))
        and x.dims == (root.dims[0], 1, *root.dims[1:])
    )


def _without_rows(g: OnnxGraph, kernel: Value) -> str:
    """(1, columns, channels, filters) as (filters, channels, columns)"""
    if kernel.array is None:
        return g.squeeze(g.read(kernel, (3, 2, 0, 1)), [2])
    flat = Value(kernel.dims[1:], kernel.dtype, kernel.array[0], kernel.label)
    return g.read(flat, (2, 1, 0))


def _how(step: Step, size: Any, line: bool) -> dict[str, Any]:
    """The attributes that say where the windows lie."""
    attrs = step.attrs
    strides, dilation = attrs["strides"], attrs.get("dilation", (1, 1))
    picture = step.inputs[0].dims[1:3]
    part = slice(1, 2) if line else slice(0, 2)
    how: dict[str, Any] = {
        "kernel_shape": list(size)[part],
        "strides": list(strides)[part],
    }
    if "dilation" in attrs:
        how["dilations"] = list(dilation)[part]
    padding, pads = attrs["padding"], []
    if padding == "valid":
        return how
    for axis, (n, k, s, d) in list(
        enumerate(zip(picture, size, strides, dilation, strict=True))
    )[part]:
        if padding != "same":
            pads.append(tuple(padding[axis]))
            continue
        if isinstance(n, Unknown) and s > 1:  # told when the size is known
            if max(dilation) > 1:
                raise SavingError(
                    f'{step.where} has padding="same", strides and dilation, for which '
                    "the size of its input must be known: give input_signature."
                )
            return {**how, "auto_pad": "SAME_UPPER"}
        places = n if isinstance(n, int) else n.first
        total = max((-(-places // s) - 1) * s + (k - 1) * d + 1 - places, 0)
        pads.append((total // 2, total - total // 2))
    befores, afters = (list(side) for side in zip(*pads, strict=True))
    if any(befores) or any(afters):
        how["pads"] = [*befores, *afters]
    return how


def _slide(
    g: OnnxGraph,
    step: Step,
    kind: str,
    line: bool,
    weights: list[str],
    how: dict[str, Any],
) -> None:
    x, y = step.inputs[0], step.outputs[0]
    if line and x.origin is not None:
        name = g.emit(kind, g.read(x.origin, _LINES), *weights, **how)
        flat = Value((y.dims[0], *y.dims[2:]), y.dtype)
        g.store(flat, name, _LINES)
        g.view(flat, y)
    else:
        g.store(y, g.emit(kind, g.read(x, _PICTURES), *weights, **how), _PICTURES)
