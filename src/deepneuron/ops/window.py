"""Windows that slide over pictures: what convolution and pooling have in common.

Four pairs describe a window, rows before columns:

    size      rows and columns of the window
    strides   how far it moves from one output to the next
    dilation  how far its own rows and columns lie apart
    padding   zeros around the picture, ((top, bottom), (left, right))
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from deepneuron.engine.config import image_data_format
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.ops.shape import expand_dims, squeeze, transpose

# Of pictures that are worked on at once: few, so that they stay in the cache, but not
# so few that threads mostly hand on Python's lock, as each call of NumPy makes them do.
CHUNK_BYTES = 1 << 22
_WORTH_BYTES = 1 << 21  # ... where otherwise there would be fewer chunks than threads


class Windows(NamedTuple):
    """All windows over pictures of one size.

    Attributes:
        size, strides, dilation, padding: see the head of this file.
        picture: rows and columns of the picture.
        places: how many windows there are, downwards and across.
    """

    size: tuple[int, int]
    strides: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    picture: tuple[int, int]
    places: tuple[int, int]

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns of the picture with its padding."""
        (top, bottom), (left, right) = self.padding
        return self.picture[0] + top + bottom, self.picture[1] + left + right

    @property
    def pads(self) -> bool:
        return self.padded != self.picture

    @property
    def tile(self) -> bool:
        """Whether every pixel of the picture lies in exactly one window."""
        sizes = zip(self.size, self.strides, self.picture, strict=True)
        return not self.pads and all(k == s and n % k == 0 for k, s, n in sizes)

    def over(self, x: Any) -> Any:
        """A view (n, down, across, *size, channels) of padded pictures x."""
        n, _, _, channels = x.shape
        sn, sh, sw, sc = x.strides
        (a, b), (c, d) = self.strides, self.dilation
        return np.lib.stride_tricks.as_strided(
            x,
            (n, *self.places, *self.size, channels),
            (sn, sh * a, sw * b, sh * c, sw * d, sc),
        )

    def at(self, i: int, j: int) -> tuple[slice, slice, slice]:
        """x[at(i, j)]: of every window the value in its row i and column j."""
        return (
            slice(None),
            *(
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, d, n, s in zip(
                    (i, j), self.dilation, self.places, self.strides, strict=True
                )
            ),
        )

    def inside(self) -> tuple[slice, slice, slice]:
        """padded[inside()]: the picture without its padding."""
        (top, _), (left, _) = self.padding
        height, width = self.picture
        return slice(None), slice(top, top + height), slice(left, left + width)

    def framed(self, x: Any) -> Any:
        """Scratch memory with the pictures x, and zeros around them."""
        padded = scratch((len(x), *self.padded, x.shape[-1]), x.dtype)
        (top, _), (left, _) = self.padding
        height, width = self.picture
        padded[:, :top] = padded[:, top + height :] = 0
        padded[:, :, :left] = padded[:, :, left + width :] = 0
        padded[self.inside()] = x
        return padded


def windows(
    name: str,
    picture: Any,
    size: Any,
    strides: Any,
    padding: Any = "valid",
    dilation: Any = (1, 1),
) -> Windows:
    """The windows over a picture.

    Args:
        name: of the operation, for the error.
        picture: (rows, columns).
        padding: "valid" (none), "same" (as many outputs as fit in strides, half of the
            padding on either side, the odd one behind), or the numbers themselves.

    Raises:
        ShapeError: the picture is smaller than a window.
    """
    pads, places = [], []
    for axis, (n, k, s, d) in enumerate(
        zip(picture, size, strides, dilation, strict=True)
    ):
        reach = (k - 1) * d + 1
        if padding == "same":
            total = max((-(-n // s) - 1) * s + reach - n, 0)
            pad = (total // 2, total - total // 2)
        else:
            pad = (0, 0) if padding == "valid" else tuple(padding[axis])
        count = (n + sum(pad) - reach) // s + 1
        if count < 1:
            raise ShapeError(
                f"{name}: a window that reaches over {reach} positions does not fit "
                f"a picture with {n} (axis {axis + 1} of {tuple(picture)}, "
                f'padding {pad}); use a smaller window, or padding="same".'
            )
        pads.append(pad)
        places.append(count)
    return Windows(*map(tuple, (size, strides, dilation, pads, picture, places)))


def chunk_of(n: int, bytes_each: int) -> int:
    """How many pictures to work on at once."""
    fits, worth = (size // max(bytes_each, 1) for size in (CHUNK_BYTES, _WORTH_BYTES))
    return max(1, min(n, fits, max(worth, -(-n // _MOST_RUNS))))


def chunks_of(n: int, step: int) -> list[slice]:
    """Slices of so many pictures each."""
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


_MOST_RUNS = 8  # into which a sum over all pictures is divided
_SUM_BYTES = 1 << 24  # of memory for their results


def runs_of(chunks: list[slice], nbytes: int) -> list[list[slice]]:
    """The chunks as a few runs; each makes a sum of so many bytes, on one thread.

    >>> runs_of([slice(0, 2), slice(2, 4)], 40)
    [[slice(0, 2, None)], [slice(2, 4, None)]]
    """
    count = max(1, min(len(chunks), _MOST_RUNS, _SUM_BYTES // max(nbytes, 1)))
    cuts = [k * len(chunks) // count for k in range(count + 1)]
    return [chunks[a:b] for a, b in itertools.pairwise(cuts)]


# --- the arguments of the public functions


def pair(value: Any, rank: int, name: str) -> tuple[int, int]:
    """One number for all axes, or one for each; a single axis lies across."""
    values = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(values) != rank or any(v < 1 for v in values):
        raise ArgumentError(
            f"{name} is a positive whole number, or {rank} of them, one for each "
            f"spatial axis; received {value!r}."
        )
    return (1, values[0]) if rank == 1 else values  # type: ignore[return-value]


def rank_of(name: str, shape: Any) -> int:
    """1 or 2 spatial axes between the batch and the channels."""
    rank = len(shape) - 2
    if rank not in (1, 2):
        raise ShapeError(
            f"{name} takes (batch, length, channels) or (batch, height, width, "
            f"channels); received shape {tuple(shape)}."
        )
    return rank


def check_padding(name: str, padding: Any) -> str:
    """The padding in lower case: "valid" or "same"."""
    lower = str(padding).lower()
    if lower not in ("valid", "same"):
        raise ArgumentError(
            f'{name}: padding is "valid" or "same"; received {padding!r}.'
        )
    return lower


def to_pictures(x: Any, data_format: str | None) -> Any:
    """x as (batch, height, width, channels); one spatial axis becomes the width."""
    if channels_first(data_format):
        x = transpose(x, axes=(0, *range(2, len(x.shape)), 1))
    return expand_dims(x, 1) if len(x.shape) == 3 else x


def from_pictures(y: Any, rank: int, data_format: str | None) -> Any:
    """The way back from `to_pictures`."""
    y = squeeze(y, 1) if rank == 1 else y
    if channels_first(data_format):
        y = transpose(y, axes=(0, rank + 1, *range(1, rank + 1)))
    return y


def channels_first(data_format: str | None) -> bool:
    """Whether the channels stand behind the batch."""
    data_format = data_format or image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise ArgumentError(
            'data_format is "channels_last" or "channels_first"; received '
            f"{data_format!r}."
        )
    return data_format == "channels_first"
