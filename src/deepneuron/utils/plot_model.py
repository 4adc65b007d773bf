"""A model as a picture: a box for each layer, an arrow for each tensor."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from itertools import pairwise
from os import PathLike
from typing import Any

from deepneuron.errors import ArgumentError, NotBuiltError
from deepneuron.utils.summary import output_shape

_INK, _FILL, _INNER = "#27374d", "#eef4fb", "#fdf3e3"
_BOX = (2.6, 0.62)  # inches
_GAP = (0.4, 0.5)


def plot_model(
    model: Any,
    to_file: str | PathLike[str] | None = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> Any:
    """Draw a model with matplotlib.

    Args:
        model: a built model.
        to_file: where the picture goes, in any format that matplotlib writes; None for
            no file.
        show_shapes: the shape of each layer's output.
        show_dtype: its type.
        show_layer_names: the layer's name under its class.
        rankdir: "TB" from top to bottom, "LR" from left to right.
        expand_nested: whether the layers of models within are drawn, too.
        dpi: dots for each inch.
        show_layer_activations: each layer's activation.
        show_trainable: whether it learns.
        **kwargs: accepted as in Keras.

    Returns:
        The matplotlib Figure.

    Raises:
        NotBuiltError: the model has no layers, or is not built.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if rankdir not in ("TB", "LR"):
        raise ArgumentError(f'rankdir is "TB" or "LR"; received {rankdir!r}.')
    if not model.built or not model.layers:
        raise NotBuiltError(
            f"Model {model.name!r} cannot be drawn before it is built: begin it with "
            "Input(shape), or call it on data."
        )
    boxes, arrows = _graph(model, expand_nested)
    texts = {
        id(layer): _text(
            layer,
            show_layer_names,
            show_shapes,
            show_dtype,
            show_layer_activations,
            show_trainable,
        )
        for layer, _ in boxes
    }
    places = _places(boxes, arrows)
    height = _BOX[1] + 0.17 * max(text.count("\n") for text in texts.values())
    step = (_BOX[0] + _GAP[0], height + _GAP[1])
    if rankdir == "LR":
        places = {key: (y, x) for key, (x, y) in places.items()}
    xs, ys = zip(*places.values(), strict=True)
    size = (
        (max(xs) - min(xs)) * step[0] + _BOX[0] + 0.4,
        (max(ys) - min(ys)) * step[1] + height + 0.4,
    )
    figure = Figure(figsize=size, dpi=dpi)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    centres = {
        key: ((x - min(xs)) * step[0], -(y - min(ys)) * step[1])
        for key, (x, y) in places.items()
    }
    axes.set_xlim(-_BOX[0] / 2 - 0.2, size[0] - _BOX[0] / 2 - 0.2)
    axes.set_ylim(-size[1] + height / 2 + 0.2, height / 2 + 0.2)
    for layer, depth in boxes:
        _draw_box(axes, centres[id(layer)], height, texts[id(layer)], depth)
    for source, target in arrows:
        passes = (k for k in centres if isinstance(k, tuple))
        between = [k for k in passes if k[:2] == (source, target)]
        points = [centres[key] for key in (source, *between, target)]
        _draw_arrow(axes, points, height, rankdir)
    if to_file is not None:
        figure.savefig(to_file, dpi=dpi)
    return figure


def _graph(model: Any, expand: bool) -> tuple[list[Any], list[tuple[int, int]]]:
    """The layers with their depth of nesting, and the pairs that an arrow connects."""
    boxes: list[Any] = []
    arrows: list[tuple[int, int]] = []
    _, _ = _add(model, expand, 0, boxes, arrows, {})
    return boxes, list(dict.fromkeys(arrows))


