"""The table that `model.summary()` prints."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from deepneuron.engine.nest import flatten, map_structure
from deepneuron.errors import ArgumentError
from deepneuron.showing import import_rich

_INDENT = "   "


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print the layers of a model, the shapes of their outputs, and its weights.

    Args:
        model: a model, built or not.
        line_length: the width of the table; what the terminal has, by default.
        positions: where columns end, as shares of the width.
        print_fn: called with the whole text, instead of printing it.
        expand_nested: whether the layers of models within are listed, too.
        show_trainable: whether a column says which layers learn.
        layer_range: (first, last), the names (or regular expressions) of the layers
            between which layers are listed, both included.

    Raises:
        ArgumentError: the width or the range does not fit.
    """
    import_rich()
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    straight = _is_straight(model)
    header = ["Layer (type)", "Output Shape", "Param #"]
    header += [] if straight else ["Connected to"]
    header += ["Trainable"] if show_trainable else []
    widths, width = _widths(straight, show_trainable, line_length, positions)

    table = Table(width=width, show_lines=True)
    for name, column in zip(header, widths, strict=False):
        justify = {"Param #": "right", "Trainable": "center"}.get(name, "left")
        table.add_column(name, width=column, justify=justify)  # type: ignore[arg-type]
    for layer, depth in _rows(_in_range(model.layers, layer_range), expand_nested):
        cells = [_name(layer, depth), Text(output_shape(layer), "cyan"), _count(layer)]
        cells += [] if straight else [Text(_sources(layer, model))]
        cells += [_learns(layer)] if show_trainable else []
        table.add_row(*cells)

    colours: dict[str, Any] = {}
    if print_fn is not None:
        colours = {"force_terminal": False, "color_system": None}
    # Wide enough for the table, also where there is no terminal.
    columns = max(width, shutil.get_terminal_size().columns)
    console = Console(highlight=False, width=columns, **colours)
    lines = [Text(f'Model: "{model.name}"', "bold"), table, *_totals(model)]
    if print_fn is None:
        console.print(*lines, sep="\n")
        return
    with console.capture() as captured:
        console.print(*lines, sep="\n")
    print_fn(captured.get())


def count_params(weights: Any) -> int:
    """How many numbers some weights hold."""
    return sum(math.prod(w.shape) for w in weights)


