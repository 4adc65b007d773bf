"""Pooling: one value for every window of a picture, channel by channel.

    x: (n, height, width, channels)    y: (n, places down, places across, channels)

A window has few positions, a batch many windows. So each operation goes through the
positions and handles that one of all windows at once, for a few pictures at a time so
that they stay in the cache. Positions that lie in the padding are left out: where y is
cut out by `here`, x is by `there`.
"""

from __future__ import annotations

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.engine.workspace import scratch
from deepneuron.ops.types import cast, convert_to_tensor
from deepneuron.ops.window import (
    check_padding,
    chunk_of,
    from_pictures,
    pair,
    rank_of,
    to_pictures,
    windows,
)


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """y[n, i, j, c] = max over a, b of x[n, s i + a, s j + b, c]

    Args:
        inputs: (batch, height, width, channels) or (batch, length, channels); with
            "channels_first" the channels stand behind the batch.
        pool_size: how far a and b go; a number, or one for each axis.
        strides: s, how far the window moves; its own size by default.
        padding: "valid", or "same" for windows that reach over the border, where they
            see nothing.
        data_format: "channels_last" or "channels_first"; as in the config by default.

    Returns:
        (batch, places down, places across, channels), or in the order of data_format.
        Of several equal maxima the first gets the gradient.

    Raises:
        ShapeError: the window is larger than the picture.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.max_pool(np.array([[[1.0], [3.0], [2.0], [0.0]]]), 2).ravel()
    array([3., 2.])
    """
    x = convert_to_tensor(inputs)
    return _pool("max_pool", x, pool_size, strides, padding, data_format)[0]


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """y[n, i, j, c] = mean over a, b of x[n, s i + a, s j + b, c]

    Args:
        inputs: (batch, height, width, channels) or (batch, length, channels); with
            "channels_first" the channels stand behind the batch.
        pool_size: how far a and b go; a number, or one for each axis.
        strides: s, how far the window moves; its own size by default.
        padding: "valid", or "same" for windows that reach over the border; what lies
            beyond it does not count.
        data_format: "channels_last" or "channels_first"; as in the config by default.

    Returns:
        (batch, places down, places across, channels), or in the order of data_format.

    Raises:
        ShapeError: the window is larger than the picture.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.average_pool(np.array([[[1.0], [3.0], [2.0], [0.0]]]), 2).ravel()
    array([2., 1.])
    """
    x = convert_to_tensor(inputs)
    if not is_float(x.dtype):
        x = cast(x, result_type(x.dtype, float))
    return _pool("average_pool", x, pool_size, strides, padding, data_format)


def _pool(name, x, pool_size, strides, padding, data_format):
    rank = rank_of(name, x.shape)
    size = pair(pool_size, rank, f"{name}: pool_size")
    result = {"max_pool": max_pool2d, "average_pool": average_pool2d}[name](
        to_pictures(x, data_format),
        size=size,
        strides=size if strides is None else pair(strides, rank, f"{name}: strides"),
        padding=check_padding(name, padding),
    )
    if isinstance(result, tuple):
        return tuple(from_pictures(y, rank, data_format) for y in result)
    return from_pictures(result, rank, data_format)


_VARIANTS = (
    {"size": (2, 2), "strides": (2, 2)},
    {"size": (2, 3), "strides": (2, 1)},
    {"size": (3, 2), "strides": (2, 2), "padding": "same"},
    {"size": (1, 2), "strides": (2, 3)},
)
_PLACES = ((2, 3), (2, 4), (3, 3), (3, 2))  # of these, in a picture of 5 x 6


def _choices(down, across, size):
    """Any position in each of the windows over 2 pictures with 2 channels."""
    count = size[0] * size[1]
    return np.random.default_rng(0).integers(
        count, size=(2, down, across, 2), dtype="uint8"
    )


# --- the maximum


@op
class max_pool2d(Op):
    """y = max of x over each window;  outputs (y, where in its window it was found)"""

    cases = tuple(Case((2, 5, 6, 2), **attrs) for attrs in _VARIANTS)

    def infer(self, x, /, size, strides, padding="valid"):
        n, *picture, channels = x.shape
        w = windows("max_pool", picture, size, strides, padding)
        shape = (n, *w.places, channels)
        return Spec(shape, x.dtype), Spec(shape, _position_type(size))

    def forward(self, x, /, size, strides, padding="valid", out=None):
        w = windows("max_pool", x.shape[1:3], size, strides, padding)
        shape = (len(x), *w.places, x.shape[3])
        y, where = out or (
            np.empty(shape, x.dtype),
            np.empty(shape, _position_type(size)),
        )
        for some in _chunks(x):
            _search(x[some], w, y[some], where[some])
        return y, where

    def gradient(self, node, dy, dwhere):
        (x,), (_, where) = node.inputs, node.outputs
        return (max_pool2d_grad(dy, where, picture=x.shape[1:3], **node.attrs),)


def _search(x, w, y, where):
    """y = the maximum of each window of x, found at position `where`"""
    y[...] = -np.inf if is_float(x.dtype.name) else np.iinfo(x.dtype).min
    where[...] = 0
    better = scratch(y.shape, bool)
    for k, (i, j) in enumerate(np.ndindex(w.size)):
        here, there = _meet(w, i, j)
        best, value = y[here], x[there]
        found = np.greater(value, best, out=better[here])
        np.copyto(where[here], k, where=found)
        np.maximum(best, value, out=best)  # which keeps a NaN