def _add(
    model: Any,
    expand: bool,
    depth: int,
    boxes: list[Any],
    arrows: list[tuple[int, int]],
    drawn: dict[int, tuple[int, int]],
) -> tuple[int, int]:
    """Draw a model's layers; (first, last) are where arrows enter and leave it."""
    network = getattr(model, "_network", None)
    nodes = network.nodes if network is not None else []
    layers = list(dict.fromkeys(node.op for node in nodes)) or model.layers
    for layer in layers:
        if expand and getattr(layer, "layers", None):
            drawn[id(layer)] = _add(layer, expand, depth + 1, boxes, arrows, drawn)
        else:
            boxes.append((layer, depth))
            drawn[id(layer)] = (id(layer), id(layer))
    for node in nodes:
        sources = [x.node.op for x in node.inputs if x.node is not None]
        arrows.extend(
            (drawn[id(source)][1], drawn[id(node.op)][0])
            for source in sources
            if id(source) in drawn
        )
    if not nodes:  # a subclass: its layers are merely listed
        arrows.extend((drawn[id(a)][1], drawn[id(b)][0]) for a, b in pairwise(layers))
    return drawn[id(layers[0])][0], drawn[id(layers[-1])][1]


def _places(boxes: list[Any], arrows: list[tuple[int, int]]) -> dict[Any, Any]:
    """(column, row): one row below the lowest of those that an arrow comes from.

    An arrow (a, b) that passes a row has a place of its own there: (a, b, row).
    """
    keys = [id(layer) for layer, _ in boxes]
    order = {key: i for i, key in enumerate(keys)}
    row = dict.fromkeys(keys, 0)
    for key in keys:
        above = [row[a] for a, b in arrows if b == key and order[a] < order[key]]
        row[key] = max(above, default=-1) + 1
    lines: dict[int, list[Any]] = defaultdict(list)
    above_of: dict[Any, list[Any]] = defaultdict(list)
    for key in keys:
        lines[row[key]].append(key)
    for a, b in arrows:
        path: list[Any] = [a, *((a, b, y) for y in range(row[a] + 1, row[b])), b]
        for upper, lower in pairwise(path):
            above_of[lower].append(upper)
        for passing in path[1:-1]:
            lines[passing[2]].append(passing)
    places: dict[Any, Any] = {}
    for y, line in sorted(lines.items()):

        def wish(key: Any) -> float:  # to stand below the middle of what is above
            columns = [places[k][0] for k in above_of[key] if k in places]
            return sum(columns) / len(columns) if columns else 0.0

        for i, key in enumerate(sorted(line, key=wish)):
            places[key] = (i - (len(line) - 1) / 2, y)
    return places


def _text(
    layer: Any, name: bool, shape: bool, dtype: bool, activation: bool, learns: bool
) -> str:
    lines = [type(layer).__name__]
    if name:
        lines.append(layer.name)
    if shape:
        lines.append(f"output {output_shape(layer)}")
    if dtype:
        lines.append(f"type {getattr(layer, 'compute_dtype', layer.dtype)}")
    if activation and getattr(layer, "activation", None) is not None:
        lines.append(f"activation {getattr(layer.activation, '__name__', '?')}")
    if learns and layer.weights:
        lines.append("learns" if layer.trainable else "frozen")
    return "\n".join(textwrap.shorten(line, 40, placeholder="...") for line in lines)


def _draw_box(axes: Any, centre: Any, height: float, text: str, depth: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = centre
    corner = (x - _BOX[0] / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.08"
    fill = _INNER if depth else _FILL
    axes.add_patch(
        FancyBboxPatch(corner, _BOX[0], height, style, facecolor=fill, edgecolor=_INK)
    )
    axes.text(x, y, text, ha="center", va="center", color=_INK, fontsize=10)


def _draw_arrow(axes: Any, points: list[Any], height: float, rankdir: str) -> None:
    """From box to box, through the places between them."""
    across, down = (0.0, height / 2) if rankdir == "TB" else (-_BOX[0] / 2, 0.0)
    line = []
    for x, y in points:
        line += [(x + across, y + down), (x - across, y - down)]
    line = line[1:-1]  # out of the first box, into the last
    xs, ys = zip(*line[:-1], strict=True)
    axes.plot(xs, ys, color=_INK, linewidth=1)
    axes.annotate(
        "",
        xy=line[-1],
        xytext=line[-2],
        arrowprops={"arrowstyle": "-|>", "color": _INK, "shrinkA": 0, "shrinkB": 0},
    )