def memory_size(weights: Any) -> str:
    """How much memory some weights take, for people.

    >>> import deepneuron as dn
    >>> memory_size([dn.Variable([0.0] * 512)])
    '2.00 KB'
    """
    unique = {id(w): w for w in weights}.values()
    size: float = sum(w.array.nbytes for w in unique)
    units = ["B", "KB", "MB", "GB", "TB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.2f} {units[0]}"


# --- columns


def _name(layer: Any, depth: int) -> Any:
    from rich.text import Text

    prefix = f"{_INDENT * depth}└ " if depth else ""
    return Text.assemble(f"{prefix}{layer.name} (", (type(layer).__name__, "blue"), ")")


def output_shape(layer: Any) -> str:
    """The shape of what the layer returned last, as Keras writes it; "?" if unknown."""
    if layer._inbound_nodes:
        shapes = map_structure(
            lambda y: _Shape(y.shape), layer._inbound_nodes[-1].result
        )
    elif getattr(layer, "_build_shapes", None):
        try:
            shapes = layer.compute_output_shape(*layer._build_shapes.values())
        except Exception:  # noqa: BLE001 - a layer need not know; the rest is printed
            return "?"
    else:
        return "?"
    leaves, _ = flatten(shapes)
    return str(leaves[0] if len(leaves) == 1 else shapes)


class _Shape:
    """A shape that is one leaf, and is written as Keras writes it."""

    def __init__(self, sizes: Any) -> None:
        self.sizes = tuple(sizes)

    def __repr__(self) -> str:
        return f"({', '.join(map(str, self.sizes))})"


def _count(layer: Any) -> Any:
    from rich.text import Text

    return Text(f"{layer.count_params():,}" if layer.built else "0 (unbuilt)", "green")


def _learns(layer: Any) -> Any:
    from rich.text import Text

    if not layer.weights:
        return Text("-", "bold")
    return Text("Y", "bold green") if layer.trainable else Text("N", "bold red")


def _sources(layer: Any, model: Any) -> str:
    """The layers whose outputs it is called with: name[use][output]."""
    found = []
    for node in _uses(layer, model):
        for x in node.inputs:
            if x.node is not None:
                use = getattr(x.node.op, "_inbound_nodes", [x.node]).index(x.node)
                found.append(f"{x.node.op.name}[{use}][{x.index}]")
    return ", ".join(found) or "-"


def _uses(layer: Any, model: Any) -> list[Any]:
    nodes = set(model._network.nodes) if getattr(model, "_network", None) else set()
    return [node for node in layer._inbound_nodes if node in nodes]


def _totals(model: Any) -> list[Any]:
    from rich.text import Text

    learning, fixed = model.trainable_weights, model.non_trainable_weights
    optimizer: Any = getattr(model, "optimizer", None)
    slots = list(optimizer.variables) if getattr(optimizer, "built", False) else []
    kinds = {
        "Total": [*learning, *fixed, *slots],
        "Trainable": learning,
        "Non-trainable": fixed,
    }
    if slots:
        kinds["Optimizer"] = slots
    return [
        Text.assemble(
            (f" {kind} params: ", "bold"),
            (f"{count_params(weights):,}", "green"),
            f" ({memory_size(weights)})",
        )
        for kind, weights in kinds.items()
    ]


# --- rows and widths


def _is_straight(model: Any) -> bool:
    """Whether every layer takes the output of the one before it, and nothing else."""
    network = getattr(model, "_network", None)
    if network is None or not any(hasattr(x, "batch_shape") for x in model.layers):
        return True  # Sequential, or a subclass: its layers are merely listed
    return all(
        len(node.inputs) <= 1 and len(_uses(node.op, model)) == 1
        if hasattr(node.op, "_inbound_nodes")
        else False
        for node in network.nodes
    ) and _no_forks(network)


def _no_forks(network: Any) -> bool:
    taken = [x for node in network.nodes for x in node.inputs]
    return len(taken) == len(set(taken)) and len(network.flat_inputs) == 1


def _rows(layers: Any, expand: bool, depth: int = 0) -> list[tuple[Any, int]]:
    rows = []
    for layer in layers:
        rows.append((layer, depth))
        if expand and getattr(layer, "layers", None):
            rows.extend(_rows(layer.layers, expand, depth + 1))
    return rows


def _in_range(layers: list[Any], layer_range: Any) -> list[Any]:
    if layer_range is None:
        return layers
    pair = isinstance(layer_range, (list, tuple)) and len(layer_range) == 2
    if not pair or not all(isinstance(name, str) for name in layer_range):
        raise ArgumentError(
            f"layer_range must be two names of layers; received {layer_range!r}."
        )
    ends = [
        [i for i, layer in enumerate(layers) if re.match(name, layer.name)]
        for name in layer_range
    ]
    for name, found in zip(layer_range, ends, strict=True):
        if not found:
            raise ArgumentError(
                f"layer_range: no layer is called {name!r}. The layers are "
                f"{', '.join(layer.name for layer in layers)}."
            )
    first, last = ends
    if first[0] > last[-1]:
        first, last = last, first
    return layers[first[0] : last[-1] + 1]


def _widths(
    straight: bool, show_trainable: bool, line_length: int | None, positions: Any
) -> tuple[list[int], int]:
    shares = positions or ([0.45, 0.80, 1.0] if straight else [0.3, 0.56, 0.74, 1.0])
    length = 88 if straight else 108
    if show_trainable:
        shares, length = [*(0.9 * share for share in shares), 1.0], length + 12
    width = line_length or min(length, shutil.get_terminal_size().columns - 4)
    ends = [0, *(int(share * width) for share in shares)]
    widths = [end - start for start, end in pairwise(ends)]
    if min(widths) < 4:
        raise ArgumentError(
            f"A table of {width} characters is too narrow for {len(widths)} columns; "
            "pass a larger line_length, or other positions."
        )
    return widths, width
