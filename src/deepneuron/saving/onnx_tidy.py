"""A graph as a reader wants it: nothing unused, biases inside, enlargements in one."""

from __future__ import annotations

from collections import Counter

import numpy as np

from deepneuron.saving.onnx_graph import OnnxGraph, OnnxNode

_WITH_BIAS = {"Conv": 1, "Gemm": -1}  # the axis of the channels in what they make


def tidy(g: OnnxGraph, outputs: list[str]) -> None:
    """Simplify the graph; it computes the same. `outputs` may get other names."""
    drop_unused(g, outputs)  # so that every reader counts
    fuse_biases(g, outputs)
    join_enlargements(g, outputs)
    drop_unused(g, outputs)


def fuse_biases(g: OnnxGraph, outputs: list[str]) -> None:
    """Conv (or Gemm), then Add of a weight for each channel: Conv with a bias."""
    readers = _readers(g, outputs)
    made = {node.outputs[0]: node for node in g.nodes}
    vectors: dict[tuple[str, int], str] = {}  # a shared layer's bias is written once
    for add in [node for node in g.nodes if node.kind == "Add"]:
        for x, bias in (add.inputs, add.inputs[::-1]):
            maker = made.get(x)
            if (
                maker is None
                or maker.kind not in _WITH_BIAS
                or len(maker.inputs) > 2
                or bias not in g.weights
                or readers[x] > 1
            ):
                continue
            vector = _per_channel(g, maker, g.weights[bias])
            if vector is None:
                continue
            key = bias, len(vector)
            if vector.shape == g.weights[bias].shape:
                vectors[key] = bias
            elif key not in vectors:
                alone = readers[bias] == 1
                vectors[key] = bias if alone else g.unique(bias)
                g.weights[vectors[key]] = vector
            maker.inputs.append(vectors[key])
            g.nodes.remove(add)
            made[add.outputs[0]] = maker
            _replace(g, outputs, add.outputs[0], x)
            readers[x] = readers[add.outputs[0]]
            break


def _per_channel(g: OnnxGraph, maker: OnnxNode, bias: np.ndarray) -> np.ndarray | None:
    """bias as (channels,), if that is all that it is."""
    dims = g.dims[maker.outputs[0]]
    rank, channels = len(dims), dims[_WITH_BIAS[maker.kind]]
    if bias.ndim > rank or not isinstance(channels, int):
        return None
    wide = bias.reshape((1,) * (rank - bias.ndim) + bias.shape)
    if wide.size not in (1, wide.shape[_WITH_BIAS[maker.kind]]):
        return None
    if wide.size not in (1, channels):
        return None
    return np.ascontiguousarray(np.broadcast_to(wide.ravel(), (channels,)))


def join_enlargements(g: OnnxGraph, outputs: list[str]) -> None:
    """Taller, then wider: one Resize for both."""
    readers = _readers(g, outputs)
    made = {node.outputs[0]: node for node in g.nodes}
    for node in [n for n in g.nodes if n.kind == "Resize"]:
        before = made.get(node.inputs[0])
        if before is None or before.kind != "Resize":
            continue
        if readers[before.outputs[0]] > 1:
            continue
        scales = g.weights[before.inputs[2]] * g.weights[node.inputs[2]]
        label = f"row/{'_'.join(map(str, scales.astype(int)))}/float32"
        name = g.weight(scales, label)
        g.weights[name] = scales  # it may have been dropped before
        node.inputs = [before.inputs[0], "", name]


def drop_unused(g: OnnxGraph, outputs: list[str]) -> None:
    """Without nodes and weights that nobody reads."""
    wanted, kept = set(outputs), []
    for node in reversed(g.nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    g.nodes[:] = kept[::-1]
    for name in [name for name in g.weights if name not in wanted]:
        del g.weights[name]


def _replace(g: OnnxGraph, outputs: list[str], old: str, new: str) -> None:
    """Whoever reads `old` reads `new` from now on."""
    for node in g.nodes:
        node.inputs = [new if x == old else x for x in node.inputs]
    outputs[:] = [new if y == old else y for y in outputs]


def _readers(g: OnnxGraph, outputs: list[str]) -> Counter[str]:
    return Counter([*(x for node in g.nodes for x in node.inputs), *outputs])
