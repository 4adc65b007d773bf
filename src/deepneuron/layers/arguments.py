"""What the arguments of layers mean in Keras, and what is said of wrong ones."""

from __future__ import annotations

from typing import Any

from deepneuron.engine.config import image_data_format
from deepneuron.errors import ArgumentError, ShapeError

_FORMATS = ("channels_last", "channels_first")


def data_format_of(value: str | None) -> str:
    """The order of the axes; None is that of `deepneuron.config`.

    >>> data_format_of(None)
    'channels_last'
    """
    value = image_data_format() if value is None else str(value).lower()
    if value not in _FORMATS:
        raise ArgumentError(
            f'data_format is "channels_last" or "channels_first"; received {value!r}.'
        )
    return value


def padding_of(value: str, *also: str) -> str:
    """A padding that the layer knows ("valid", "same" or `also`), in lower case."""
    known = ("valid", "same", *also)
    if not isinstance(value, str) or value.lower() not in known:
        names = " or ".join(f'"{name}"' for name in known)
        raise ArgumentError(f"padding is {names}; received {value!r}.")
    return value.lower()


def sizes_of(value: Any, n: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One integer for each of n axes, from n integers or from one for all.

    >>> sizes_of(3, 2, "kernel_size")
    (3, 3)
    """
    try:
        sizes = (value,) * n if isinstance(value, int) else tuple(value)
        whole = all(int(size) == size for size in sizes)
    except (TypeError, ValueError):
        whole, sizes = False, ()
    if not whole or len(sizes) != n or any(size < least for size in sizes):
        raise ArgumentError(
            f"{name} is an integer of at least {least}, or {n} of them; received "
            f"{value!r}."
        )
    return tuple(int(size) for size in sizes)


def margins_of(value: Any, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """((top, bottom), (left, right)) from that, from (height, width), or one number.

    >>> margins_of((1, (0, 2)), "padding")
    ((1, 1), (0, 2))
    """
    parts = (value, value) if isinstance(value, int) else value
    if not hasattr(parts, "__len__") or len(parts) != 2:
        raise ArgumentError(
            f"{name} is an integer, (height, width) or ((top, bottom), (left, right)); "
            f"received {value!r}."
        )
    height, width = (sizes_of(part, 2, name, least=0) for part in parts)
    return height, width


def positive(value: Any, name: str) -> int:
    """A whole number above 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ArgumentError(f"{name} is a positive integer; received {value!r}.")
    return value


def known_size(layer: str, shape: Any, axis: int) -> int:
    """The size of an axis that weights are made for.

    Raises:
        ShapeError: the input has no such axis, or its size is not known.
    """
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(
            f"{layer}: an input of shape {tuple(shape)} has no axis {axis}."
        )
    size = shape[axis]
    if size is None:
        raise ShapeError(
            f"{layer} needs to know the size of axis {axis} to make its weights, but "
            f"received the shape {tuple(shape)}. Give Input(shape=...) that size."
        )
    return int(size)


def refuse(layer: str, **given: Any) -> None:
    """Raise an ArgumentError if any of these Keras arguments asks for something."""
    for name, value in given.items():
        if value:
            raise ArgumentError(
                f"{layer} accepts {name} for Keras's sake, but cannot do what it asks "
                f"for; received {name}={value!r}. Leave it at its default."
            )


def spatial_axes(data_format: str, rank: int) -> tuple[int, ...]:
    """The axes of height and width (or length), between the batch and the channels.

    >>> spatial_axes("channels_last", 2), spatial_axes("channels_first", 2)
    ((1, 2), (2, 3))
    """
    first = 1 if data_format == "channels_last" else 2
    return tuple(range(first, first + rank))


def check_window(
    layer: str,
    what: str,
    shape: tuple[int | None, ...],
    window: tuple[int, ...],
    data_format: str,
) -> None:
    """Raise a ShapeError if a window that must lie inside of the input is larger.

    Args:
        layer: how the message calls the layer.
        what: the argument that the window comes from, such as "kernel_size".
        shape: of the input.
        window: its extent on every spatial axis, dilation included.
        data_format: where those axes are.
    """
    axes = spatial_axes(data_format, len(window))
    sizes = tuple(shape[axis] for axis in axes)
    if any(n is not None and n < k for n, k in zip(sizes, window, strict=True)):
        raise ShapeError(
            f"{layer}: {what} covers {window}, which is larger than the input: {sizes} "
            f'of shape {tuple(shape)}. Use a smaller {what}, padding="same", or fewer '
            "pooling layers and strides before it."
        )