@op
class max_pool2d_grad(Op):
    """dx = dy where the maximum was found, 0 elsewhere; windows that overlap add up"""

    cases = tuple(
        Case((2, *places, 2), _choices(*places, v["size"]), picture=(5, 6), **v)
        for places, v in zip(_PLACES, _VARIANTS, strict=True)
    )

    def infer(self, dy, where, /, picture, size, strides, padding="valid"):
        return Spec((dy.shape[0], *picture, dy.shape[3]), dy.dtype)

    def forward(self, dy, where, /, picture, size, strides, padding="valid", out=None):
        w = windows("max_pool", picture, size, strides, padding)
        dx = (
            np.empty((len(dy), *picture, dy.shape[3]), dy.dtype) if out is None else out
        )
        for some in _chunks(dx):
            dx[some] = 0
            hit = scratch(dy[some].shape, bool)
            for k, (i, j) in enumerate(np.ndindex(w.size)):
                here, there = _meet(w, i, j)
                hits = np.equal(where[some][here], k, out=hit[here])
                target = dx[some][there]
                np.add(target, dy[some][here], out=target, where=hits)
        return dx

    def gradient(self, node, ddx):
        (_, where), attrs = node.inputs, dict(node.attrs)
        del attrs["picture"]
        return max_pool2d_pick(ddx, where, **attrs), None


@op
class max_pool2d_pick(Op):
    """y = x at the position `where` of each window"""

    cases = tuple(
        Case((2, 5, 6, 2), _choices(*places, v["size"]), **v)
        for places, v in zip(_PLACES, _VARIANTS, strict=True)
    )

    def infer(self, x, where, /, size, strides, padding="valid"):
        return Spec(where.shape, x.dtype)

    def forward(self, x, where, /, size, strides, padding="valid", out=None):
        w = windows("max_pool", x.shape[1:3], size, strides, padding)
        y = np.empty(where.shape, x.dtype) if out is None else out
        for some in _chunks(x):
            y[some] = 0  # where the padding was "found"
            hit = scratch(y[some].shape, bool)
            for k, (i, j) in enumerate(np.ndindex(w.size)):
                here, there = _meet(w, i, j)
                hits = np.equal(where[some][here], k, out=hit[here])
                np.copyto(y[some][here], x[some][there], where=hits)
        return y

    def gradient(self, node, dy):
        x, where = node.inputs
        picture = x.shape[1:3]
        return max_pool2d_grad(dy, where, picture=picture, **node.attrs), None


def _position_type(size):
    return "uint8" if size[0] * size[1] <= 256 else "int32"


# --- the mean


@op
class average_pool2d(Op):
    """y = mean of x over each window, as far as it lies on the picture"""

    cases = tuple(Case((2, 5, 6, 2), **attrs) for attrs in _VARIANTS)

    def infer(self, x, /, size, strides, padding="valid"):
        n, *picture, channels = x.shape
        w = windows("average_pool", picture, size, strides, padding)
        return Spec((n, *w.places, channels), x.dtype)

    def forward(self, x, /, size, strides, padding="valid", out=None):
        w = windows("average_pool", x.shape[1:3], size, strides, padding)
        y = out
        if y is None:
            y = np.empty((len(x), *w.places, x.shape[3]), x.dtype)
        counts = _counts(w, x.dtype)
        for some in _chunks(x):
            y[some] = 0
            for i, j in np.ndindex(w.size):
                here, there = _meet(w, i, j)
                total = y[some][here]
                np.add(total, x[some][there], out=total)
            np.divide(y[some], counts, out=y[some])
        return y

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (average_pool2d_grad(dy, picture=x.shape[1:3], **node.attrs),)


@op
class average_pool2d_grad(Op):
    """dx = sum of dy / number of values, over the windows that x lies in"""

    cases = tuple(
        Case((2, *places, 2), picture=(5, 6), **v)
        for places, v in zip(_PLACES, _VARIANTS, strict=True)
    )

    def infer(self, dy, /, picture, size, strides, padding="valid"):
        return Spec((dy.shape[0], *picture, dy.shape[3]), dy.dtype)

    def forward(self, dy, /, picture, size, strides, padding="valid", out=None):
        w = windows("average_pool", picture, size, strides, padding)
        dx = (
            np.empty((len(dy), *picture, dy.shape[3]), dy.dtype) if out is None else out
        )
        counts = _counts(w, dy.dtype)
        for some in _chunks(dx):
            dx[some] = 0
            share = scratch(dy[some].shape, dy.dtype)
            np.divide(dy[some], counts, out=share)
            for i, j in np.ndindex(w.size):
                here, there = _meet(w, i, j)
                total = dx[some][there]
                np.add(total, share[here], out=total)
        return dx

    def gradient(self, node, ddx):
        attrs = dict(node.attrs)
        del attrs["picture"]
        return (average_pool2d(ddx, **attrs),)


# --- what they share


def _meet(w, i, j):
    """Which windows have their position (i, j) on the picture, and where it lies there.

    Returns:
        here, there: y[here] is to x[there] what a window is to that position.
    """
    here, there = [slice(None)], [slice(None)]
    for k, s, (before, _), n, places in zip(
        (i, j), w.strides, w.padding, w.picture, w.places, strict=True
    ):
        first = max(
            0, -((k - before) // s)
        )  # the first window that reaches the picture
        last = min(places - 1, (n - 1 - k + before) // s)
        start = first * s + k - before
        here.append(slice(first, max(last + 1, first)))
        there.append(slice(start, max(start + (last - first) * s + 1, start), s))
    return tuple(here), tuple(there)


def _counts(w, dtype):
    """(places down, places across, 1): how many values each window has."""
    counts = np.zeros((1, *w.places, 1), dtype)
    for i, j in np.ndindex(w.size):
        counts[_meet(w, i, j)[0]] += 1
    return counts[0]


def _chunks(x):
    """Slices of a few pictures each."""
    step = chunk_of(len(x), x[:1].nbytes)
    for start in range(0, len(x), step):
        yield slice(start, min(start + step, len(x)))
